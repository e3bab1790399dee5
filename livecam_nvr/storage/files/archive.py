"""The recordings folder as the event loop sees it (core.ports.Archive): nothing here waits for the disk."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.disk import DiskLoad
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import DiskTrouble
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.files.sync_thread import SyncThread
from livecam_nvr.storage.files.writer_thread import Job, Lane, WriterThread
from livecam_nvr.storage.own_thread import in_own_thread, within
from livecam_nvr.storage.place.disk import PATIENCE_S, trouble_of
from livecam_nvr.storage.place.lock import ArchiveLock
from livecam_nvr.storage.place.marker import Marker, MissingError
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

MAX_BACKLOG_BYTES = 32 << 20
"""So much of one camera may wait for the disk."""


class FileArchive:
    """The archive in the folder `root`.

    Args:
        root: Made if it is not there and the marker has nothing against it.
        durability_s: The file being written is synced to disk so often, seconds.
        clock: For the sync cadence.
        marker: Tells whether what is at `root` is the archive; without it everything is.
        max_backlog_bytes: Per camera; beyond it the disk counts as too slow and the file ends.
    """

    def __init__(
        self,
        root: Path,
        durability_s: float,
        clock: Clock,
        marker: Marker | None = None,
        *,
        max_backlog_bytes: int = MAX_BACKLOG_BYTES,
    ) -> None:
        self._root = root
        self._max_backlog_bytes = max_backlog_bytes
        self._lock = ArchiveLock(root, marker)
        self.names = Names()
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._refusal: DiskTrouble | None = None
        self._sync = SyncThread(durability_s, clock, self._trouble, self._refused)
        self._writer = WriterThread(self._lock, self._sync, clock, self._refused)
        self._running = False

    async def start(self) -> None:
        """Locks the folder and starts the threads. A disk that is not there is logged and tried again later.

        A disk that hangs is not waited for, either.

        Raises:
            LivecamError: CONFLICT if another service records into this folder.
        """
        try:
            await within(in_own_thread(self._lock.ensure, "archive lock"), PATIENCE_S)
        except TimeoutError:
            _log.error("cannot use the recordings folder yet: the disk does not answer (%s)", self._root)
        except OSError as error:
            _log.error("cannot use the recordings folder yet: %s", in_words(error, str(self._root)))
        except MissingError as error:
            _log.error("cannot use the recordings folder yet: %s; %s", error.message, error.hint)
        self._sync.start()
        self._writer.start()
        self._running = True

    async def stop(self) -> None:
        """Finishes what is still open (cause SERVICE), returns when all is on disk; idempotent."""
        if self._running:
            self._running = False
            await self._marker(self._writer.stop, self._sync.stop)
        self._lock.release()

    def begin(
        self,
        start: SegmentStart,
        on_finished: Callable[[Segment], None],
        on_failed: Callable[[str], None],
    ) -> "FileWriter":
        """See core.ports.Archive.

        After `on_failed`, `on_finished` still comes if a part could be kept (its cause is DISK). A file to which
        no fragment was appended is deleted without a word.
        """
        lane = self._lanes.setdefault(start.camera_id, Lane())
        file = SegmentFile(self._root, start, self.names, self._clock)
        writer = FileWriter(
            file,
            lane,
            self._writer,
            self._max_backlog_bytes,
            self._too_slow,
            on_finished=on_finished,
            on_failed=on_failed,
        )
        if not self._running:
            writer.refuse("the archive is closed")
        elif lane.backlog > self._max_backlog_bytes:
            writer.refuse(self._too_slow(lane.backlog))
        else:
            writer.open()
        if writer.failed:
            file.close()
        return writer

    async def flush(self) -> None:
        """See core.ports.Archive."""
        if self._running:
            await self._marker()

    def load(self) -> DiskLoad:
        """How the disk keeps up; cheap, never waits for it."""
        return DiskLoad(
            waiting_bytes=max((lane.backlog for lane in self._lanes.values()), default=0),
            most_waiting_bytes=self._max_backlog_bytes,
            slowest_s=max(self._sync.gauge.slowest_s(), self._writer.gauge.slowest_s()),
            refusal=self._refusal,
        )

    def is_writing(self, path: str) -> bool:
        """Whether the file at `path` (relative to the root) is being written; for the index, on any thread."""
        return self.names.is_writing(path)

    def _marker(
        self, in_writer: Callable[[], None] | None = None, in_sync: Callable[[], None] | None = None
    ) -> asyncio.Future[None]:
        """Done when both threads have come so far; each may have to do something at that point."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def at_sync() -> None:
            if in_sync is not None:
                in_sync()
            _on_loop(loop, lambda: None if done.done() else done.set_result(None))

        def at_writer() -> None:
            try:
                if in_writer is not None:
                    in_writer()
            finally:
                self._sync.call(at_sync)

        self._writer.call(at_writer)
        return done

    def _trouble(self, file: SegmentFile, reason: str) -> None:
        self._writer.call(partial(self._writer.fail, file, reason))

    def _refused(self, error: Exception) -> None:
        """Notes what kind of trouble it is; on any of the threads."""
        if (trouble := trouble_of(error)) is not None:
            self._refusal = trouble
            if trouble is not DiskTrouble.SPACE:
                self._writer.call(self._writer.let_go)

    def _too_slow(self, backlog_bytes: int) -> str:
        self._refusal = DiskTrouble.SLOW
        return f"the disk is too slow: {backlog_bytes >> 20} MiB of one camera wait to be written"


class FileWriter:
    """One file being written (core.ports.SegmentWriter); made by `FileArchive.begin`.

    Attributes:
        failed: The disk refused; `on_failed` was or is about to be called, and appending does nothing any more.
    """

    def __init__(
        self,
        file: SegmentFile,
        lane: Lane,
        thread: WriterThread,
        max_backlog_bytes: int,
        too_slow: Callable[[int], str],
        *,
        on_finished: Callable[[Segment], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self.failed = False
        self._file = file
        self._lane = lane
        self._thread = thread
        self._max_backlog_bytes = max_backlog_bytes
        self._too_slow = too_slow
        self._on_failed = on_failed
        self._told = False
        self._ended = False
        self._loop = asyncio.get_running_loop()
        self._job = Job(
            file,
            lane,
            partial(_on_loop, self._loop, on_finished),
            partial(_on_loop, self._loop, self._fail),
        )

    @property
    def path(self) -> str:
        """Relative to the root. Until the thread has created the file (a moment), it may still get a suffix."""
        return self._file.path

    def append(self, fragment: Fragment) -> None:
        """See core.ports.SegmentWriter."""
        if self._ended or self.failed:
            return
        if self._lane.backlog > self._max_backlog_bytes:
            self.refuse(self._too_slow(self._lane.backlog))
            self.finish(EndCause.DISK)
            return
        self._lane.queued += len(fragment.data)
        self._thread.append(self._job, fragment)

    def finish(self, cause: EndCause) -> None:
        """See core.ports.SegmentWriter."""
        if not self._ended:
            self._ended = True
            self._thread.call(partial(self._thread.finish, self._job, cause))

    def open(self) -> None:
        """Has the thread create the file."""
        self._thread.call(partial(self._thread.begin, self._job))

    def refuse(self, reason: str) -> None:
        """Fails it from the loop; `on_failed` comes a moment later, never from within a call."""
        self.failed = True
        self._loop.call_soon(self._fail, reason)

    def _fail(self, reason: str) -> None:
        self.failed = True
        if not self._told:
            self._told = True
            self._on_failed(reason)


def _on_loop(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> None:
    # A loop that is closed has nobody left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)
