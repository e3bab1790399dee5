"""The index over the archive as the event loop sees it (core.ports.SegmentIndex)."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import TypeVar

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.index.database import DatabaseWriter, connect, is_damaged
from livecam_nvr.storage.index.reconcile import Reconciler, ReconcileReport
from livecam_nvr.storage.index.rows import BETWEEN, LATEST, Statement, put, segments
from livecam_nvr.storage.place.marker import Marker

T = TypeVar("T")

_log = logging.getLogger(__name__)

INDEX_NAME = "index.sqlite3"
"""The index's file in the data folder."""
_PAUSE_S = 10.0


class Index:
    """The SQLite file at `path` over the archive in `root`.

    A file that is found damaged, or vanishes, is replaced while the service runs, and what it knew is gathered
    from the recordings again at once.

    Where it cannot be opened, `start` raises and the service goes on without: `add` then does nothing, the
    questions raise UNAVAILABLE, and the next start finds in the files what was not indexed.

    Args:
        path: The database.
        root: The archive.
        clock: Tells which days are the newest.
        is_writing: Whether this process writes the file at a path (`FileArchive.is_writing`).
        marker: Tells whether it is the archive that is at `root`, so that a missing disk's files are not taken for
            deleted ones; None: it always is.
    """

    def __init__(
        self,
        path: Path,
        root: Path,
        clock: Clock,
        is_writing: Callable[[str], bool],
        marker: Marker | None = None,
    ) -> None:
        self._path = path
        self._root = root
        self._clock = clock
        self._is_writing = is_writing
        self._marker = marker
        self._listeners: list[Callable[[], None]] = []
        self._writer = DatabaseWriter(path, self._on_renewed)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = False
        self._stopping = False
        self._cancel = Event()
        self._reconciling = asyncio.Lock()
        self._lacking = asyncio.Event()
        self._completing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Opens the database and brings it up to date.

        Raises:
            LivecamError: CONFLICT if a newer program has made it, DISK if it cannot be opened.
        """
        try:
            await asyncio.to_thread(self._writer.open)
        except (sqlite3.Error, OSError) as error:
            raise LivecamError(
                ErrorKind.DISK,
                f"the index {self._path} cannot be opened: {error}",
                "see that the folder can be written to and has space; recording goes on without the index",
            ) from error
        self._loop = asyncio.get_running_loop()
        self._completing = asyncio.create_task(self._complete(), name="complete a new index")
        self._open = True

    async def stop(self) -> None:
        """Ends a reconciliation that runs, writes what waits, closes; idempotent."""
        self._stopping = True
        self._cancel.set()
        if self._completing is not None:
            self._completing.cancel()
            await asyncio.wait([self._completing])
        async with self._reconciling:
            if self._open:
                self._open = False
                await self._on_writer(self._writer.stop)

    def add(self, segment: Segment) -> None:
        """See core.ports.SegmentIndex."""
        if self._open:
            self._writer.put(put(segment))

    def apply(self, statements: Iterable[Statement]) -> None:
        """Changes the index soon, in the background; nothing happens if there is none."""
        if self._open:
            self._writer.put(statements)

    async def flush(self) -> None:
        """Returns when everything added so far was written, or tried."""
        if self._open:
            await self._on_writer(lambda: None)

    async def latest(self, camera_id: str, limit: int = 1) -> list[Segment]:
        """See core.ports.SegmentIndex.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """
        return await self.ask(lambda db: segments(db, LATEST, (camera_id, limit)))

    async def between(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, limit: int = 10_000
    ) -> list[Segment]:
        """See core.ports.SegmentIndex.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """
        values = {"camera": camera_id, "begin": begin_utc_ns, "end": end_utc_ns, "limit": limit}
        return await self.ask(lambda db: segments(db, BETWEEN, values))

    async def reconcile(self, progress: Callable[[int, int], None] = lambda _done, _all: None) -> ReconcileReport:
        """Makes the index agree with the files, repairing those that a killed service left; see `Reconciler`.

        Recording may go on meanwhile. When cancelled it waits until the file at hand is done.

        Args:
            progress: Called on the loop with the day folders done and their number.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """
        loop = asyncio.get_running_loop()

        def tell(done: int, total: int) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                loop.call_soon_threadsafe(progress, done, total)

        async with self._reconciling:
            self._demand_open()
            cancel = self._cancel = Event()
            generation = self._writer.generation
            reconciler = Reconciler(
                self._root,
                self._path,
                self._writer,
                is_writing=self._is_writing,
                now_utc_ns=self._clock.utc_ns(),
                cancel=cancel,
                progress=tell,
                marker=self._marker,
            )
            work = asyncio.create_task(asyncio.to_thread(reconciler.run), name="reconcile the index")
            try:
                report = await asyncio.shield(work)
            except asyncio.CancelledError:
                cancel.set()
                await asyncio.wait([work])
                raise
            except sqlite3.Error as error:
                raise self._unreadable(error, generation) from error
            await self.flush()
            if report.absent:
                self._lacking.set()  # tried again until the disk is there
            return report

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """What `question` finds, asked in a thread on a read-only connection of its own.

        Raises:
            LivecamError: UNAVAILABLE if there is no index, or it cannot be read.
        """
        self._demand_open()
        generation = self._writer.generation

        def read() -> T:
            # A connection costs less than a millisecond, and a fresh one also sees a database that was replaced.
            with closing(connect(self._path, read_only=True)) as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(read)
        except sqlite3.Error as error:
            raise self._unreadable(error, generation) from error

    def _on_renewed(self) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._miss)

    def when_renewed(self, listener: Callable[[], None]) -> None:
        """Has `listener` called on the loop each time that the index lost all it knew, not only the segments."""
        self._listeners.append(listener)

    def _miss(self) -> None:
        # A pass that runs has compared the files with an index that is no more.
        self._cancel.set()
        self._lacking.set()
        for listener in self._listeners:
            listener()

    async def _complete(self) -> None:
        while True:
            await self._lacking.wait()
            self._lacking.clear()
            try:
                report = await self.reconcile()
            except LivecamError as error:
                _log.error("the index could not be completed: %s", error.message)
            else:
                if report.full and not (report.absent or report.cancelled):
                    _log.info("the index is complete again: %d files", report.files)
            # Neither a disk that damages one index after the other nor one that is missing must keep us at this.
            await asyncio.sleep(_PAUSE_S)

    def _unreadable(self, error: sqlite3.Error, generation: int) -> LivecamError:
        if is_damaged(error):
            self._writer.call(lambda: self._writer.replace(generation))
        else:
            self._writer.call(self._writer.look)
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the index cannot be read: {error}",
            "the recordings themselves are not affected; a damaged index is rebuilt from them at once",
        )

    def _demand_open(self) -> None:
        if not self._open or self._stopping:
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                "there is no index of the recordings",
                "the log says at the start why it could not be opened",
            )

    async def _on_writer(self, work: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        def at_writer() -> None:
            try:
                work()
            finally:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(finish)

        self._writer.call(at_writer)
        await done
