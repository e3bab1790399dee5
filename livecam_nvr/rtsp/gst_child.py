"""An RTSP server of GStreamer, run by the system's Python; stands alone: imports nothing of this project.

    gst_child.py LINE CAMERA=FD…
    gst_child.py --check

FD is an inherited UDP socket on which a camera's MPEG-TS comes; those of cameras that are added later come over
LINE, an inherited Unix socket, each with the camera's name, before the camera is told of. On stdin come JSON
objects, one a line. The first says where to listen, and whom to ask who may watch (`gst_door.py`); no argument,
because others can read those:

    {"port": 20001, "secret": "…", "listen": [["127.0.0.1", "8554", null], ["0.0.0.0", "8322", ["CERT", "KEY"]]]}

Then `{"camera": "cam0", "codec": "h264"}` publishes a camera (its sound, if it is AAC, along with it),
`{"gone": "cam0"}` takes one away with its viewers,
`{"end": {"credentials": […], "sessions": […], "keep_session": ""}}` ends viewers, and `{"renew": true}` has the
certificates read anew. On stdout, one JSON object a line, it says `{"ready": "GStreamer 1.22.0"}` when it listens.
What is wrong goes to stderr. It ends when stdin does.
"""

import json
import os
import pathlib
import select
import socket
import sys
import threading
import time
import typing

# Not at the top of a file, so that the words below can say what is missing.
try:
    import gi  # type: ignore[import-not-found] # the system's Python has it

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import (  # type: ignore[import-not-found]
        Gio,
        GLib,
        Gst,
        GstRtsp,
        GstRtspServer,
    )
except (ImportError, ValueError) as error:
    sys.exit(f"GStreamer's RTSP server cannot be used from Python: {error}")

# Python's -I leaves out the script's own folder.
sys.path.append(str(pathlib.Path(__file__).parent))
import gst_door  # type: ignore[import-not-found]

# How long a viewer is kept waiting where the camera sends nothing.
_NO_DATA_S = 2.0
_FORGET_LOST_VIEWERS_S = 10
# RTP ports for viewers over UDP where the server has an address of its own; below the ephemeral ones.
_UDP_PORTS = (20000, 31999)
_BACKLOG = 128
_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound
_PAY = {"h264": "h264parse config-interval=-1 ! rtph264pay", "h265": "h265parse config-interval=-1 ! rtph265pay"}
_PAY_SOUND = "demux. ! aacparse ! queue ! rtpmp4gpay name=pay1 pt=97"
_ELEMENTS = (
    *("udpsrc", "tsparse", "tsdemux", "h264parse", "h265parse", "rtph264pay", "rtph265pay"),
    *("queue", "aacparse", "rtpmp4gpay"),
)
# Sound of which nothing has come for so long is left out: its viewers would wait for it before they saw a picture.
_NO_SOUND_S = 0.5
_AAC = 0x0F  # its stream type (ISO/IEC 13818-1, table 2-34)


class CameraFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc] # gi has no types
    """Makes one pipeline for all viewers of a camera, when the first one comes; it goes with the last one."""

    def __init__(self, camera: str, ingest: socket.socket, codec: str, address: str) -> None:
        super().__init__()
        self.camera = camera
        self._ingest = ingest
        # latency: by default the demuxer holds everything back for 0.7 s.
        self._launch = (
            "udpsrc name=ingest mtu=65536 retrieve-sender-address=false ! tsparse set-timestamps=true"
            f" ! tsdemux latency=0 name=demux ! {_PAY[codec]} name=pay0 pt=96"
        )
        self.set_shared(True)
        self.set_transport_mode(GstRtspServer.RTSPTransportMode.PLAY)
        self.set_protocols(GstRtsp.RTSPLowerTrans.UDP | GstRtsp.RTSPLowerTrans.TCP)
        if address not in _WILDCARDS:
            # Else the RTP sockets would be open on all interfaces although the server is not.
            pool = GstRtspServer.RTSPAddressPool()
            if pool.add_range(address, address, *_UDP_PORTS, 0):
                self.set_address_pool(pool)
        gst_door.restrict(self, public=True)

    def do_gen_key(self, _url: object) -> str:
        """One pipeline, whatever port and query a viewer's address has: two would share out the packets."""
        return self.camera

    def do_create_element(self, _url: object) -> object:
        """The pipeline; none if nothing comes from the camera (the viewer gets an error at once)."""
        self._drain()
        sound = _has_sound(self._ingest)
        if sound is None:
            return None
        element = Gst.parse_launch(f"( {self._launch} {_PAY_SOUND if sound else ''} )")
        # A copy, because the pipeline closes what it is given. The socket itself stays open for ever: nobody else
        # can take its port while nobody looks.
        copy = Gio.Socket.new_from_fd(os.dup(self._ingest.fileno()))
        element.get_by_name("ingest").set_property("socket", copy)
        return element

    def _drain(self) -> None:
        """Forgets what came while nobody looked."""
        try:
            while True:
                self._ingest.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass


def _has_sound(ingest: socket.socket) -> "bool | None":
    """Whether AAC comes along with the pictures; None if nothing comes at all. Takes what it reads."""
    stream = _Programme()
    began = time.monotonic()
    seen_at = None
    while True:
        now = time.monotonic()
        end = began + _NO_DATA_S if seen_at is None else seen_at + _NO_SOUND_S
        if now >= end or not select.select([ingest], [], [], end - now)[0]:
            return None if stream.packets == 0 else False
        stream.read(ingest.recv(65536))
        if stream.known and seen_at is None:
            seen_at = time.monotonic()
        if stream.known and (not stream.sound_pids or stream.heard):
            return bool(stream.heard)


class _Programme:
    """What an MPEG transport stream says of itself (ISO/IEC 13818-1, 2.4.3.2 and 2.4.4)."""

    def __init__(self) -> None:
        self.packets = 0
        self.known = False
        self.sound_pids: set[int] = set()
        self.heard = False
        self._table_pids: set[int] = set()

    def read(self, datagram: bytes) -> None:
        """Takes whole packets of 188 bytes."""
        for at in range(0, len(datagram) - 187, 188):
            packet = datagram[at : at + 188]
            self.packets += 1
            pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
            self.heard = self.heard or pid in self.sound_pids
            if packet[1] & 0x40 and packet[3] & 0x10 and (pid == 0 or pid in self._table_pids):
                begin = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
                self._table(packet[begin + 1 + packet[begin] :], pid)

    def _table(self, section: bytes, pid: int) -> None:
        end = 3 + (int.from_bytes(section[1:3], "big") & 0xFFF) - 4  # without the checksum
        if pid == 0:
            entries = (int.from_bytes(section[at + 2 : at + 4], "big") for at in range(8, end, 4))
            self._table_pids = {entry & 0x1FFF for entry in entries}
            return
        at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
        while at + 5 <= min(end, len(section)):
            if section[at] == _AAC:
                self.sound_pids.add(int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF)
            at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
        self.known = True


class _Nowhere(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc] # gi has no types
    """Stands for all paths where no camera is, so that they look like cameras to whoever may not watch."""

    PATH = "/"  # GStreamer takes it for whatever has no longer match, also where it does not ask make_path (SETUP)

    def __init__(self) -> None:
        super().__init__()
        self.camera = None
        gst_door.restrict(self, public=False)


class _Paths(GstRtspServer.RTSPMountPoints):  # type: ignore[misc] # gi has no types
    """Which factory a path means."""

    def __init__(self) -> None:
        super().__init__()
        self.cameras: set[str] = set()
        self.add_factory(_Nowhere.PATH, _Nowhere())

    def do_make_path(self, url: "GstRtsp.RTSPUrl") -> str:
        """The path itself if there is a camera; and if it goes on, so that it is the same whether there is one."""
        path = str(url.abspath)
        begin, _, rest = path.partition("/")
        name, _, control = rest.partition("/")
        return path if not begin and (control or name in self.cameras) else _Nowhere.PATH


class _Port(typing.NamedTuple):
    """Where to listen."""

    address: str
    port: str
    certificate: "list[str] | None"
    """Paths of the certificate and its key, for RTSPS."""


class Server:
    """The server and the cameras that it serves."""

    def __init__(
        self,
        door: "gst_door.Door",
        ports: "list[_Port]",
        ingests: "dict[str, socket.socket]",
        line: socket.socket,
    ) -> None:
        self._door = door
        self._ingests = ingests
        self._line = line
        self._codecs: dict[str, str] = {}
        self._paths = _Paths()
        # RTP goes out from where plain RTSP is served: over TLS, it stays within the connection.
        self._address = ports[0].address
        self._servers = [(self._made(port), port) for port in ports]

    def _made(self, port: _Port) -> "GstRtspServer.RTSPServer":
        server = GstRtspServer.RTSPServer()
        server.set_address(port.address)
        server.set_service(port.port)
        # With the usual five, many who come at once wait a second or more for their next attempt.
        server.set_backlog(_BACKLOG)
        server.set_mount_points(self._paths)
        # One thread a client: a viewer who waits for a camera's first picture must not stop the others.
        server.get_thread_pool().set_max_threads(-1)
        self._door.watch(server, encrypted=port.certificate is not None)
        if port.certificate is not None:
            self._door.certify(server, Gio.TlsCertificate.new_from_files(*port.certificate))
        return server

    def listen(self) -> None:
        """On all of its ports; raises OSError."""
        GLib.timeout_add_seconds(_FORGET_LOST_VIEWERS_S, self._forget_lost_viewers)
        for server, port in self._servers:
            if not server.attach(None):
                raise OSError(f"could not listen on {port.address} port {port.port}")

    def announce(self, camera: str, codec: str) -> None:
        """Serves a camera from now on. With another codec than before, its viewers have to come again."""
        if self._codecs.get(camera) == codec:
            return
        self._take_in()
        if camera not in self._ingests:
            _complain(f"nothing is known of where {camera} comes from")
            return
        self._withdraw(camera)
        self._codecs[camera] = codec
        self._paths.add_factory(f"/{camera}", CameraFactory(camera, self._ingests[camera], codec, self._address))
        self._paths.cameras.add(camera)

    def forget(self, camera: str) -> None:
        """Serves a camera no longer: its viewers end."""
        self._take_in()
        self._withdraw(camera)
        if camera in self._ingests:
            self._ingests.pop(camera).close()

    def _withdraw(self, camera: str) -> None:
        if self._codecs.pop(camera, None) is None:
            return
        path = f"/{camera}"
        self._paths.cameras.discard(camera)
        self._paths.remove_factory(path)
        for server, _ in self._servers:
            server.client_filter(lambda _server, client: _watches(client, path))

    def _take_in(self) -> None:
        """The sockets of cameras that were added since."""
        while select.select([self._line], [], [], 0)[0]:
            name, fds, _, _ = socket.recv_fds(self._line, 256, 1)
            if not name:
                return
            if (former := self._ingests.pop(name.decode(), None)) is not None:
                former.close()
            self._ingests[name.decode()] = socket.socket(fileno=fds[0])

    def obey(self, order: "dict[str, typing.Any]") -> None:
        """Does what a line of stdin says."""
        if "camera" in order:
            self.announce(order["camera"], order["codec"])
        elif "gone" in order:
            self.forget(order["gone"])
        elif "end" in order:
            end = order["end"]
            credentials, sessions = frozenset(end["credentials"]), frozenset(end["sessions"])
            self._door.end(gst_door.Ended(credentials, sessions, end["keep_session"]))
        elif "renew" in order:
            self._renew()

    def _renew(self) -> None:
        for server, port in self._servers:
            if port.certificate is not None:
                try:
                    self._door.certify(server, Gio.TlsCertificate.new_from_files(*port.certificate))
                except GLib.Error as error:  # half replaced, perhaps: the earlier one goes on
                    _complain(f"the new certificate cannot be used: {error.message}")

    def _forget_lost_viewers(self) -> bool:
        """Ends the sessions of viewers that are gone without a word (RFC 2326, 12.37: timeout)."""
        for server, _ in self._servers:
            server.get_session_pool().cleanup()
        return True


def _watches(client: object, path: str) -> object:
    found = False

    def look_at_media(_session: object, media: "GstRtspServer.RTSPSessionMedia") -> object:
        nonlocal found
        found = found or media.matches(path)[0]
        return GstRtspServer.RTSPFilterResult.KEEP

    def look_at_session(_client: object, session: "GstRtspServer.RTSPSession") -> object:
        session.filter(look_at_media)
        return GstRtspServer.RTSPFilterResult.KEEP

    client.session_filter(look_at_session)  # type: ignore[attr-defined] # gi has no types
    return GstRtspServer.RTSPFilterResult.REMOVE if found else GstRtspServer.RTSPFilterResult.KEEP


def _obey(server: Server, loop: "GLib.MainLoop") -> None:
    """Reads stdin (in a thread of its own), hands each line to the main loop, and ends that with it."""
    for line in sys.stdin:
        GLib.idle_add(server.obey, json.loads(line))
    GLib.idle_add(loop.quit)


def _say(**words: str) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _complain(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def check() -> str:
    """An empty string, or what is missing."""
    missing = [name for name in _ELEMENTS if Gst.ElementFactory.find(name) is None]
    return f"GStreamer lacks the elements {', '.join(missing)}" if missing else ""


def main(arguments: list[str]) -> str | None:
    """Serves until stdin ends; returns what went wrong."""
    Gst.init(None)
    missing = check()
    if missing or arguments == ["--check"]:
        _say(version=Gst.version_string())
        return missing or None
    line, *cameras = arguments
    ingests = {}
    for camera, _, fd in (argument.rpartition("=") for argument in cameras):
        ingests[camera] = socket.socket(fileno=int(fd))
    orders = json.loads(sys.stdin.readline())
    try:
        door = gst_door.Door(orders["port"], orders["secret"])
        own_line = socket.socket(fileno=int(line))
        server = Server(door, [_Port(*port) for port in orders["listen"]], ingests, own_line)
        server.listen()
    except GLib.Error as error:
        return f"the certificate cannot be used: {error.message}"
    except OSError as error:
        return str(error)
    loop = GLib.MainLoop()
    threading.Thread(target=_obey, args=(server, loop), daemon=True).start()
    _say(ready=Gst.version_string())
    loop.run()
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
