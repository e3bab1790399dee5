"""The index's SQLite file: one thread owns the connection that writes; a damaged file is set aside."""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.storage.migrate import migrate
from livecam_nvr.storage.rows import COMPLETE, Statement

_log = logging.getLogger(__name__)

_RETRY_S = 5.0
_MOST_WAITING = 100_000
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that may be used by any one thread at a time."""
    uri = path.absolute().as_uri() + ("?mode=ro" if read_only else "")
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
    if not read_only:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # The index is derived: a power cut may cost its last rows, which the next start finds in the files.
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad, so that trying again is no use."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def open_database(path: Path) -> sqlite3.Connection:
    """Opens it for writing, made or brought up to date; a damaged one is set aside and a new one made.

    Raises:
        LivecamError: CONFLICT if a newer program has made it.
        sqlite3.Error, OSError: It cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path)
    except sqlite3.Error as error:
        if not is_damaged(error):
            raise
        _log.error("the index %s is damaged and is set aside; it is rebuilt from the recordings: %s", path, error)
        _set_aside(path)
        return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        migrate(connection, str(path))
        connection.execute("SELECT * FROM segment LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(path.with_name(f"{path.name}.broken{suffix}"))


class DatabaseWriter:
    """The thread that writes. What cannot be written now waits (bounded) and is tried again.

    Args:
        path: The SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._queue: SimpleQueue[tuple[Statement, ...] | Callable[[], None]] = SimpleQueue()
        self._waiting: list[Statement] = []
        self._failing = False
        self._stopped = False

    def open(self) -> None:
        """Opens the database and starts the thread; raises as `open_database`."""
        self._connection = open_database(self._path)
        Thread(target=self._run, name="index writer", daemon=True).start()

    def put(self, statements: Iterable[Statement]) -> None:
        """Makes the changes soon, in order; what is handed over together is committed together."""
        self._queue.put(tuple(statements))

    def call(self, work: Callable[[], None]) -> None:
        """Does `work` on the thread, after all changes before it were tried."""
        self._queue.put(work)

    def stop(self) -> None:
        """Closes the database and ends the thread; to be called on it."""
        self._stopped = True
        if self._waiting:
            _log.warning("%d changes did not get into the index; the next start finds them", len(self._waiting))
        if self._connection is not None:
            self._connection.close()

    def mark_complete(self) -> None:
        """Remembers that the whole archive was scanned; to be called on the thread."""
        if not self._waiting:
            self._try(lambda connection: connection.execute(COMPLETE))

    def replace(self) -> None:
        """Sets a damaged file aside and begins a new one; to be called on the thread."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        _log.error("the index %s is damaged and is set aside; the next start rebuilds it", self._path)
        try:
            _set_aside(self._path)
            self._connection = open_database(self._path)
        except (sqlite3.Error, OSError, LivecamError) as error:
            _log.error("the index cannot be opened: %s", error)

    def _run(self) -> None:
        while not self._stopped:
            try:
                work = self._queue.get(timeout=_RETRY_S if self._waiting else None)
            except Empty:
                self._commit()
                continue
            while True:
                if callable(work):
                    self._commit()
                    self._do(work)
                    if self._stopped:
                        return
                else:
                    self._waiting += work
                try:
                    work = self._queue.get_nowait()
                except Empty:
                    break
            self._commit()

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _log.exception("the index's thread failed in an unforeseen way")

    def _commit(self) -> None:
        if self._waiting and self._try(self._write_waiting):
            self._waiting.clear()
        if len(self._waiting) > _MOST_WAITING:
            _log.error("%d changes are given up; the next start finds them in the files", len(self._waiting))
            self._waiting.clear()

    def _write_waiting(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for sql, values in self._waiting:
            connection.execute(sql, values)
        connection.execute("COMMIT")

    def _try(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        try:
            self._leave_if_vanished()
            if self._connection is None:
                self._connection = open_database(self._path)
            work(self._connection)
        except (sqlite3.Error, OSError, LivecamError) as error:
            if not self._failing:
                _log.error("the index cannot be written; recording is not affected: %s", error)
            self._failing = True
            if self._connection is not None and self._connection.in_transaction:
                self._connection.rollback()
            if isinstance(error, sqlite3.Error) and is_damaged(error):
                self.replace()
            return False
        self._failing = False
        return True

    def _leave_if_vanished(self) -> None:
        # SQLite goes on writing into a deleted file without an error, and every reader then finds none.
        if self._connection is not None and not self._path.exists():
            _log.error("the index %s has vanished; a new one begins, and the next start completes it", self._path)
            self._connection.close()
            self._connection = None
