"""JPEG pictures of stored keyframes, decoded when somebody looks at them (core.past.PastPictures)."""

import asyncio
import itertools
from collections import OrderedDict

from livecam_nvr.core.past import Keyframe
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment
from livecam_nvr.media.decode import decode
from livecam_nvr.media.fragments import FragmentReader

_CACHE_BYTES = 16 << 20
_AT_ONCE = 2  # more would take the processor from the cameras that are encoded
_JPEG = ["-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe"]

_Key = tuple[str, int, int | None]
"""Camera, time of the keyframe, height."""


class _Work:
    """A picture being made, and how many wait for it."""

    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task = task
        self.waiting = 0


class DecodedPast:
    """Makes each picture once for all who ask for it at the same time, and keeps the last (`cache_bytes` at most).

    A picture that nobody waits for any more is given up: a pointer that is drawn over a timeline asks for many.
    `stop()` ends the decoders that run.
    """

    def __init__(self, cache_bytes: int = _CACHE_BYTES) -> None:
        self._cache_bytes = cache_bytes
        self._cache: OrderedDict[_Key, bytes] = OrderedDict()
        self._held_bytes = 0
        self._making: dict[_Key, _Work] = {}
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def stop(self) -> None:
        """Ends all decoders; idempotent."""
        tasks = [work.task for work in self._making.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def jpeg(self, camera_id: str, keyframe: Keyframe, *, max_height: int | None = None) -> bytes:
        """See core.past.PastPictures."""
        key = camera_id, keyframe.utc_ns, max_height
        if (picture := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return picture
        work = self._making.get(key)
        if work is None:
            task = asyncio.create_task(self._make(key, keyframe), name=f"a past picture of {camera_id}")
            work = self._making[key] = _Work(task)
            task.add_done_callback(lambda _: self._done(key, work))
        work.waiting += 1
        try:
            await asyncio.wait([work.task])
        finally:
            work.waiting -= 1
            if not work.waiting and not work.task.done():
                # Whoever asks for it from now on must not wait for a task that ends.
                self._done(key, work)
                work.task.cancel()
        if work.task.cancelled():
            raise LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")
        return work.task.result()

    def _done(self, key: _Key, work: _Work) -> None:
        if self._making.get(key) is work:
            del self._making[key]

    async def _make(self, key: _Key, keyframe: Keyframe) -> bytes:
        fragment = _fragment(keyframe)
        height = key[2]
        scale = [] if height is None else ["-vf", f"scale=-2:'min({height},ih)'"]
        async with self._free:
            picture = await decode(fragment, [*scale, *_JPEG])
        self._keep(key, picture)
        return picture

    def _keep(self, key: _Key, picture: bytes) -> None:
        if len(picture) > self._cache_bytes:
            return
        self._cache[key] = picture
        self._held_bytes += len(picture)
        while self._held_bytes > self._cache_bytes:
            _, oldest = self._cache.popitem(last=False)
            self._held_bytes -= len(oldest)


def _fragment(keyframe: Keyframe) -> Fragment:
    reader = FragmentReader(itertools.count(), lambda _time_s, _duration_s: (0.0, keyframe.utc_ns))
    found = reader.feed(keyframe.data)
    if not found:
        raise LivecamError(ErrorKind.MEDIA, "the stored picture is not whole", "`livecam-nvr verify` checks files")
    return found[0]
