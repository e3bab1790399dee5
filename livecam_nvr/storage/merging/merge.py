"""Merges the finished files of each slot of the clock into one that takes their place (recording.archive_minutes).

The media bytes are written a second time, slowly, by a thread that pauses after each step: recording never waits
for it.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.index.rows import put, remove
from livecam_nvr.storage.merging.merge_file import Source, alike, merge, source
from livecam_nvr.storage.merging.merge_plan import groups, slot_end_ns
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_GRACE_S = 60
_LOOK_EVERY_S = 10.0
_LOOK_BACK_NS = 86_400 * NS
# A quarter of the time it works, the rest it leaves the disk and Python's lock to the recording.
_PAUSES = 3.0
_LONGEST_PAUSE_S = 0.5
_STEPS_PER_PAUSE = 200  # of those that move nothing: looking at a fragment that lies in memory


class StoppedError(Exception):
    """The service stops, or the merger is to give way."""


class Merger:
    """Merges what `index` knows of `cameras` in the archive `root`.

    Args:
        root: The archive.
        index: Tells what is finished, and is told what was merged.
        clock: The time.
        cameras: Their ids.
        minutes: The slots' length; an hour can be divided by it.
        segment_s: How long a file of the recording may be.
        floor_bytes: With less free space than this nothing is merged: for a moment everything is there twice.
        on_merged: Told of each file that took others' place, on the loop, after they were deleted.
    """

    def __init__(
        self,
        root: Path,
        index: Index,
        clock: Clock,
        cameras: Sequence[str],
        *,
        minutes: int,
        segment_s: float,
        floor_bytes: int = 0,
        on_merged: Callable[[Segment, Sequence[Segment]], None] = lambda _merged, _of: None,
    ) -> None:
        self._root = root
        self._index = index
        self._clock = clock
        self._minutes = minutes
        self._grace_ns = round((_GRACE_S + segment_s) * NS)
        self._floor_bytes = floor_bytes
        self._on_merged = on_merged
        self._from: dict[str, int] = dict.fromkeys(cameras, 0)
        self._hopeless: set[str] = set()
        self._stop = Event()
        self._told = ""
        self._task: asyncio.Task[None] | None = None
        # Not asyncio's own threads: it would take one of a few for minutes.
        self._thread = ThreadPoolExecutor(1, "merger")

    def configure(self, cameras: Sequence[str], *, segment_s: float, floor_bytes: int) -> None:
        """These are the cameras, the length of their files and the space to leave from now on."""
        self._from = {camera_id: self._from.get(camera_id, 0) for camera_id in cameras}
        self._grace_ns = max(self._grace_ns, round((_GRACE_S + segment_s) * NS))
        self._floor_bytes = floor_bytes

    async def start(self) -> None:
        """Begins to look for what can be merged, also of the last day."""
        self._task = asyncio.create_task(self._run(), name="merger")

    async def stop(self) -> None:
        """Gives up what is being merged; idempotent."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await asyncio.to_thread(self._thread.shutdown)

    async def merge_due(self) -> int:
        """Merges all slots that ended long enough ago; returns how many files were made.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
            StoppedError: `stop` was called.
        """
        made = 0
        finished_ns = self._clock.utc_ns() - self._grace_ns
        # Whole slots are asked for: part of one would be merged as if it were all of it.
        lasting_ns = self._slot_begin(finished_ns)
        for camera_id, since_ns in tuple(self._from.items()):
            begin_ns = max(since_ns, self._slot_begin(finished_ns - _LOOK_BACK_NS))
            if begin_ns >= lasting_ns:
                continue
            found = await self._index.between(camera_id, begin_ns, lasting_ns)
            whole = (one for one in found if one.start_utc_ns >= begin_ns)
            postponed = False
            for group in groups(whole, self._minutes, finished_ns):
                if group[0].path not in self._hopeless:
                    number = await self._group(group)
                    made += number or 0
                    postponed |= number is None
            if not postponed:
                self._from[camera_id] = lasting_ns
        return made

    def _slot_begin(self, utc_ns: int) -> int:
        end = slot_end_ns(utc_ns, self._clock.utc_offset_s(utc_ns), self._minutes)
        return end - self._minutes * 60 * NS

    async def _run(self) -> None:
        while True:
            try:
                await self.merge_due()
            except StoppedError:
                return
            except LivecamError as error:
                self._say(f"nothing can be merged now: {error.message}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _group(self, group: Sequence[Segment]) -> int | None:
        """Merges it, into one file for each format in it; None if that is to be tried again."""
        loop = asyncio.get_running_loop()
        made = 0
        try:
            for sources in await loop.run_in_executor(self._thread, self._look, group):
                merged = await loop.run_in_executor(self._thread, self._merge, sources)
                of = [one.segment for one in sources]
                changes = [statement for one in of for statement in remove(one.path)]
                self._index.apply([*put(merged), *changes])
                await self._index.flush()
                await loop.run_in_executor(self._thread, self._delete, of)
                _log.info("%s", in_figures(merged, of, self._minutes))
                self._on_merged(merged, of)
                made += 1
        except BoxError as error:
            self._hopeless.add(group[0].path)
            _log.warning("%s and what follows it cannot be merged, and stays as it is: %s", group[0].path, error)
        except OSError as error:
            self._say(f"nothing can be merged now: {in_words(error, str(error.filename or self._root))}")
            return None
        return made

    def _look(self, group: Sequence[Segment]) -> list[list[Source]]:
        return alike([source(self._root, one) for one in group])

    def _merge(self, sources: Sequence[Source]) -> Segment:
        needed = sum(one.segment.bytes for one in sources)
        if shutil.disk_usage(self._root).free - needed < self._floor_bytes:
            raise OSError(f"the disk has no room for {needed / 1e6:.0f} MB more")
        return merge(self._root, sources, self._minutes, _Pace(self._stop))

    def _delete(self, of: Sequence[Segment]) -> None:
        for one in of:
            (self._root / one.path).unlink(missing_ok=True)
        for folder in {(self._root / one.path).parent for one in of}:
            sync_dir(folder)

    def _say(self, words: str) -> None:
        if words != self._told:
            self._told = words
            _log.warning("%s", words)


def in_figures(merged: Segment, of: Sequence[Segment], minutes: int) -> str:
    """`cam0 10:00-10:10: 18 000 frames = 10.0 min at 30 fps, 20 segments merged`."""
    local = datetime.fromtimestamp(merged.start_utc_ns // NS, UTC) + timedelta(seconds=merged.utc_offset_s)
    begin = local.replace(minute=local.minute // minutes * minutes)
    end = begin + timedelta(minutes=minutes)
    seconds = merged.duration_ns / NS
    rate = f"{merged.frames / seconds:.2f}".rstrip("0").rstrip(".") if seconds else "0"
    frames = f"{merged.frames:,}".replace(",", " ")
    length = f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"  # noqa: PLR2004 - a minute
    return (
        f"{merged.camera_id} {begin:%H:%M}-{end:%H:%M}: {frames} frames = {length} at {rate} fps, "
        f"{len(of)} segments merged"
    )


class _Pace:
    """Pauses after each step for some times as long as it took."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._since = time.monotonic()
        self._small = 0

    def __call__(self, moved: int) -> None:
        """See merge_file.Pace. Raises StoppedError."""
        if not moved:
            self._small += 1
            if self._small < _STEPS_PER_PAUSE:
                return
            self._small = 0
        took = time.monotonic() - self._since
        if self._stop.wait(min(_LONGEST_PAUSE_S, _PAUSES * took)):
            raise StoppedError
        self._since = time.monotonic()
