"""The index over the archive as the event loop sees it (core.ports.SegmentIndex)."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import TypeVar

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.database import DatabaseWriter, connect, is_damaged
from livecam_nvr.storage.reconcile import Reconciler, ReconcileReport
from livecam_nvr.storage.rows import BETWEEN, LATEST, Statement, put, segments

T = TypeVar("T")


class Index:
    """The SQLite file at `path` over the archive in `root`.

    Where it cannot be opened, `start` raises and the service goes on without: `add` then does nothing, the
    questions raise UNAVAILABLE, and the next start finds in the files what was not indexed.

    Args:
        path: The database.
        root: The archive.
        clock: Tells which days are the newest.
        is_writing: Whether this process writes the file at a path (`FileArchive.is_writing`).
    """

    def __init__(self, path: Path, root: Path, clock: Clock, is_writing: Callable[[str], bool]) -> None:
        self._path = path
        self._root = root
        self._clock = clock
        self._is_writing = is_writing
        self._writer = DatabaseWriter(path)
        self._open = False
        self._stopping = False
        self._cancel = Event()
        self._reconciling = asyncio.Lock()

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
        self._open = True

    async def stop(self) -> None:
        """Ends a reconciliation that runs, writes what waits, closes; idempotent."""
        self._stopping = True
        self._cancel.set()
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
            reconciler = Reconciler(
                self._root,
                self._path,
                self._writer,
                is_writing=self._is_writing,
                now_utc_ns=self._clock.utc_ns(),
                cancel=cancel,
                progress=tell,
            )
            work = asyncio.create_task(asyncio.to_thread(reconciler.run), name="reconcile the index")
            try:
                report = await asyncio.shield(work)
            except asyncio.CancelledError:
                cancel.set()
                await asyncio.wait([work])
                raise
            except sqlite3.Error as error:
                raise self._unreadable(error) from error
            await self.flush()
            return report

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """What `question` finds, asked in a thread on a read-only connection of its own.

        Raises:
            LivecamError: UNAVAILABLE if there is no index, or it cannot be read.
        """
        self._demand_open()

        def read() -> T:
            # A connection costs less than a millisecond, and a fresh one also sees a database that was replaced.
            with closing(connect(self._path, read_only=True)) as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(read)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> LivecamError:
        if is_damaged(error):
            self._writer.call(self._writer.replace)
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the index cannot be read: {error}",
            "the recordings themselves are not affected; the next start rebuilds the index",
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
