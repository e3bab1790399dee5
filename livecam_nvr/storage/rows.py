"""The index's SQL, and segments as its rows."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment

_COLUMNS = ", ".join(field.name for field in fields(Segment))
_PLACES = ", ".join("?" for _ in fields(Segment))

Statement = tuple[str, Sequence[Any]]
"""SQL and its values."""

_INSERT = f"INSERT INTO segment ({_COLUMNS}) VALUES ({_PLACES})"  # noqa: S608 - our own names
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
CAMERAS = "SELECT DISTINCT camera_id FROM segment"
NEWEST_PATH = "SELECT path FROM segment WHERE camera_id = ? ORDER BY start_utc_ns DESC LIMIT 1"
SIZES = "SELECT path, bytes FROM segment WHERE path >= ? AND path < ?"


def put(segment: Segment) -> tuple[Statement, ...]:
    """Adds a segment, or replaces the one of its path (in two steps, so that the triggers see both)."""
    return (*remove(segment.path), (_INSERT, to_row(segment)))


def remove(path: str) -> tuple[Statement, ...]:
    """Removes the segment of a path."""
    return ((_REMOVE, (path,)),)


def to_row(segment: Segment) -> tuple[Any, ...]:
    """The columns' values."""
    return astuple(segment)


def to_segment(row: tuple[Any, ...]) -> Segment:
    """The segment in a row that was selected with all columns."""
    values = dict(zip((field.name for field in fields(Segment)), row, strict=True))
    return Segment(**{**values, "cause": EndCause(values["cause"]), "unsynced": bool(values["unsynced"])})


def segments(connection: sqlite3.Connection, sql: str, values: Any) -> list[Segment]:
    """The segments that a question for all columns finds."""
    return [to_segment(row) for row in connection.execute(sql, values)]
