"""GStreamer's RTSP server as a supervised child of the system's Python (core.ports.MediaServer)."""

import asyncio
import contextlib
import json
import logging
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.config.models import Config, EncodedCamera
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import StreamAddresses
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.rtsp.ports import authority, free_port, local_host, plain_address, require_free, rtsp_ports
from livecam_nvr.rtsp.supervised import WATCH_EVERY_S, SupervisedServer, rtsp_addresses
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.process import ChildProcess, spawn

_log = logging.getLogger(__name__)

SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 glib-networking"
    " gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)
INSTALL_HINT = f"sudo apt install {PACKAGES}"

_CHILD = Path(__file__).with_name("gst_child.py")
_LOOPBACK = "127.0.0.1"
# A datagram of 160 MPEG-TS packets: few large ones fit far better into a receive buffer than many small ones, of
# which the kernel counts each with its overhead. Loopback carries 64 kB in one piece.
_DATAGRAM_BYTES = 160 * 188
# Linux grants at most net.core.rmem_max (208 kB unless raised, and doubles it for its overhead): about 12 of our
# datagrams or 370 kB, so a keyframe of 200 kB fits even if the server does not come to read while it arrives.
_RECEIVE_BYTES = 2 << 20
_CODECS = {"avc1": "h264", "avc3": "h264", "hvc1": "h265", "hev1": "h265"}
_CHECK_S = 8.0
# What it says where packages are missing; the last are GLib's own words without glib-networking.
_LACKS = ("cannot be used from Python", "lacks the elements", "TLS support is not available")
_MEND_TLS = "name a certificate and its key under tls in the config, or make them with `livecam-nvr tls init`"


@dataclass(frozen=True, slots=True)
class _Ingest:
    """Where a camera's stream comes in."""

    receiver: socket.socket
    from_port: int


class GStreamerServer(SupervisedServer):
    """RTSP only. A camera is there for viewers once its codec is known."""

    name = "gstreamer"
    title = "GStreamer's RTSP server"

    def __init__(
        self,
        config: Config,
        bus: EventBus,
        clock: Clock,
        doorkeeper: Doorkeeper,
        *,
        watch_every_s: float = WATCH_EVERY_S,
        python: str = SYSTEM_PYTHON,
    ) -> None:
        super().__init__(config, bus, clock, watch_every_s)
        self._python = python
        self._doorkeeper = doorkeeper
        self._certificate_of: tuple[int, ...] = ()
        self._unsubscribe = bus.subscribe(AccessEnded, self._ended)
        self._ingests: dict[str, _Ingest] = {}
        self._codecs: dict[str, str] = {}
        self._streams: list[str] = []
        self._line: socket.socket | None = None
        """To the running child: over it go the sockets of cameras that came after its start."""
        for camera in config.streams:
            self.add(camera.id, h264=isinstance(camera, EncodedCamera))

    def publish_target(self, camera_id: str) -> PublishTarget:
        """See core.ports.MediaServer."""
        ingest = self._ingest(camera_id)
        port = ingest.receiver.getsockname()[1]
        options = f"pkt_size={_DATAGRAM_BYTES}&localaddr={_LOOPBACK}&localport={ingest.from_port}"
        return PublishTarget("mpegts", f"udp://{_LOOPBACK}:{port}?{options}")

    def add(self, camera_id: str, *, h264: bool) -> None:
        """See core.ports.MediaServer."""
        if camera_id not in self._streams:
            self._streams.append(camera_id)
        if h264:
            # What we encode ourselves: its first viewer need not wait until the stream has told so.
            self._codecs[camera_id] = "h264"
        if self._line is not None:
            self._hand_over(camera_id)
            if h264 and self._child is not None:
                _tell(self._child, camera=camera_id, codec="h264")

    def remove(self, camera_id: str) -> None:
        """See core.ports.MediaServer."""
        if camera_id not in self._streams:
            return
        self._streams.remove(camera_id)
        self._codecs.pop(camera_id, None)
        if self._child is not None:
            _tell(self._child, gone=camera_id)
        if (ingest := self._ingests.pop(camera_id, None)) is not None:
            ingest.receiver.close()

    def stream_started(self, camera_id: str, codec: str) -> None:
        """See core.ports.MediaServer. A codec that RTSP viewers cannot be given is logged."""
        short = _CODECS.get(codec.partition(".")[0])
        if short is None:
            _log.warning("%s: %s cannot be served over RTSP", camera_id, codec)
        elif self._codecs.get(camera_id) != short:
            self._codecs[camera_id] = short
            if self._child is not None:
                _tell(self._child, camera=camera_id, codec=short)

    def addresses(self, camera_id: str) -> StreamAddresses:
        """See core.ports.MediaServer."""
        return rtsp_addresses(self._config, camera_id)

    async def stop(self) -> None:
        """See core.ports.MediaServer."""
        self._unsubscribe()
        await super().stop()
        for ingest in self._ingests.values():
            ingest.receiver.close()
        self._ingests.clear()

    def _mend(self, child: ChildProcess) -> str:
        words = " ".join(child.last_lines)
        if any(lack in words for lack in _LACKS):
            return INSTALL_HINT
        return _MEND_TLS if "the certificate cannot be used" in words else super()._mend(child)

    def _ingest(self, camera_id: str) -> _Ingest:
        """A socket on which a camera's stream comes; ours for the life of the service, whatever the child does.

        It is connected to the port that this camera's ffmpeg sends from: the kernel lets nothing else in (udp(7)).
        """
        if camera_id not in self._ingests:
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            receiver.bind((_LOOPBACK, free_port(_LOOPBACK, udp=True)))
            from_port = free_port(_LOOPBACK, udp=True)
            receiver.connect((_LOOPBACK, from_port))
            self._ingests[camera_id] = _Ingest(receiver, from_port)
        return self._ingests[camera_id]

    async def _attempt(self) -> None:
        config = self._config
        require_free(rtsp_ports(config))
        said = bytearray()
        self._certificate_of = await asyncio.to_thread(_marks, config)
        fds = {camera_id: self._ingest(camera_id).receiver.fileno() for camera_id in self._streams}
        # Sequenced packets keep each name together with its socket (unix(7)).
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            try:
                with theirs:
                    child = await spawn(
                        [
                            *(self._python, "-I", str(_CHILD), str(theirs.fileno())),
                            *(f"{camera}={fd}" for camera, fd in fds.items()),
                        ],
                        name=self.title,
                        on_stdout=said.extend,
                        on_line=lambda line: _log.debug("GStreamer: %s", line),
                        stdin=True,
                        pass_fds=(theirs.fileno(), *fds.values()),
                    )
                self._line = ours
                for camera_id in set(self._streams) - set(fds):  # came meanwhile
                    self._hand_over(camera_id)
                await self._serve(child, said)
            finally:
                self._line = None

    async def _serve(self, child: ChildProcess, said: bytearray) -> None:
        config, plain = self._config, plain_address(self._config)
        _tell(child, port=self._doorkeeper.port, secret=self._doorkeeper.secret, listen=_listen(config))
        for camera_id in self._streams:
            if camera_id in self._codecs:
                _tell(child, camera=camera_id, codec=self._codecs[camera_id])

        async def ask() -> None:
            # The child's own word first: until it has come, whoever answers on the port is not our child.
            if not said:
                raise LivecamError(ErrorKind.UNAVAILABLE, "it does not listen yet")
            if not self._version:
                self._version = str(json.loads(said.split(b"\n")[0]).get("ready", ""))
            await _options(local_host(plain), config.listen.rtsp_port)
            await self._renew(child)

        await self._attend(child, ask)

    def _hand_over(self, camera_id: str) -> None:
        """Gives the running child a camera's socket."""
        if self._line is not None:
            # The child takes it when it is next told of a camera. A line that is full or broken means that it is
            # dead or hung: then its successor gets them all at its start.
            with contextlib.suppress(OSError):
                receiver = self._ingest(camera_id).receiver
                socket.send_fds(self._line, [camera_id.encode()], [receiver.fileno()], socket.MSG_DONTWAIT)

    async def _renew(self, child: ChildProcess) -> None:
        """Has a certificate that was replaced read anew, for the connections to come."""
        marks = await asyncio.to_thread(_marks, self._config)
        if marks != self._certificate_of:
            self._certificate_of = marks
            _tell(child, renew=True)

    def _ended(self, event: AccessEnded) -> None:
        if self._child is not None:
            credentials, sessions = sorted(event.credentials), sorted(event.sessions)
            end = {"credentials": credentials, "sessions": sessions, "keep_session": event.keep_session}
            _tell(self._child, end=end)


def _tell(child: ChildProcess, **order: object) -> None:
    child.write(json.dumps(order).encode() + b"\n")


def _listen(config: Config) -> list[tuple[str, str, tuple[str, str] | None]]:
    """Address, port, certificate and key of each port; plain RTSP first."""
    listen, tls = config.listen, config.tls
    ports: list[tuple[str, str, tuple[str, str] | None]] = [(plain_address(config), str(listen.rtsp_port), None)]
    if tls.certificate is not None and tls.private_key is not None:
        files = (str(tls.certificate), str(tls.private_key))
        ports.append((listen.address, str(listen.rtsps_port), files))
    return ports


def _marks(config: Config) -> tuple[int, ...]:
    """Changes when the certificate or its key does."""
    marks = []
    for path in (config.tls.certificate, config.tls.private_key):
        if path is None:
            continue
        with contextlib.suppress(OSError):
            stat = path.stat()
            marks += [stat.st_ino, stat.st_mtime_ns]
    return tuple(marks)


async def _options(host: str, port: int) -> None:
    """Asks for OPTIONS (RFC 2326, 10.1) as any viewer does; raises OSError or LivecamError without an answer."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        url = f"rtsp://{authority(host, port)}/"
        writer.write(f"OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        if not (await reader.readline()).startswith(b"RTSP/1.0 200"):
            raise LivecamError(ErrorKind.UNAVAILABLE, "the RTSP server did not answer as it should")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def seems_installed(python: str = SYSTEM_PYTHON) -> bool:
    """Whether the distribution's packages are there, by a glance that costs a start nothing."""
    folders = (Path("/usr/lib"), Path("/usr/lib64"))
    typelib = "girepository-1.0/GstRtspServer-1.0.typelib"
    return shutil.which(python) is not None and any(
        any(folder.glob(pattern)) for folder in folders for pattern in (typelib, f"*/{typelib}")
    )


async def really_works(python: str = SYSTEM_PYTHON) -> tuple[bool, str]:
    """Whether GStreamer can be used, by really loading it; and its version, or what is missing."""
    said = bytearray()
    try:
        child = await spawn([python, "-I", str(_CHILD), "--check"], name="GStreamer check", on_stdout=said.extend)
    except LivecamError as error:
        return False, error.message
    try:
        async with asyncio.timeout(_CHECK_S):
            code = await child.wait()
    except TimeoutError:
        return False, f"loading it took more than {_CHECK_S:.0f} s"
    finally:
        await child.stop()
    if code != 0:
        return False, child.last_lines[-1] if child.last_lines else f"loading it ended with status {code}"
    return True, str(json.loads(said).get("version", ""))
