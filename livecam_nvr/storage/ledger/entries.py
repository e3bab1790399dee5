"""Ledger entries as lines of a ledger file and as rows of the index; pure.

A line is `CRC-32 JSON`, so a torn or rotten one is known as such and costs only itself. A line with an entry's id
takes the place of the earlier one in the same file; a line with `removed` takes the entry back.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from livecam_nvr.domain.ledger import Entry, EntryKind, Value
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.index.rows import Statement

SUFFIX = ".ledger"
_COLUMNS = "id, camera_id, kind, begin_utc_ns, end_utc_ns, data"
_PUT = f"INSERT OR REPLACE INTO entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own names
# Of the month alone: an entry that was moved to another month lives on in that month's file.
_REMOVE = "DELETE FROM entry WHERE id = ? AND camera_id = ? AND begin_utc_ns >= ? AND begin_utc_ns < ?"
_CLEAR = "DELETE FROM entry WHERE camera_id = ? AND begin_utc_ns >= ? AND begin_utc_ns < ?"
_FORGET = "DELETE FROM fact WHERE name = ?"
_FIRST_READ = "INSERT OR IGNORE INTO fact (name, value) VALUES (?, ?)"
_READ_ON = "UPDATE fact SET value = ? WHERE name = ? AND value = ?"
_FACT = "ledger "
FACTS = "SELECT substr(name, 8), value FROM fact WHERE name >= 'ledger ' AND name < 'ledger!'"
"""How far each ledger file was read into the index: path and bytes."""
ALIVE = """
    SELECT max(coalesce((SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'alive'), 0), coalesce((
        SELECT max((SELECT max(start_utc_ns) FROM segment WHERE segment.camera_id = known.camera_id))
        FROM (SELECT DISTINCT camera_id FROM day) AS known), 0))
"""
"""When the service was last known to run, UTC in ns; 0 if not known. A new index has no mark, but files."""
ALL = f"SELECT {_COLUMNS} FROM entry WHERE kind = ? ORDER BY begin_utc_ns, id"  # noqa: S608
ONE = f"SELECT {_COLUMNS} FROM entry WHERE id = ?"  # noqa: S608
STATES = f"""
    SELECT * FROM (SELECT {_COLUMNS} FROM entry
        WHERE camera_id = :camera AND kind = 'state' AND begin_utc_ns <= :begin
        ORDER BY begin_utc_ns DESC LIMIT 1)
    UNION ALL
    SELECT {_COLUMNS} FROM entry
        WHERE camera_id = :camera AND kind = 'state' AND begin_utc_ns > :begin AND begin_utc_ns < :end
"""  # noqa: S608
# The longest entry bounds how far back one can begin that reaches into the range: seeks alone, no scan.
TOUCHING = f"""
    SELECT {_COLUMNS} FROM entry
        WHERE camera_id = :camera AND kind = :kind AND begin_utc_ns < :end
          AND begin_utc_ns >= :begin - (SELECT end_utc_ns - begin_utc_ns FROM entry
              WHERE camera_id = :camera AND kind = :kind ORDER BY end_utc_ns - begin_utc_ns DESC LIMIT 1)
          AND end_utc_ns >= :begin
    UNION ALL
    SELECT {_COLUMNS} FROM entry
        WHERE camera_id = :camera AND kind = :kind AND end_utc_ns - begin_utc_ns IS NULL AND begin_utc_ns < :end
"""  # noqa: S608


class Change(NamedTuple):
    """What a line does: puts an entry, or takes it back."""

    entry: Entry
    removed: bool = False


def ledger_path(camera_id: str, utc_ns: int) -> str:
    """The file that an entry lies in that begins at a moment, relative to the archive's root."""
    return f"{camera_id}/{camera_id}_{datetime.fromtimestamp(utc_ns // NS, UTC):%Y%m}{SUFFIX}"


def month_of(path: str) -> tuple[int, int] | None:
    """The month of a ledger file, from its beginning up to but not including its end; None if it is none."""
    name = path.rpartition("/")[2]
    try:
        begin = datetime.strptime(name[-len("YYYYMM" + SUFFIX) :], f"%Y%m{SUFFIX}").replace(tzinfo=UTC)
    except ValueError:
        return None
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return int(begin.timestamp()) * NS, int(end.timestamp()) * NS


def to_line(change: Change) -> bytes:
    """A change as a line, its end included."""
    entry = change.entry
    values: dict[str, Any] = {"id": entry.id, "camera": entry.camera_id, "kind": entry.kind.value}
    values |= {"begin": entry.begin_utc_ns, "end": entry.end_utc_ns, "data": dict(entry.data)}
    if change.removed:
        values["removed"] = True
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def from_line(line: bytes) -> Change | None:
    """The change in a line (without its end); None if it is damaged, or of a later version."""
    check, _, text = line.partition(b" ")
    try:
        # Not int(): that also takes blanks, signs and underscores.
        if check.lower() != b"%08x" % zlib.crc32(text):
            return None
        values = json.loads(text)
        end = values["end"]
        entry = Entry(
            camera_id=str(values["camera"]),
            kind=EntryKind(values["kind"]),
            begin_utc_ns=int(values["begin"]),
            end_utc_ns=None if end is None else int(end),
            data=dict(values["data"]),
            id=str(values["id"]),
        )
        return Change(entry, bool(values.get("removed")))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def apply_change(change: Change) -> Statement:
    """A change of the index."""
    entry = change.entry
    if change.removed:
        month = month_of(ledger_path(entry.camera_id, entry.begin_utc_ns)) or (0, 0)
        return (_REMOVE, (entry.id, entry.camera_id, *month))
    data = json.dumps(dict(entry.data), separators=(",", ":"))
    return (_PUT, (entry.id, entry.camera_id, entry.kind.value, entry.begin_utc_ns, entry.end_utc_ns, data))


def read_so_far(path: str, before: int, now: int) -> Statement:
    """Remembers that the index has a ledger file's first `now` bytes.

    Only if it had the first `before` ones: an index that was made anew meanwhile must not claim what it lacks.
    """
    if before == 0:
        return (_FIRST_READ, (_FACT + path, str(now)))
    return (_READ_ON, (str(now), _FACT + path, str(before)))


def forget(path: str) -> tuple[Statement, ...]:
    """Takes a ledger file's entries out of the index."""
    month = month_of(path) or (0, 0)
    return (_CLEAR, (path.partition("/")[0], *month)), (_FORGET, (_FACT + path,))


def alive_at(utc_ns: int) -> Statement:
    """Remembers that the service runs at a moment."""
    return ("INSERT OR REPLACE INTO fact (name, value) VALUES ('alive', ?)", (str(utc_ns),))


def to_entry(row: tuple[Any, ...]) -> Entry:
    """The entry in a row that was selected with all columns."""
    entry_id, camera_id, kind, begin, end, data = row
    return Entry(camera_id, EntryKind(kind), begin, end, json.loads(data), entry_id)


def find_entries(
    connection: sqlite3.Connection, camera_id: str, kinds: Iterable[EntryKind], begin: int, end: int
) -> list[Entry]:
    """See core.past.Ledger.find."""
    found: list[Entry] = []
    # Thousands of a month's entries say the same: each text is parsed once.
    said: dict[str, Mapping[str, Value]] = {}
    for kind in set(kinds):
        values = {"camera": camera_id, "kind": kind.value, "begin": begin, "end": end}
        sql = STATES if kind is EntryKind.STATE else TOUCHING
        for entry_id, _, _, entry_begin, entry_end, text in connection.execute(sql, values):
            if (data := said.get(text)) is None:
                data = said[text] = json.loads(text)
            found.append(Entry(camera_id, kind, entry_begin, entry_end, data, entry_id))
    return sorted(found, key=attrgetter("begin_utc_ns", "id"))
