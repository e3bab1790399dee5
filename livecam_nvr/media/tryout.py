"""Opens a camera just as the service does, for a look at what it sends."""

import asyncio
from dataclasses import dataclass

from livecam_nvr.config.models import Camera
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import CameraState
from livecam_nvr.media.encoding import X264, Encoder
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.runtime.clock import SystemClock

_PATIENCE_S = 18.0  # a pipeline itself waits 15 s for a first frame, and then says what to check
_WATCHED_S = 1.0  # enough to count frames, and for a camera to find its exposure
_LOOK_EVERY_S = 0.05
_KEPT_S = 3.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What a camera sent."""

    codec: str
    """Of its video, RFC 6381."""
    width: int
    height: int
    fps: float
    audio_codec: str
    """RFC 6381; empty without sound."""
    picture: bytes = b""
    """JPEG; empty if none was asked for."""


async def try_camera(camera: Camera, encoder: Encoder = X264, *, picture: bool = False) -> Tried:
    """What comes from `camera` within the first second; it is closed again when this returns.

    Args:
        camera: As configured.
        encoder: What encodes it, where that is needed.
        picture: Whether a picture is wanted, too.

    Raises:
        LivecamError: The first fault; UNAVAILABLE if nothing happens at all.
    """
    hub = MemoryHub(camera.id, _KEPT_S)
    pipeline = CameraPipeline(
        camera, feed_for(camera), hub, target=None, bus=EventBus(), clock=SystemClock(), encoder=encoder
    )
    pipeline.start()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await _first(pipeline)
            await asyncio.sleep(_WATCHED_S)
            await _first(pipeline)
        jpeg = await _jpeg(hub) if picture else b""
        return _seen(hub, jpeg)
    except TimeoutError:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"no video came within {_PATIENCE_S:.0f} s", "check its power and its cable"
        ) from None
    finally:
        await pipeline.stop()
        hub.close()


async def _first(pipeline: CameraPipeline) -> None:
    """Returns when frames are in memory; raises the pipeline's fault."""
    while not pipeline.hub.ring:
        fault = pipeline.fault
        if fault is not None:
            kind = ErrorKind.UNAVAILABLE if pipeline.state is CameraState.OFFLINE else ErrorKind.MEDIA
            raise LivecamError(kind, fault.message, fault.hint)
        await asyncio.sleep(_LOOK_EVERY_S)


def _seen(hub: MemoryHub, picture: bytes) -> Tried:
    ring = hub.ring
    init = ring[-1].init
    video = init.video
    run = [fragment for fragment in ring if fragment.init is init]
    ticks = sum(fragment.duration for fragment in run)
    fps = sum(fragment.frames for fragment in run) * video.timescale / ticks if ticks else 0.0
    audio = next((track.codec for track in init.tracks if track.kind == "audio"), "")
    return Tried(video.codec, video.width, video.height, fps, audio, picture)


async def _jpeg(hub: MemoryHub) -> bytes:
    pictures = StreamPictures(CameraStreams([hub]))
    try:
        return await pictures.snapshot(hub.camera_id)
    finally:
        await pictures.stop()
