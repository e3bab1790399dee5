"""The index's SQL, and segments as its rows."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment

_NAMES = tuple(field.name for field in fields(Segment))
_COLUMNS = ", ".join(_NAMES)
_VALUES: Callable[[Segment], tuple[Any, ...]] = attrgetter(*_NAMES)
_PLACES = ", ".join("?" for _ in fields(Segment))

Statement = tuple[str, Sequence[Any]]
"""SQL and its values."""

INSERT = f"INSERT INTO segment ({_COLUMNS}) VALUES ({_PLACES})"  # noqa: S608 - our own names
_REMOVE = "DELETE FROM segment WHERE path = ?"
COMPLETE = "INSERT OR REPLACE INTO fact (name, value) VALUES ('complete', '1')"
IS_COMPLETE = "SELECT 1 FROM fact WHERE name = 'complete' AND value = '1'"
LATEST = f"SELECT {_COLUMNS} FROM segment WHERE camera_id = ? ORDER BY start_utc_ns DESC, path DESC LIMIT ?"  # noqa: S608
BETWEEN = f"""
    SELECT {_COLUMNS} FROM segment
    WHERE camera_id = :camera
      AND start_utc_ns < :end
      AND start_utc_ns >= :begin - (SELECT max(duration_ns) FROM segment WHERE camera_id = :camera)
      AND start_utc_ns + duration_ns > :begin
    ORDER BY start_utc_ns, path
    LIMIT :limit
"""  # noqa: S608
CAMERAS = "SELECT DISTINCT camera_id FROM day ORDER BY camera_id"  # a row a day, where segment has thousands
NEWEST_PATH = "SELECT path FROM segment WHERE camera_id = ? ORDER BY start_utc_ns DESC LIMIT 1"
SIZES = "SELECT path, bytes FROM segment WHERE path >= ? AND path < ?"
IN_FOLDER = f"SELECT {_COLUMNS} FROM segment WHERE path >= ? AND path < ? ORDER BY path"  # noqa: S608
BY_PATH = f"SELECT {_COLUMNS} FROM segment WHERE path = ?"  # noqa: S608
NEXT_PATH = "SELECT path FROM segment WHERE path >= ? AND path < ? ORDER BY path LIMIT 1"

BY_DAY = """
    SELECT camera_id, (start_utc_ns / 1000000000 + utc_offset_s) / 86400,
           count(*), sum(frames), sum(bytes), sum(duration_ns)
    FROM segment GROUP BY 1, 2
"""
FILL_DAYS = f"INSERT INTO day {BY_DAY}"
WRONG_DAYS = f"""
    WITH truth AS ({BY_DAY})
    SELECT count(*) FROM (
        SELECT * FROM (SELECT * FROM day EXCEPT SELECT * FROM truth)
        UNION ALL
        SELECT * FROM (SELECT * FROM truth EXCEPT SELECT * FROM day)
    )
"""  # noqa: S608


class DamagedError(sqlite3.DatabaseError):
    """The file is damaged in a way that SQLite itself does not notice."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def put(segment: Segment) -> tuple[Statement, ...]:
    """Adds a segment, or replaces the one of its path (in two steps, so that the triggers see both)."""
    return (*remove(segment.path), (INSERT, to_row(segment)))


def remove(path: str) -> tuple[Statement, ...]:
    """Removes the segment of a path."""
    return ((_REMOVE, (path,)),)


def to_row(segment: Segment) -> tuple[Any, ...]:
    """The columns' values."""
    return _VALUES(segment)


def to_segment(row: tuple[Any, ...]) -> Segment:
    """The segment in a row that was selected with all columns.

    Raises:
        DamagedError: The row holds what this program never writes.
    """
    try:
        values = dict(zip(_NAMES, row, strict=True))
        return Segment(**{**values, "cause": EndCause(values["cause"]), "unsynced": bool(values["unsynced"])})
    except ValueError as error:
        raise DamagedError(f"a row is damaged: {error}") from error


def segments(connection: sqlite3.Connection, sql: str, values: Any) -> list[Segment]:
    """The segments that a question for all columns finds."""
    return [to_segment(row) for row in connection.execute(sql, values)]
