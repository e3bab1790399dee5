"""What stands between a camera and its ffmpeg: one feed a kind, which says how ffmpeg opens the camera now."""

import asyncio
from typing import Protocol, TypeVar

from livecam_nvr.config.models import Camera, EncodedCamera, FileCamera, RtspCamera, TestCamera, V4l2Camera
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.quality import Quality, size_for
from livecam_nvr.media.probe import video_codec
from livecam_nvr.media.sources import Source, file_source, rtsp_source, testcard_source, v4l2_source

AnyEncoded = TypeVar("AnyEncoded", bound=EncodedCamera)


class Feed(Protocol):
    """One camera, in front of its ffmpeg. `open` is called for each run, `close` once at the end."""

    async def open(self, quality: Quality | None) -> Source:
        """How ffmpeg opens the camera now; `quality` is None where it cannot be changed.

        Raises:
            LivecamError: UNAVAILABLE if the camera is away, MEDIA if it sends what cannot be used.
        """

    @property
    def broken(self) -> asyncio.Future[LivecamError] | None:
        """Done when something in front of ffmpeg failed, with why; None if there is nothing in front of it."""

    async def returns(self) -> None:
        """Ends when a camera that failed is worth another try at once; for most kinds that is never known."""

    async def close(self) -> None:
        """The camera is not wanted any more; idempotent."""


def feed_for(camera: Camera) -> Feed:
    """The feed of a camera."""
    match camera:
        case TestCamera():
            return _TestFeed(camera)
        case RtspCamera():
            return _RtspFeed(camera)
        case FileCamera():
            return _FileFeed(camera)
        case V4l2Camera():
            return _V4l2Feed(camera)
        case _:
            raise NotImplementedError


class PlainFeed:
    """A camera that ffmpeg opens by itself."""

    broken: asyncio.Future[LivecamError] | None = None

    async def returns(self) -> None:
        """Never: nothing tells."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Nothing to end."""


class _TestFeed(PlainFeed):
    def __init__(self, camera: TestCamera) -> None:
        self._camera = camera

    async def open(self, quality: Quality | None) -> Source:
        return testcard_source(with_quality(self._camera, quality))


class _RtspFeed(PlainFeed):
    def __init__(self, camera: RtspCamera) -> None:
        self._camera = camera

    async def open(self, quality: Quality | None) -> Source:  # noqa: ARG002 - the port's signature
        return rtsp_source(self._camera)


class _FileFeed(PlainFeed):
    def __init__(self, camera: FileCamera) -> None:
        self._camera = camera

    async def open(self, quality: Quality | None) -> Source:  # noqa: ARG002 - the port's signature
        return file_source(self._camera, await video_codec(self._camera.path))


class _V4l2Feed(PlainFeed):
    def __init__(self, camera: V4l2Camera) -> None:
        self._camera = camera

    async def open(self, quality: Quality | None) -> Source:
        return v4l2_source(with_quality(self._camera, quality))


def with_quality(camera: AnyEncoded, quality: Quality | None) -> AnyEncoded:
    """The camera as if its config asked for `quality`."""
    if quality is None:
        return camera
    width, height = size_for(quality.height, (camera.width, camera.height))
    return camera.model_copy(update={"size": f"{width}x{height}", "fps": quality.fps})
