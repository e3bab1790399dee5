"""JPEG pictures of the live streams, decoded only when somebody asks (core.ports.Pictures)."""

import asyncio
from collections.abc import AsyncIterator

from livecam_nvr.domain.media import Fragment
from livecam_nvr.media.decode import decode, newest_keyframe
from livecam_nvr.media.hub import CameraStreams
from livecam_nvr.media.mjpeg import SharedMjpeg


class StreamPictures:
    """Snapshots and MJPEG of all cameras. `stop()` ends the decoders that run."""

    def __init__(self, streams: CameraStreams) -> None:
        self._streams = streams
        self._mjpeg: dict[str, SharedMjpeg] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._cache: dict[tuple[str, int | None], tuple[int, bytes]] = {}

    async def stop(self) -> None:
        """Ends all decoders; idempotent."""
        await asyncio.gather(*(shared.stop() for shared in self._mjpeg.values()))

    async def forget(self, camera_id: str) -> None:
        """The camera was taken out of the service: ends its decoder and drops its pictures."""
        self._locks.pop(camera_id, None)
        for key in [key for key in self._cache if key[0] == camera_id]:
            del self._cache[key]
        if (shared := self._mjpeg.pop(camera_id, None)) is not None:
            await shared.stop()

    async def snapshot(self, camera_id: str, *, max_height: int | None = None) -> bytes:
        """See core.ports.Pictures."""
        hub = self._streams.hub(camera_id)
        async with self._locks.setdefault(camera_id, asyncio.Lock()):
            keyframe = newest_keyframe(hub)
            cached = self._cache.get((camera_id, max_height))
            if cached is not None and cached[0] == keyframe.number:
                return cached[1]
            picture = await _jpeg(keyframe, max_height)
            # One entry per camera for the usual full size and one for whatever was asked last: bounded.
            for key in [k for k in self._cache if k[0] == camera_id and k[1] is not None]:
                del self._cache[key]
            self._cache[camera_id, max_height] = (keyframe.number, picture)
            return picture

    def mjpeg(self, camera_id: str) -> AsyncIterator[bytes]:
        """See core.ports.Pictures."""
        hub = self._streams.hub(camera_id)
        if camera_id not in self._mjpeg:
            self._mjpeg[camera_id] = SharedMjpeg(hub)
        return self._mjpeg[camera_id].watch()


async def _jpeg(keyframe: Fragment, max_height: int | None) -> bytes:
    scale = [] if max_height is None else ["-vf", f"scale=-2:'min({max_height},ih)'"]
    # full range and 4:2:0 is what JPEG viewers expect
    form = ["-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe"]
    return await decode(keyframe, [*scale, *form])
