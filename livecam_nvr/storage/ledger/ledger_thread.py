"""The thread that writes the ledger's files: keeps what the disk refuses, and syncs on a cadence."""

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.ledger import EntryKind
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.ledger.entries import Change, ledger_path, to_line
from livecam_nvr.storage.ledger.ledger_files import add_lines, sync
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_RETRY_S = 2.0
_MOST_WAITING = 10_000


class LedgerThread:
    """Adds changes to the ledger's files, in order per file.

    Args:
        root: The archive.
        durability_s: What was written is synced so often, seconds; entries of kept clips at once.
        clock: For the cadence.
        writable: Asked on the thread before each writing: whether the folder is the archive (and not what is left
            when its disk is away).
        on_taken: Called on the thread with each change, whatever the disk says to it.
        on_written: Called on the thread with a file's path and its size before and after.
    """

    def __init__(
        self,
        root: Path,
        durability_s: float,
        clock: Clock,
        *,
        writable: Callable[[], bool],
        on_taken: Callable[[Change], None],
        on_written: Callable[[str, int, int], None],
    ) -> None:
        self._root = root
        self._durability_s = durability_s
        self._clock = clock
        self._writable = writable
        self._on_taken = on_taken
        self._on_written = on_written
        self._queue: SimpleQueue[Change | Callable[[], None]] = SimpleQueue()
        self._waiting: deque[Change] = deque(maxlen=_MOST_WAITING)
        self._unsynced: set[str] = set()
        self._due_s = 0.0
        self._urgent = False
        self._failing = False
        self._losing = False
        self._stopped = False

    def start(self) -> None:
        """Begins."""
        Thread(target=self._run, name="ledger writer", daemon=True).start()

    def put(self, change: Change) -> None:
        """Writes a change, soon."""
        if self._queue.qsize() < _MOST_WAITING:
            self._queue.put(change)
        else:
            self._lose()

    def call(self, work: Callable[[], None]) -> None:
        """Does `work` on the thread, when all changes before it were written and synced, or tried."""
        self._queue.put(work)

    def stop(self) -> None:
        """Ends the thread; to be called on it."""
        self._stopped = True
        if self._waiting:
            _log.error("%d entries of the ledger could not be written", len(self._waiting))

    def _run(self) -> None:
        while not self._stopped:
            try:
                work = self._queue.get(timeout=self._patience_s())
            except Empty:
                self._write()
                continue
            while True:
                if callable(work):
                    self._urgent = True
                    self._write()
                    self._do(work)
                    if self._stopped:
                        return
                else:
                    self._keep(work)
                try:
                    work = self._queue.get_nowait()
                except Empty:
                    break
            self._write()

    def _patience_s(self) -> float | None:
        if self._waiting:
            return _RETRY_S
        if self._unsynced:
            return max(0.01, self._due_s - self._clock.monotonic())
        return None

    def _keep(self, change: Change) -> None:
        if len(self._waiting) == _MOST_WAITING:
            self._lose()
        self._waiting.append(change)
        self._on_taken(change)
        self._urgent = self._urgent or change.entry.kind is EntryKind.CLIP

    def _lose(self) -> None:
        if not self._losing:
            self._losing = True
            _log.error("the ledger cannot be written for so long that its oldest waiting entries are given up")

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _log.exception("the ledger's thread failed in an unforeseen way")

    def _write(self) -> None:
        try:
            if self._waiting and not self._writable():
                self._fail("the recordings folder is not there, or cannot be written to")
                return
            while self._waiting:
                self._write_some()
            if self._unsynced and (self._urgent or self._clock.monotonic() >= self._due_s):
                sync(self._root, self._unsynced)
                self._unsynced.clear()
            self._urgent = False
        except OSError as error:
            self._fail(in_words(error, str(error.filename or self._root)))
            # What can no longer be synced is tried again with the next entry, and must not keep the thread busy.
            self._unsynced.clear()
        except LivecamError as error:
            self._fail(error.message)
        except Exception:
            _log.exception("the ledger's oldest waiting entry is given up for an unforeseen reason")
            if self._waiting:
                self._waiting.popleft()
        else:
            self._failing = self._losing = False

    def _write_some(self) -> None:
        """Writes what waits, up to the first change that belongs into another file."""
        first = self._waiting[0].entry
        path = ledger_path(first.camera_id, first.begin_utc_ns)
        lines: list[bytes] = []
        for change in self._waiting:
            if ledger_path(change.entry.camera_id, change.entry.begin_utc_ns) != path:
                break
            lines.append(to_line(change))
        before, after = add_lines(self._root, path, b"".join(lines))
        for _ in lines:
            self._waiting.popleft()
        if not self._unsynced:
            self._due_s = self._clock.monotonic() + self._durability_s
        self._unsynced.add(path)
        self._on_written(path, before, after)

    def _fail(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            _log.error("the ledger cannot be written now, its entries wait: %s", reason)
