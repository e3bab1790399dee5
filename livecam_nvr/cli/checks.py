"""What `doctor` looks at besides the service's own parts: Python, ffmpeg, the page's port, cameras."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Final

from livecam_nvr.config.models import Camera, Config, ListenConfig, V4l2Camera
from livecam_nvr.core.ports import Check, SelfCheck
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.media.diagnose import diagnose
from livecam_nvr.media.sources import source
from livecam_nvr.runtime.process import spawn

_PATIENCE_S: Final = 10.0
_OLDEST_PYTHON: Final = (3, 11)
_OLDEST_FFMPEG: Final = (5, 1)
_INSTALL_FFMPEG: Final = "sudo apt install ffmpeg fonts-dejavu-core"


def machine_checks() -> Sequence[SelfCheck]:
    """What can be looked at without a config."""
    return (PythonCheck(), FfmpegCheck())


def config_checks(config: Config) -> Sequence[SelfCheck]:
    """The page's port and the cameras of a config."""
    cameras = (CameraCheck(camera, config.listen) for camera in config.cameras if camera.enabled)
    return (PagePortCheck(config.listen), *cameras)


class PythonCheck:
    """Python is new enough."""

    name = "python"

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        found = ".".join(map(str, sys.version_info[:3]))
        return [
            Check(self.name, sys.version_info >= _OLDEST_PYTHON, found, "livecam-nvr needs Python 3.11 or later")
        ]


class FfmpegCheck:
    """Both ffmpeg and ffprobe are there, new enough, and can do what the cameras need."""

    name = "ffmpeg"

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        try:
            _, said = await _output(["ffmpeg", "-hide_banner", "-version"])
            await _output(["ffprobe", "-hide_banner", "-version"])
        except LivecamError as error:
            return [Check(self.name, ok=False, found=error.message, mend=_INSTALL_FFMPEG)]
        version = ffmpeg_version(said)
        if version is not None and version < _OLDEST_FFMPEG:
            found = f"{said.splitlines()[0]} is too old"
            return [Check(self.name, ok=False, found=found, mend="version 5.1 or later is needed")]
        # One frame through everything the service uses says more than lists of what was compiled in.
        text = "drawtext=font=DejaVu Sans Mono:text=livecam"
        picture = ["-f", "lavfi", "-i", "color=size=64x64:duration=0.1", "-vf", text, "-pix_fmt", "yuv420p"]
        encode = ["-c:v", "libx264", "-frames:v", "1", "-flags", "+global_header", "-map", "0:v"]
        leg = ["-f", "tee", "[f=mp4:movflags=+frag_every_frame+empty_moov+default_base_moof]/dev/null"]
        code, said = await _output(["ffmpeg", "-v", "error", "-nostdin", "-y", *picture, *encode, *leg])
        if code:
            found = f"it cannot draw text, encode with libx264 or write through tee: {said.partition(chr(10))[0]}"
            return [Check(self.name, ok=False, found=found, mend=_INSTALL_FFMPEG)]
        shown = ".".join(map(str, version)) if version else "a build of its own"
        return [Check(self.name, ok=True, found=f"{shown}, with libx264, drawtext and tee")]


def ffmpeg_version(said: str) -> tuple[int, int] | None:
    """`(5, 1)` from what `ffmpeg -version` says; None for builds from the development branch."""
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


class PagePortCheck:
    """The page's port is free; those of the media server are its own part's affair."""

    def __init__(self, listen: ListenConfig) -> None:
        self._listen = listen
        self.name = f"port {listen.http_port} (page, API)"

    async def check(self) -> Sequence[Check]:
        """See SelfCheck. A running service holds it itself: it counts as in use then."""
        reason = _why_not(self._listen.address, self._listen.http_port)
        if not reason:
            return [Check(self.name, ok=True, found="free")]
        mend = f"end what uses it (sudo ss -lptn 'sport = :{self._listen.http_port}'), or change listen.http_port"
        if "assign" in reason:
            mend = f"{self._listen.address} is no address of this machine: change listen.address"
        return [Check(self.name, ok=False, found=reason, mend=mend)]


def _why_not(address: str, port: int) -> str:
    """Why a TCP port cannot be listened on; empty if it can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: connections that have just ended do not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.strerror or "cannot be used"
    return ""


async def service_runs(listen: ListenConfig) -> bool:
    """True if a livecam-nvr answers at the configured place."""
    ip = ip_address(listen.address)
    host = str(ip) if not ip.is_unspecified else "::1" if ":" in listen.address else "127.0.0.1"
    try:
        async with asyncio.timeout(2.0):
            reader, writer = await asyncio.open_connection(host, listen.http_port)
            try:
                writer.write(b"GET /api/status HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                _, _, body = (await reader.read(1_000_000)).partition(b"\r\n\r\n")
                while more := await reader.read(1_000_000):
                    body += more
            finally:
                writer.close()
        status = json.loads(body)
    except (OSError, TimeoutError, ValueError):
        return False
    return isinstance(status, dict) and {"cameras", "media_server", "broker"} <= status.keys()


class CameraCheck:
    """The camera delivers video."""

    def __init__(self, camera: Camera, listen: ListenConfig) -> None:
        self.name = f"camera {camera.id}"
        self._camera = camera
        self._listen = listen

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        camera = self._camera
        if isinstance(camera, V4l2Camera) and await service_runs(self._listen):
            # A USB camera serves one program at a time.
            return [Check(self.name, ok=True, found="in the hands of the livecam-nvr that is running")]
        try:
            code, said = await _output(_probe(camera))
        except TimeoutError:
            found = f"no picture within {_PATIENCE_S:.0f} s"
            return [Check(self.name, ok=False, found=found, mend="check its power, network and address")]
        except LivecamError as missing:
            return [Check(self.name, ok=False, found=missing.message, mend=_INSTALL_FFMPEG)]
        if code:
            error = diagnose(said.splitlines(), code)
            return [Check(self.name, ok=False, found=error.message, mend=error.hint)]
        streams = json.loads(said).get("streams")
        if not streams:
            mend = "check its address; it may be of the sound alone"
            return [Check(self.name, ok=False, found="it sends no video", mend=mend)]
        return [Check(self.name, ok=True, found=_described(camera, streams[0]))]


def _probe(camera: Camera) -> list[str]:
    """A command that opens the camera just as the service does, and looks at its first picture."""
    given = source(camera)
    # ffprobe takes what it is given as fast as it comes and knows no loops.
    options = {key: value for key, value in given.options.items() if key not in {"re", "stream_loop"}}
    words = [word for key, value in options.items() for word in (f"-{key}", value) if word is not None]
    show = ["-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height", "-of", "json"]
    return ["ffprobe", "-v", "error", *words, *show, "-i", given.url]


def _described(camera: Camera, stream: dict[str, Any]) -> str:
    codec = "test picture" if camera.kind == "test" else stream.get("codec_name", "video")
    return f"{codec}, {stream.get('width', '?')}x{stream.get('height', '?')}"


async def _output(argv: Sequence[str]) -> tuple[int, str]:
    """Exit status, and what it printed: stdout if it went well, else its last words (redacted).

    Raises:
        LivecamError: UNAVAILABLE if it is not installed.
        TimeoutError: If it is not done in time.
    """
    out = bytearray()
    child = await spawn(argv, name=argv[0], on_stdout=out.extend)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            code = await child.wait()
    finally:
        await child.stop()
    return code, "\n".join(child.last_lines) if code else out.decode("utf-8", "replace")
