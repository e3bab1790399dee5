"""JPEG pictures of the live streams, decoded only when somebody asks (core.ports.Pictures)."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment, base_times, rebased
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.mjpeg import SharedMjpeg
from livecam_nvr.runtime.process import spawn

_PATIENCE_S = 8.0
_STALE_S = 30.0


class StreamPictures:
    """Snapshots and MJPEG of all cameras. `stop()` ends the decoders that run."""

    def __init__(self, streams: CameraStreams) -> None:
        self._streams = streams
        self._mjpeg = {camera_id: SharedMjpeg(streams.hub(camera_id)) for camera_id in streams.ids()}
        self._locks = {camera_id: asyncio.Lock() for camera_id in streams.ids()}
        self._cache: dict[tuple[str, int | None], tuple[int, bytes]] = {}

    async def stop(self) -> None:
        """Ends all decoders; idempotent."""
        await asyncio.gather(*(shared.stop() for shared in self._mjpeg.values()))

    async def snapshot(self, camera_id: str, *, max_height: int | None = None) -> bytes:
        """See core.ports.Pictures."""
        hub = self._streams.hub(camera_id)
        async with self._locks[camera_id]:
            keyframe = await _newest_keyframe(hub)
            cached = self._cache.get((camera_id, max_height))
            if cached is not None and cached[0] == keyframe.number:
                return cached[1]
            picture = await _decode(keyframe, max_height)
            # One entry per camera for the usual full size and one for whatever was asked last: bounded.
            for key in [k for k in self._cache if k[0] == camera_id and k[1] is not None]:
                del self._cache[key]
            self._cache[camera_id, max_height] = (keyframe.number, picture)
            return picture

    def mjpeg(self, camera_id: str) -> AsyncIterator[bytes]:
        """See core.ports.Pictures."""
        self._streams.hub(camera_id)
        return self._mjpeg[camera_id].watch()


async def _newest_keyframe(hub: MemoryHub) -> Fragment:
    """The newest keyframe of a stream that runs.

    Raises:
        LivecamError: UNAVAILABLE if the camera has no picture now.
    """
    gop: Sequence[Fragment] = hub.newest_gop()
    if not gop:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"{hub.camera_id} has no picture now", "see its state in /api/status"
        )
    return gop[0]


async def _decode(keyframe: Fragment, max_height: int | None) -> bytes:
    scale = [] if max_height is None else ["-vf", f"scale=-2:'min({max_height},ih)'"]
    # full range and 4:2:0 is what JPEG viewers expect
    output = ["-frames:v", "1", *scale, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe"]
    argv = ["ffmpeg", "-v", "error", "-threads", "1", "-f", "mp4", "-i", "pipe:0", *output, "pipe:1"]
    picture = bytearray()
    child = await spawn(argv, name="snapshot", stdin=True, on_stdout=picture.extend)
    try:
        child.write(keyframe.init.data)
        for piece in rebased(keyframe, base_times(keyframe)):
            child.write(bytes(piece))
        child.close_stdin()
        async with asyncio.timeout(_PATIENCE_S):
            await child.wait()
    except TimeoutError:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, "the picture could not be decoded in time", "try again"
        ) from None
    finally:
        await child.stop()
    if not picture:
        said = child.last_lines[-1] if child.last_lines else "no reason given"
        raise LivecamError(ErrorKind.MEDIA, f"the picture could not be decoded: {said}", "is the stream damaged?")
    return bytes(picture)
