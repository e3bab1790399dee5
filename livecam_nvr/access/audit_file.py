"""The audit log's SQLite file: lines are appended and read, the oldest trimmed, by several programs at once.

It is opened for each batch of lines (one a second at most) and has a rollback journal, no WAL: whoever reads it
leaves no file behind that the service might not be allowed to write to.
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.access.audit_words import plain
from livecam_nvr.core.access import AuditEntry, Client, Deed, Door
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

MOST_LINES = 100_000
MOST_ROUTINE = 50_000
LONGEST_NS = 400 * 86_400 * NS

_log = logging.getLogger(__name__)

_VERSION = 1
_BUSY_S = 5.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = """
CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    utc_ns INTEGER NOT NULL,
    deed TEXT NOT NULL,
    who TEXT NOT NULL,
    address TEXT NOT NULL,
    door TEXT NOT NULL,
    target TEXT NOT NULL,
    ok INTEGER NOT NULL,
    detail TEXT NOT NULL,
    times INTEGER NOT NULL,
    routine INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_by_time ON entry (utc_ns);
CREATE INDEX entry_by_routine ON entry (routine, id);
"""
_INSERT = """
INSERT INTO entry (utc_ns, deed, who, address, door, target, ok, detail, times, routine)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT = """
SELECT utc_ns, deed, who, address, door, target, ok, detail, times FROM entry
WHERE (:before IS NULL OR utc_ns < :before) AND (:deed IS NULL OR deed = :deed) AND (:who IS NULL OR who = :who)
ORDER BY utc_ns DESC, id DESC LIMIT :limit
"""
_TRIM_ROUTINE = """
DELETE FROM entry WHERE id IN (
    SELECT id FROM entry WHERE routine = 1 ORDER BY id
    LIMIT max(0, min(?, (SELECT count(*) FROM entry WHERE routine = 1) - ?))
)
"""
_TRIM_ALL = """
DELETE FROM entry WHERE id IN (
    SELECT id FROM entry ORDER BY id LIMIT max(0, min(?, (SELECT count(*) FROM entry) - ?))
)
"""
_TRIM_OLD = "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE utc_ns < ? ORDER BY utc_ns LIMIT ?)"


@dataclass(slots=True, eq=False)
class Line:
    """An entry on its way into the file; equal to itself only."""

    entry: AuditEntry
    times: int = 1
    row: int | None = None
    """Where it stands, as soon as it does."""


def is_routine(entry: AuditEntry) -> bool:
    """Whether it is one of those that come in masses: refusals, which strangers can cause as many of as they like,
    and what the service does by itself. They have half of the room, and never push out what people have done.
    """
    return not entry.ok or entry.client.door is Door.SERVICE


def append(path: Path, lines: Sequence[Line], times: Sequence[int]) -> None:
    """Writes lines that are new, and how many times each of the others has come now, in one transaction.

    A damaged file is set aside as `.broken`, and a new one begun.

    Raises:
        OSError, sqlite3.Error: It cannot be written.
        LivecamError: CONFLICT if a newer program has made it.
    """
    try:
        _append(path, lines, times)
    except sqlite3.Error as error:
        if not is_damaged(error):
            raise
        set_aside(path, error)
        _append(path, lines, times)


def _append(path: Path, lines: Sequence[Line], times: Sequence[int]) -> None:
    rows: list[int | None] = []
    with _opened(path) as connection:
        for line, number in zip(lines, times, strict=True):
            entry = line.entry
            if line.row is not None:
                # With its time: in a new file the row may be that of another one.
                known = connection.execute(
                    "UPDATE entry SET times = ? WHERE id = ? AND utc_ns = ?", (number, line.row, entry.utc_ns)
                )
                if known.rowcount:
                    rows.append(line.row)
                    continue
            client = entry.client
            written = connection.execute(
                _INSERT,
                (entry.utc_ns, entry.deed, entry.who, client.address, client.door, entry.target, entry.ok,
                 entry.detail, number, is_routine(entry)),
            )  # fmt: skip
            rows.append(written.lastrowid)
    for line, row in zip(lines, rows, strict=True):
        line.row = row


def trim(path: Path, *, now_utc_ns: int | None, most: int = 1000) -> None:
    """Deletes the oldest lines above the limits, at most so many for each limit.

    Args:
        path: The file.
        now_utc_ns: For the limit by age; None while the clock cannot be believed.
        most: A small step, so that nothing waits for it.

    Raises:
        OSError, sqlite3.Error, LivecamError: As `append`.
    """
    with _opened(path) as connection:
        connection.execute(_TRIM_ROUTINE, (most, MOST_ROUTINE))
        connection.execute(_TRIM_ALL, (most, MOST_LINES))
        if now_utc_ns is not None:
            connection.execute(_TRIM_OLD, (now_utc_ns - LONGEST_NS, most))


def read(
    path: Path, *, limit: int, before_utc_ns: int | None = None, deed: Deed | None = None, who: str | None = None
) -> list[AuditEntry]:
    """Newest first; nothing if there is no file yet.

    Raises:
        OSError, sqlite3.Error: It cannot be read.
    """
    if not path.exists():
        return []
    wanted = {
        "before": before_utc_ns,
        "deed": deed,
        "who": who if who is None else plain(who),
        "limit": max(0, limit),
    }
    # For writing: what a killed program left half-written is taken back by whoever opens it next.
    with contextlib.closing(_connect(path)) as connection:
        if _version(connection) == 0:
            return []
        rows = connection.execute(_SELECT, wanted).fetchall()
    return [entry for row in rows if (entry := _entry(row)) is not None]


def check(path: Path) -> None:
    """Sets the file aside if it is damaged.

    Raises:
        OSError, sqlite3.Error: It cannot be read.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(_connect(path)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        if not is_damaged(error):
            raise
        set_aside(path, error)
    else:
        if found != "ok":
            set_aside(path, found)


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad, so that trying again is no use."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def set_aside(path: Path, why: object) -> None:
    """Renames a damaged file, and what SQLite keeps beside it, to `.broken`; only the last one is kept.

    Raises:
        OSError: The disk refuses.
    """
    aside = path.with_name(f"{path.name}.broken")
    _log.error("the audit log %s is damaged; it is kept as %s, and a new one is begun: %s", path, aside.name, why)
    # The journal first: one that outlived its database would be played into the next one of its name.
    for suffix in ("-journal", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(path.with_name(aside.name + suffix))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, in a file that is there and as it should be."""
    _make(path)
    with contextlib.closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version > _VERSION:
            raise LivecamError(
                ErrorKind.CONFLICT, f"a newer livecam-nvr has made {path}", "start that one, or move the file away"
            )
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        yield connection
        # Closing a connection takes back what was not committed.
        connection.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_S)


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _make(path: Path) -> None:
    """Makes the file, and its folder, for nobody else to read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)


def _entry(row: tuple[int, str, str, str, str, str, int, str, int]) -> AuditEntry | None:
    utc_ns, deed, who, address, door, target, ok, detail, times = row
    try:
        client = Client(address, Door(door))
        return AuditEntry(utc_ns, Deed(deed), who, client, target, bool(ok), detail, times)
    except ValueError:  # of a newer program
        return None
