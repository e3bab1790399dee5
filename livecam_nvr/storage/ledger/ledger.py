"""The ledger as the event loop sees it (core.past.Ledger): files are the truth, the index answers."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.timesync import boot_id
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.ledger.entries import (
    ALIVE,
    ALL,
    FACTS,
    ONE,
    Change,
    alive_at,
    apply_change,
    find_entries,
    forget,
    ledger_path,
    read_so_far,
    to_entry,
)
from livecam_nvr.storage.ledger.ledger_files import drop_before, ledger_files, read_file
from livecam_nvr.storage.ledger.ledger_thread import LedgerThread
from livecam_nvr.storage.ledger.sign_of_life import last_written_ns
from livecam_nvr.storage.own_thread import in_own_thread, within
from livecam_nvr.storage.place.disk import PATIENCE_S
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_KEPT_NS = 396 * 86_400 * NS  # thirteen months: a year ago can still be told in full
_MOVABLE = (EntryKind.STATE, EntryKind.PAUSE, EntryKind.EVENT, EntryKind.CLIP)
_MOST_MOVED = 1000
_BOOT = "boot"
"""In an entry's data: the start of the machine during which a clock that was not synchronised has dated it."""


class FileLedger:
    """The ledger of the archive in `root`. Starts after the index, stops before it.

    Args:
        root: The archive.
        index: Answers the questions.
        durability_s: Entries are synced to disk so often, seconds.
        clock: For the cadence, and to tell which files are old.
        writable: Asked in threads: whether the root is the archive, and not what is left when its disk is away;
            may raise LivecamError instead.
    """

    def __init__(
        self,
        root: Path,
        index: Index,
        durability_s: float,
        clock: Clock,
        writable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._root = root
        self._index = index
        self._clock = clock
        self._writable = writable
        self._thread = LedgerThread(
            root, durability_s, clock, writable=writable, on_taken=self._taken, on_written=self._written
        )
        self._running = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._catching_up: set[asyncio.Task[None]] = set()
        self._absent = False
        """The archive was not there when its ledger was to be read."""
        self._moved: dict[str, tuple[int, int]] = {}
        """Entries that were moved while they lasted: their old begin, and the shift."""

    async def start(self) -> None:
        """Starts writing, drops what is old and brings the index up to date with the files; never raises.

        A disk that hangs is not waited for: what it holds is read when it takes an entry again.
        """
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self._running = True
        self._index.when_renewed(self._begin_to_catch_up)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._on_thread(self._drop_old)
        except TimeoutError:
            self._absent = True
            _log.error("the ledger cannot be read yet: the disk does not answer (%s)", self._root)
            return
        await self.catch_up()

    async def stop(self) -> None:
        """Writes and syncs what waits, as far as the disk lets it; idempotent."""
        if self._running:
            self._running = False
            for task in self._catching_up:
                task.cancel()
            await asyncio.gather(*self._catching_up, return_exceptions=True)
            await self._on_thread(self._thread.stop)

    async def flush(self) -> None:
        """Returns when everything put so far is in the index, and in the files and synced, or was tried."""
        if self._running:
            await self._on_thread(lambda: None)
            await self._index.flush()

    async def catch_up(self) -> None:
        """Reads into the index what the files have and it has not; after it was made anew, everything.

        What cannot be read is logged.
        """
        try:
            facts = await self._index.ask(lambda db: dict(db.execute(FACTS).fetchall()))
        except LivecamError as error:
            _log.warning("the ledger cannot be compared with the index: %s", error.message)
            return
        # On the thread, so that no change that is put meanwhile is overtaken by what was read before it.
        await self._on_thread(lambda: self._catch_up({path: int(size) for path, size in facts.items()}))
        await self._index.flush()

    def put(self, entry: Entry) -> None:
        """See core.past.Ledger."""
        if self._is_misdated(entry.begin_utc_ns):
            entry = replace(entry, data={**entry.data, _BOOT: boot_id()})
        moved = self._moved.get(entry.id)
        if moved is not None and entry.begin_utc_ns == moved[0]:
            entry = replace(entry, begin_utc_ns=entry.begin_utc_ns + moved[1])
        self._change(Change(entry))

    def remove(self, entry: Entry) -> None:
        """See core.past.Ledger."""
        self._change(Change(entry, removed=True))

    async def find(
        self, camera_id: str, kinds: Collection[EntryKind], begin_utc_ns: int, end_utc_ns: int
    ) -> list[Entry]:
        """See core.past.Ledger."""
        return await self._index.ask(lambda db: find_entries(db, camera_id, kinds, begin_utc_ns, end_utc_ns))

    async def all_of(self, kind: EntryKind) -> list[Entry]:
        """See core.past.Ledger."""
        return await self._index.ask(lambda db: [to_entry(row) for row in db.execute(ALL, (kind.value,))])

    async def get(self, entry_id: str) -> Entry | None:
        """See core.past.Ledger."""
        row = await self._index.ask(lambda db: db.execute(ONE, (entry_id,)).fetchone())
        return None if row is None else to_entry(row)

    async def move(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, shift_ns: int, boot: str) -> int:
        """Moves what begins between two moments by `shift_ns`; returns how many entries that were.

        Only STATE, PAUSE, EVENT and CLIP entries are moved, and only those that were dated during the machine's
        start `boot`, while the clock was not synchronised: a clock without a battery goes on where it stopped, so
        it shows times of which there are true entries, too. An end that lies outside of the range stays (but for
        clips, whose end is told at their begin): it was written when the clock was right. An entry that lasts and
        is put again with its old begin is moved, too.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """
        await self.flush()
        found = await self.find(camera_id, _MOVABLE, begin_utc_ns, end_utc_ns)
        moving = [
            entry
            for entry in found
            if begin_utc_ns <= entry.begin_utc_ns < end_utc_ns and entry.data.get(_BOOT) == boot
        ]
        for old in moving:
            begin, end = old.begin_utc_ns + shift_ns, old.end_utc_ns
            if end is None:
                self._moved[old.id] = (old.begin_utc_ns, shift_ns)
            elif old.kind is EntryKind.CLIP or old.begin_utc_ns <= end <= end_utc_ns:
                end += shift_ns
            new = replace(old, begin_utc_ns=begin, end_utc_ns=None if end is None else max(begin, end))
            # In this order nothing is lost by a crash in between; in one file, the later line counts anyway.
            self._change(Change(new))
            if ledger_path(camera_id, old.begin_utc_ns) != ledger_path(camera_id, new.begin_utc_ns):
                self._change(Change(old, removed=True))
        for entry_id in list(self._moved)[:-_MOST_MOVED]:
            del self._moved[entry_id]
        return len(moving)

    async def last_alive(self) -> int | None:
        """See core.chronicle.AliveMark. What was being recorded tells it to the second."""
        marked = written = 0
        with contextlib.suppress(LivecamError):
            marked = await self._index.ask(lambda db: int(db.execute(ALIVE).fetchone()[0]))
        with contextlib.suppress(TimeoutError):  # a disk that hangs
            written = await within(in_own_thread(lambda: last_written_ns(self._root), "sign of life"), PATIENCE_S)
        return max(marked, min(written, self._clock.utc_ns())) or None

    def mark_alive(self, utc_ns: int) -> None:
        """See core.chronicle.AliveMark."""
        self._index.apply((alive_at(utc_ns),))

    def _is_misdated(self, utc_ns: int) -> bool:
        """Whether a moment is one that the clock showed during this start, while it was not synchronised.

        What lies before the machine's start, or still to come, somebody else has dated.
        """
        moment = self._clock.moment_of(utc_ns)
        return not moment.synchronised and 0 <= moment.boot_ns <= self._clock.boot_ns() + NS

    def _begin_to_catch_up(self) -> None:
        if self._running:
            task = asyncio.create_task(self.catch_up(), name="read the ledger into a new index")
            self._catching_up.add(task)
            task.add_done_callback(self._catching_up.discard)

    def _change(self, change: Change) -> None:
        self._thread.put(change)

    def _taken(self, change: Change) -> None:
        self._index.apply((apply_change(change),))

    def _written(self, path: str, before: int, after: int) -> None:
        self._index.apply((read_so_far(path, before, after),))
        if self._absent and self._loop is not None:
            self._absent = False
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._begin_to_catch_up)

    def _drop_old(self) -> None:
        try:
            # A clock that is wrong would call everything old.
            if self._writable() and self._clock.synchronised():
                drop_before(self._root, self._clock.utc_ns() - _KEPT_NS)
        except (FileNotFoundError, LivecamError):
            pass
        except OSError as error:
            _log.warning("old ledgers cannot be looked for: %s", in_words(error, str(self._root)))

    def _catch_up(self, facts: dict[str, int]) -> None:
        try:
            self._absent = not self._writable()
            if self._absent:
                return
            paths = ledger_files(self._root)
            for gone in facts.keys() - set(paths):
                self._index.apply(forget(gone))
            for path in paths:
                self._read_on(path, facts.get(path, 0))
        except (FileNotFoundError, LivecamError):
            self._absent = True  # there is no archive yet, or its disk is away
        except OSError as error:
            _log.warning("the ledger cannot be read: %s", in_words(error, str(error.filename or self._root)))

    def _read_on(self, path: str, before: int) -> None:
        size = (self._root / path).stat().st_size
        if size == before:
            return
        if size < before:  # it is another file than the one that was read
            self._index.apply(forget(path))
            before = 0
        reading = read_file(self._root, path, before)
        changes = [apply_change(change) for change in reading.changes]
        self._index.apply((*changes, read_so_far(path, before, reading.size)))

    async def _on_thread(self, work: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        def at_thread() -> None:
            try:
                work()
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(finish)

        self._thread.call(at_thread)
        await done
