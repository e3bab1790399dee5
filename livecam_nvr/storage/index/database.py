"""The index's SQLite file: one thread owns the connection that writes; a damaged file is set aside."""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.storage.index.migrate import migrate
from livecam_nvr.storage.index.rows import COMPLETE, Statement

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


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool = True) -> Iterator[None]:
    """One transaction; taken back if its body fails."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a damaged file, for one, may have ended it already
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
        raise
    connection.execute("COMMIT")


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
        set_aside(path)
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


def set_aside(path: Path) -> None:
    """Renames a damaged database and what SQLite keeps beside it to `.broken`; only the last one is kept.

    Raises:
        OSError: The disk refuses.
    """
    # The log first: one that outlived its database would be played into the next one of its name.
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(path.with_name(f"{path.name}.broken{suffix}"))


def remove_logs(path: Path) -> None:
    """Deletes what SQLite kept beside a database that is no more, so that it is not played into the next one."""
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()


class DatabaseWriter:
    """The thread that writes. What cannot be written now waits (bounded) and is tried again.

    Args:
        path: The SQLite file.
        on_renewed: Called on the thread when another file has taken its place, because it was damaged or has
            vanished: what it knew has to be gathered again.

    Attributes:
        generation: Grows each time that happens.
    """

    def __init__(self, path: Path, on_renewed: Callable[[], None] = lambda: None) -> None:
        self.generation = 0
        self._path = path
        self._on_renewed = on_renewed
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

    def mark_complete(self, generation: int) -> None:
        """Remembers that the whole archive was scanned, if the file is still the one of that generation.

        To be called on the thread.
        """

        def mark(connection: sqlite3.Connection) -> None:
            if generation == self.generation:
                connection.execute(COMPLETE)

        if not self._waiting:
            self._try(mark)

    def replace(self, generation: int) -> None:
        """Sets the damaged file of a generation aside and begins a new one; to be called on the thread.

        Nothing happens if another one has taken its place already: several questions may find the same damage.
        """
        if generation == self.generation:
            _log.error("the index %s is damaged and is set aside; it is rebuilt from the recordings", self._path)
            self._close()
            try:
                set_aside(self._path)
            except OSError as error:
                _log.error("the damaged index cannot be set aside: %s", error)
                return
            self.generation += 1
            self._try(lambda _connection: None, again=False)

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

    def look(self) -> None:
        """Sees whether the file is there and usable, and makes a new one if not; to be called on the thread."""
        self._try(lambda connection: connection.execute("SELECT 1 FROM fact LIMIT 1"))

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self._path)
            # Whether it is new, or the old one that could not be opened for a while: something is missing in it.
            self._on_renewed()
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

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
        with transaction(connection):
            for sql, values in self._waiting:
                connection.execute(sql, values)

    def _try(self, work: Callable[[sqlite3.Connection], object], *, again: bool = True) -> bool:
        try:
            self._leave_if_vanished()
            work(self._opened())
        except (sqlite3.Error, OSError, LivecamError) as error:
            if not self._failing:
                _log.error("the index cannot be written; recording is not affected: %s", error)
            self._failing = True
            damaged = isinstance(error, sqlite3.Error) and is_damaged(error)
            if damaged and again:
                self.replace(self.generation)
            return damaged and again and self._try(work, again=False)
        self._failing = False
        return True

    def _leave_if_vanished(self) -> None:
        # SQLite goes on writing into a deleted file without an error, and every reader then finds none.
        if self._connection is not None and not self._path.exists():
            _log.error("the index %s has vanished; a new one is made from the recordings", self._path)
            self._close()
            remove_logs(self._path)
            self.generation += 1
