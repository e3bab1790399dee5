"""What stands between a camera and its ffmpeg: one feed a kind, which says how ffmpeg opens the camera now."""

import asyncio
import logging
from typing import Protocol

from livecam_nvr.config.models import (
    Camera,
    EncodedCamera,
    FileCamera,
    Picamera2Camera,
    RtspCamera,
    TestCamera,
    V4l2Camera,
)
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.quality import Quality
from livecam_nvr.media.drawing import drawn_filters
from livecam_nvr.media.drills import drilled, refuse_if_disconnected
from livecam_nvr.media.fonts import Fonts
from livecam_nvr.media.microphone import Microphone
from livecam_nvr.media.own_sound import OwnSound
from livecam_nvr.media.picam.feed import PicameraFeed
from livecam_nvr.media.probe import video_codec
from livecam_nvr.media.quality import with_quality
from livecam_nvr.media.sources import Source, file_source, rtsp_source, testcard_source
from livecam_nvr.media.v4l2.formats import source_of
from livecam_nvr.media.v4l2.prepare import appears, prepare

_log = logging.getLogger(__name__)


class Feed(Protocol):
    """One camera, in front of its ffmpeg. `open` is called for each run, `close` once at the end."""

    async def open(self, quality: Quality | None) -> Source:
        """How ffmpeg opens the camera now; `quality` is None where it cannot be changed.

        Raises:
            LivecamError: UNAVAILABLE if the camera is away, MEDIA if it sends what cannot be used.
        """

    @property
    def encoder(self) -> str:
        """What encodes the pictures in front of ffmpeg; empty if nothing does."""

    @property
    def phase_ms(self) -> float | None:
        """How far its frames are from the moments that lined-up cameras share; None if it does not line up."""

    @property
    def broken(self) -> asyncio.Future[LivecamError] | None:
        """Done when something in front of ffmpeg failed, with why; None if there is nothing in front of it."""

    async def returns(self) -> None:
        """Ends when a camera that failed is worth another try at once; for most kinds that is never known."""

    async def close(self) -> None:
        """The camera is not wanted any more; idempotent."""


def feed_for(camera: Camera, fonts: Fonts | None = None) -> Feed:
    """The feed of a camera; says so if its stream, which could be copied, is to be encoded.

    Args:
        camera: As configured.
        fonts: What several cameras have found out together about this machine's; None: it finds out for itself.
    """
    fonts = fonts or Fonts()
    if camera.drawn and not isinstance(camera, EncodedCamera):
        _log.info(
            "%s: it is encoded here and not copied, for overlay or masks: that costs about as much as a camera"
            " without a stream of its own",
            camera.id,
        )
    match camera:
        case TestCamera():
            return _TestFeed(camera, fonts)
        case RtspCamera():
            return _RtspFeed(camera, fonts)
        case FileCamera():
            return _FileFeed(camera, fonts)
        case V4l2Camera():
            return _V4l2Feed(camera, fonts)
        case Picamera2Camera():
            return PicameraFeed(camera)


class PlainFeed:
    """A camera that ffmpeg opens by itself."""

    encoder = ""
    phase_ms: float | None = None
    broken: asyncio.Future[LivecamError] | None = None

    async def returns(self) -> None:
        """Never: nothing tells."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Nothing to end."""


class _TestFeed(PlainFeed):
    def __init__(self, camera: TestCamera, fonts: Fonts) -> None:
        self._camera = camera
        self._fonts = fonts
        self._began_s: float | None = None

    async def open(self, quality: Quality | None) -> Source:
        now_s = asyncio.get_running_loop().time()
        if self._began_s is None:
            self._began_s = now_s
        drills, elapsed_s = self._camera.drills, now_s - self._began_s
        refuse_if_disconnected(drills, elapsed_s)
        source = testcard_source(with_quality(self._camera, quality))
        return drilled(await self._fonts.fit(source, self._camera.id), drills, elapsed_s)


class _RtspFeed(PlainFeed):
    def __init__(self, camera: RtspCamera, fonts: Fonts) -> None:
        self._camera = camera
        self._fonts = fonts
        self._sound = OwnSound(camera.id, "the camera") if camera.sound else None

    async def open(self, quality: Quality | None) -> Source:  # noqa: ARG002 - the port's signature
        source = await self._fonts.fit(rtsp_source(self._camera), self._camera.id)
        return await self._sound.join(source) if self._sound else source


class _FileFeed(PlainFeed):
    def __init__(self, camera: FileCamera, fonts: Fonts) -> None:
        self._camera = camera
        self._fonts = fonts
        self._sound = OwnSound(camera.id, str(camera.path)) if camera.sound else None

    async def open(self, quality: Quality | None) -> Source:  # noqa: ARG002 - the port's signature
        source = file_source(self._camera, await video_codec(self._camera.path))
        source = await self._fonts.fit(source, self._camera.id)
        return await self._sound.join(source) if self._sound else source


class _V4l2Feed:
    encoder = ""
    phase_ms: float | None = None

    def __init__(self, camera: V4l2Camera, fonts: Fonts) -> None:
        self._camera = camera
        self._fonts = fonts
        self._remark = ""
        self._microphone = Microphone(camera.id, camera.microphone) if camera.sound else None

    async def open(self, quality: Quality | None) -> Source:
        camera = with_quality(self._camera, quality)
        size = (camera.width, camera.height)
        copy = not camera.drawn
        plan = await prepare(camera.device, size, camera.fps, camera.format, camera.controls, copy=copy)
        if plan.remark and plan.remark != self._remark:
            _log.warning("%s: %s", camera.id, plan.remark)
        self._remark = plan.remark
        source = source_of(plan, str(camera.device), camera.bitrate_kbps, drawn_filters(camera))
        source = await self._fonts.fit(source, camera.id)
        return await self._microphone.join(source, "monotonic") if self._microphone else source

    @property
    def broken(self) -> asyncio.Future[LivecamError] | None:
        return self._microphone.broken if self._microphone else None

    async def returns(self) -> None:
        await appears(self._camera.device)

    async def close(self) -> None:
        if self._microphone:
            await self._microphone.close()
