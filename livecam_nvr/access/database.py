"""The SQLite file of users, tokens and sessions: private, shared by processes, and never begun anew by itself."""

import contextlib
import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_SCHEMA = Path(__file__).parent / "schema"
_PATIENCE_S = 5.0
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REFUSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


class UnreliableError(LivecamError):
    """The file itself is bad or gone: nobody may be let in by what it says, or by what it said before."""


class AccessFile:
    """One connection, for one thread at a time.

    A rollback journal, not a WAL: nothing but the file itself has to be copied or restored, and it is changed
    seldom. Made as a whole in another name, so that an empty file is a damaged one and never a fresh start.

    Args:
        path: In a folder that only we may enter.
        create: Makes file and folder if there are none; otherwise that is an error.
        patience_s: How long to wait for another program that keeps it locked.

    Raises:
        UnreliableError: DISK if it is damaged, CONFLICT if a newer program has made it.
        LivecamError: UNAVAILABLE if it cannot be opened, DISK if the disk is full.
    """

    def __init__(self, path: Path, *, create: bool = True, patience_s: float = _PATIENCE_S) -> None:
        self.path = path
        self._lock = Lock()
        with _words(path):
            _make_private(path, create=create)
            found = path.stat()
            self._connection = _connect(path, patience_s)
            try:
                _demand_sound(self._connection, path)
            except BaseException:
                self._connection.close()
                raise
            self._identity = (found.st_dev, found.st_ino)

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One transaction that reads; raises as the class does."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that changes, on disk when it ends; taken back if its body fails; raises likewise."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def look(self) -> tuple[int, ...]:
        """Another answer than the last one if somebody else may have changed something. Cheap.

        Raises:
            UnreliableError: The file is no more, or another one has taken its place.
        """
        with self._lock, _words(self.path):
            found = self.path.stat()
            self._demand_same(found)
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return int(version), found.st_size, found.st_mtime_ns

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, _words(self.path):
            self._demand_same(self.path.stat())
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.rollback()
                raise

    def _demand_same(self, found: os.stat_result) -> None:
        # SQLite itself would go on in a file that is deleted, and what is changed there nobody would see.
        if (found.st_dev, found.st_ino) != self._identity:
            raise UnreliableError(
                ErrorKind.UNAVAILABLE, f"another file has taken the place of {self.path}", "try again in a moment"
            )


def damaged(path: Path, why: object) -> UnreliableError:
    """The error for a file with nonsense in it."""
    return UnreliableError(
        ErrorKind.DISK,
        f"the list of users {path} is damaged: {why}",
        "nobody is let in with it: put a copy from a backup in its place, or move it away, restart the service, "
        "and make the first user",
    )


def _connect(path: Path, patience_s: float = _PATIENCE_S) -> sqlite3.Connection:
    # mode=rw: it is there; if it has vanished just now, an empty one must not take its place.
    connection = sqlite3.connect(
        path.absolute().as_uri() + "?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=patience_s,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        # A removed password's hash must not stay in the file's free pages.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path, *, create: bool) -> None:
    """Takes everybody else's rights to folder and file, which are made if need be."""
    folder = path.parent
    if create:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=stat.S_IRWXU)
            _give_to_owner(folder, folder.parent)
    _restrict(folder, stat.S_IRWXU)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Two programs may begin at once; this lock goes with whoever holds it.
        fcntl.flock(handle, fcntl.LOCK_EX)
        if create and not path.exists():
            _make(path)
            os.fsync(handle)
        else:
            path.stat()
            _upgrade(path)
    finally:
        os.close(handle)
    _restrict(path, stat.S_IRUSR | stat.S_IWUSR)


def _make(path: Path) -> None:
    draft = path.with_name(path.name + ".new")
    # A journal that outlived its database would be played into this one.
    for left in (draft, Path(f"{draft}-journal"), Path(f"{path}-journal")):
        left.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR))
    try:
        _give_to_owner(draft, path.parent)
        connection = _connect(draft)
        try:
            _run_steps(connection, 0)
        finally:
            connection.close()
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _upgrade(path: Path) -> None:
    connection = _connect(path)
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            raise damaged(path, "it is empty, or something else")
        if version > max(_steps()):
            raise UnreliableError(
                ErrorKind.CONFLICT,
                f"the list of users {path} was made by a newer livecam-nvr (its version is {version}, known is "
                f"{max(_steps())})",
                "update livecam-nvr",
            )
        _run_steps(connection, version)
    finally:
        connection.close()


def _run_steps(connection: sqlite3.Connection, version: int) -> None:
    for number, step in _steps().items():
        if number > version:
            script = step.read_text(encoding="utf-8")
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def _steps() -> dict[int, Path]:
    return {int(path.stem): path for path in sorted(_SCHEMA.glob("[0-9][0-9][0-9][0-9].sql"))}


def _demand_sound(connection: sqlite3.Connection, path: Path) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise damaged(path, verdict)


def _restrict(path: Path, mode: int) -> None:
    # Not ours to change, or a file system without rights: `doctor` tells of it.
    if stat.S_IMODE(path.stat().st_mode) != mode:
        with contextlib.suppress(OSError):
            path.chmod(mode)


def _give_to_owner(path: Path, folder: Path) -> None:
    """What an administrator makes with sudo has to be the service's, as the folder around it is."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


@contextlib.contextmanager
def _words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _in_words(error, path) from error
    except FileNotFoundError as error:
        raise UnreliableError(
            ErrorKind.UNAVAILABLE,
            f"the list of users {path} has vanished",
            "put it back, or start livecam-nvr again to set up the first user",
        ) from error
    except OSError as error:
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the list of users {path} cannot be used: {error.strerror or error}",
            "the folder and the file have to belong to the user that livecam-nvr runs as",
        ) from error


def _in_words(error: sqlite3.Error, path: Path) -> LivecamError:
    if isinstance(error, sqlite3.ProgrammingError):
        return LivecamError(ErrorKind.UNAVAILABLE, f"the list of users {path} was closed", "try again in a moment")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _BUSY:
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"another program keeps the list of users {path} locked",
            "try again in a moment",
        )
    if code == sqlite3.SQLITE_FULL:
        return LivecamError(ErrorKind.DISK, f"the disk is full ({path})", "make room; nothing was changed")
    if code == sqlite3.SQLITE_IOERR:
        return LivecamError(ErrorKind.DISK, f"the disk reports an error ({path})", "look at the disk: dmesg")
    if code in _REFUSED:
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"there is no permission to use the list of users {path}",
            "the folder and the file have to belong to the user that livecam-nvr runs as",
        )
    return damaged(path, error)
