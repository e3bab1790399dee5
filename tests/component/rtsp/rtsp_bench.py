"""A media server on free ports, a real ffmpeg that publishes to it, and real viewers."""

import asyncio
import contextlib
import ipaddress
import re
import shutil
import signal
from pathlib import Path

from fakes.rtsp_gate import FakeAudit, FakeGate
from support.ports import free_port
from support.waiting import PATIENCE_S, until

from livecam_nvr.config.models import Config, ListenConfig, RtspCamera, TestCamera, TlsConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import MediaServerChanged
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.status import ServerState
from livecam_nvr.rtsp.doorkeeper import ANSWER_S, Doorkeeper
from livecam_nvr.rtsp.gstreamer import GStreamerServer
from livecam_nvr.rtsp.mediamtx import MediaMtxServer
from livecam_nvr.rtsp.ports import local_host
from livecam_nvr.runtime.clock import SystemClock

WIDTH, HEIGHT = 320, 180
_ENCODERS = {
    "h264": ["libx264", "-preset", "ultrafast", "-tune", "zerolatency"],
    "h265": ["libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-x265-params", "log-level=none"],
}
RFC6381 = {"h264": "avc1.42c01f", "h265": "hvc1.1.6.L63.90"}
# As the service publishes: a server that is not there is tried again every second.
_FIFO = (
    "attempt_recovery=1:recover_any_error=1:recovery_wait_time=1"
    ":restart_with_keyframe=1:drop_pkts_on_overflow=1:queue_size=300"
)


class Publisher:
    """An ffmpeg that publishes a moving picture, a keyframe every half second."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, target: PublishTarget, codec: str = "h264", size: str = f"{WIDTH}x{HEIGHT}", kbps: int = 500
    ) -> "Publisher":
        options = "".join(f":{key}={value}" for key, value in target.options)
        leg = f"[f={target.format}:use_fifo=1:fifo_options=\\'{_FIFO}\\'{options}]{target.url}"
        process = await asyncio.create_subprocess_exec(
            *("ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=20"),
            *("-map", "0:v", "-c:v", *_ENCODERS[codec], "-b:v", f"{kbps}k", "-g", "10", "-bf", "0"),
            *("-pix_fmt", "yuv420p", "-flags", "+global_header", "-f", "tee", leg),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return cls(process)

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


class Viewer:
    """An ffmpeg that decodes a stream for as long as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.frames = 0
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, url: str, transport: str = "tcp") -> "Viewer":
        process = await asyncio.create_subprocess_exec(
            *("ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", transport, "-i", url),
            *("-fps_mode", "passthrough", "-f", "framecrc", "-flush_packets", "1", "-"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return cls(process)

    @property
    def connected(self) -> bool:
        return self._process.returncode is None

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.frames += not line.startswith(b"#")


class Bench:
    """One server with two cameras, those who publish to it and those who watch."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        *,
        watch_every_s: float = 0.3,
        address: str = "127.0.0.1",
        gate: FakeGate | None = None,
        tls: TlsConfig | None = None,
        answer_within_s: float = ANSWER_S,
    ) -> None:
        self.kind = kind
        self.gate = gate or FakeGate()
        self.audit = FakeAudit()
        listen = ListenConfig(
            address=address,
            rtsp_port=free_port(),
            rtsps_port=free_port(),
            webrtc_port=free_port(),
            webrtc_udp_port=free_port(),
            hls_port=free_port(),
        )
        cameras = [
            TestCamera(id="cam0", kind="test"),
            RtspCamera(id="cam1", kind="rtsp", url="rtsp://192.0.2.1/x"),
        ]
        self.config = Config(cameras=cameras, data_dir=folder, listen=listen, tls=tls or TlsConfig())
        self.changes: list[MediaServerChanged] = []
        bus = self.bus = EventBus()
        bus.subscribe(MediaServerChanged, self.changes.append)
        clock = SystemClock()
        self.doorkeeper = Doorkeeper(self.gate, self.audit, self.config, answer_within_s)
        self.server: GStreamerServer | MediaMtxServer
        if kind == "gstreamer":
            self.server = GStreamerServer(self.config, bus, clock, self.doorkeeper, watch_every_s=watch_every_s)
        else:
            binary = shutil.which("mediamtx")
            assert binary
            self.server = MediaMtxServer(
                self.config, Path(binary), bus, clock, self.doorkeeper, watch_every_s=watch_every_s
            )
        self._ends: list[Publisher | Viewer] = []

    @property
    def states(self) -> list[ServerState]:
        """The states that were told, oldest first."""
        return [change.status.state for change in self.changes]

    async def start(self, ready_within_s: float = PATIENCE_S) -> bool:
        await self.doorkeeper.start()
        return await self.server.start(ready_within_s)

    def url(self, camera: str, who: str = "", what: str = "rtsp") -> str:
        """Where to watch; `who` is `user:password`."""
        host = local_host(self.config.listen.address)
        address = getattr(self.server.addresses(camera), what)
        return str(address).replace("{host}", f"{who}@" * bool(who) + (f"[{host}]" if ":" in host else host))

    async def publish(self, camera: str, codec: str = "h264", **more: object) -> Publisher:
        self.server.stream_started(camera, RFC6381[codec])
        publisher = await Publisher.start(self.server.publish_target(camera), codec, **more)  # type: ignore[arg-type]
        self._ends.append(publisher)
        return publisher

    async def view(self, camera: str, transport: str = "tcp", who: str = "", url: str = "") -> Viewer:
        viewer = await Viewer.start(url or self.url(camera, who), transport)
        self._ends.append(viewer)
        return viewer

    async def sees(self, camera: str, frames: int = 10, transport: str = "tcp", url: str = "") -> None:
        """Returns when a viewer, who comes again where refused, has decoded so many frames in one go."""

        async def watch() -> bool:
            viewer = await Viewer.start(url or self.url(camera), transport)
            try:
                await until(lambda: viewer.frames >= frames or not viewer.connected)
                return viewer.frames >= frames
            finally:
                await viewer.stop()

        await until(watch, f"{frames} frames of {camera} over {transport}")

    async def stop(self) -> None:
        for end in self._ends:
            await (end.kill() if isinstance(end, Publisher) else end.stop())
        await self.server.stop()
        await self.doorkeeper.stop()


def listening(pid: int) -> set[tuple[str, str, int]]:
    """What a process listens on: ("tcp" or "udp", address, port); proc(5)."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in the meantime
            if found := re.match(r"socket:\[(\d+)\]", str(fd.readlink())):
                inodes.add(found[1])
    sockets = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            listens = fields[3] == "0A" if table.startswith("tcp") else True
            if fields[9] in inodes and listens:
                raw, port = fields[1].split(":")
                sockets.add((table[:3], _address(raw), int(port, 16)))
    return sockets


def _address(raw: str) -> str:
    words = [bytes.fromhex(raw[at : at + 8])[::-1] for at in range(0, len(raw), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
