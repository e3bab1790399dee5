"""What `doctor` looks at besides the service's own parts: Python, ffmpeg, the page's port, cameras."""

import asyncio
import re
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final

from livecam_nvr.config.models import Camera, Config, ListenConfig
from livecam_nvr.core.ports import Check, SelfCheck
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.media.hardware import choose
from livecam_nvr.media.tryout import try_camera
from livecam_nvr.runtime.process import spawn

_PATIENCE_S: Final = 10.0
_OLDEST_PYTHON: Final = (3, 11)
_OLDEST_FFMPEG: Final = (5, 1)
_INSTALL_FFMPEG: Final = "sudo apt install ffmpeg fonts-dejavu-core"


def machine_checks() -> Sequence[SelfCheck]:
    """What can be looked at without a config."""
    return (PythonCheck(), FfmpegCheck())


def config_checks(config: Config, running: dict[str, Any] | None) -> Sequence[SelfCheck]:
    """The page's port and the cameras of a config.

    `running` is the status of the service, if it runs; it tells nothing of the cameras' smaller streams.
    """
    streams = config.streams if running is None else [camera for camera in config.cameras if camera.enabled]
    cameras = (CameraCheck(camera, config.encoding.encoder, running) for camera in streams)
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


class CameraCheck:
    """The camera delivers video.

    Args:
        camera: As configured.
        encoder: As in the config.
        running: The status of the service that runs, which has the camera: most serve one program at a time.
    """

    def __init__(self, camera: Camera, encoder: str = "x264", running: dict[str, Any] | None = None) -> None:
        self.name = f"camera {camera.id}"
        self._camera = camera
        self._encoder = encoder
        self._running = running

    async def check(self) -> Sequence[Check]:
        """See SelfCheck."""
        for told in (self._running or {}).get("cameras", ()):
            if told.get("id") == self._camera.id:
                return [self._as_told(told)]
        try:
            seen = await try_camera(self._camera, await choose(self._encoder))
        except LivecamError as error:
            return [Check(self.name, ok=False, found=error.message, mend=error.hint)]
        codec = "test picture" if self._camera.kind == "test" else seen.codec
        return [Check(self.name, ok=True, found=_described(codec, seen.width, seen.height, seen.fps))]

    def _as_told(self, told: dict[str, Any]) -> Check:
        """What the service that runs says of it."""
        fault = told.get("fault") or {}
        if told.get("state") not in ("LIVE", "DELAY"):
            found = fault.get("message") or "it is being opened"
            return Check(
                self.name, ok=False, found=f"{found} (says the livecam-nvr that runs)", mend=fault.get("hint", "")
            )
        found = _described(
            told.get("codec", ""), told.get("width", 0), told.get("height", 0), told.get("fps", 0.0)
        )
        return Check(self.name, ok=True, found=f"{found}, in the livecam-nvr that runs")


def _described(codec: str, width: int, height: int, fps: float) -> str:
    return f"{codec}, {width}x{height}, {fps:.3g} frames a second"


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
