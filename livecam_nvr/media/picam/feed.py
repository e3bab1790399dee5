"""A Raspberry Pi camera in front of its ffmpeg: keeps the child process, which stays open from run to run."""

import asyncio
import contextlib
import logging
import os

from livecam_nvr.config.models import Picamera2Camera
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.quality import Quality
from livecam_nvr.media.microphone import Microphone
from livecam_nvr.media.picam.facts import CaptureSettings
from livecam_nvr.media.picam.process import PicameraChild
from livecam_nvr.media.quality import with_quality
from livecam_nvr.media.sources import Source
from livecam_nvr.runtime.clock import Clock, SystemClock

_log = logging.getLogger(__name__)

# The stream is ours: its header says all, and its frames come one by one.
_INPUT: dict[str, str | None] = {"f": "matroska", "probesize": "32", "analyzeduration": "0"}


class PicameraFeed:
    """See media.feeds.Feed. A new run of ffmpeg gets a new pipe; the camera is only opened anew when it failed."""

    def __init__(self, camera: Picamera2Camera, clock: Clock | None = None) -> None:
        self._camera = camera
        self._clock = clock or SystemClock()
        self._child: PicameraChild | None = None
        self._microphone = Microphone(camera.id, camera.microphone) if camera.sound else None
        self._broken: asyncio.Future[LivecamError] | None = None
        self.encoder = ""
        """What encodes it, as the status tells it."""

    @property
    def broken(self) -> asyncio.Future[LivecamError] | None:
        """See Feed."""
        return self._broken

    @property
    def phase_ms(self) -> float | None:
        """How far its frames are from the grid that the lined-up cameras share."""
        return self._child.beat.phase_ms if self._child is not None else None

    async def open(self, quality: Quality | None) -> Source:
        """See Feed."""
        camera = with_quality(self._camera, quality)
        if self._child is not None and self._child.failed.done():
            await self._stop_child()
        if self._child is None:
            self._child = await self._opened()
        recording = await self._child.record(_settings(camera))
        if recording.size != (camera.width, camera.height):
            width, height = recording.size
            _log.warning("%s: it gives %dx%d and not %s", camera.id, width, height, camera.size)
        self.encoder = recording.encoder
        source = Source(
            url=f"pipe:{recording.read_fd}", options=dict(_INPUT), fds=(recording.read_fd,), tag="avc1"
        )
        self._broken = asyncio.get_running_loop().create_future()
        if self._child.failed.done():
            self._break(self._child.failed)
        if self._microphone is None:
            return source
        try:
            source = await self._microphone.join(source, "wall")
        except BaseException:
            os.close(recording.read_fd)
            raise
        if self._microphone.broken is not None:
            self._microphone.broken.add_done_callback(self._break)
        return source

    async def returns(self) -> None:
        """Never: nothing tells when a ribbon is plugged in, which needs the power off anyway."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """See Feed."""
        if self._microphone is not None:
            await self._microphone.close()
        await self._stop_child()

    async def _opened(self) -> PicameraChild:
        camera = self._camera
        child = PicameraChild(
            camera.id, camera.camera, camera.tuning_file, self._clock, stall_s=camera.stall_seconds
        )
        try:
            await child.open()
        except BaseException:
            await child.stop()
            raise
        child.failed.add_done_callback(self._break)
        return child

    async def _stop_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    def _break(self, failed: asyncio.Future[LivecamError]) -> None:
        if self._broken is not None and not self._broken.done():
            with contextlib.suppress(asyncio.CancelledError):
                self._broken.set_result(failed.result())


def _settings(camera: Picamera2Camera) -> CaptureSettings:
    return CaptureSettings(
        size=(camera.width, camera.height),
        fps=camera.fps,
        bitrate_kbps=camera.bitrate_kbps,
        rotation=camera.rotation,
        hflip=camera.hflip,
        vflip=camera.vflip,
        exposure_us=camera.exposure_us,
        gain=camera.gain,
        white_balance=camera.white_balance,
        focus=camera.focus,
        preset=camera.preset,
        line_up=camera.line_up,
        masks=camera.masks,
        title=camera.title if camera.overlay else None,
    )
