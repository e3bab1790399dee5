"""The index's SQL, and segments as its rows; pure."""

from dataclasses import astuple, fields
from typing import Any

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment

_COLUMNS = ", ".join(field.name for field in fields(Segment))
_PLACES = ", ".join("?" for _ in fields(Segment))

UPSERT = f"INSERT OR REPLACE INTO segment ({_COLUMNS}) VALUES ({_PLACES})"  # noqa: S608 - our own names
REMOVE = "DELETE FROM segment WHERE path = ?"
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


def to_row(segment: Segment) -> tuple[Any, ...]:
    """The columns' values."""
    return astuple(segment)


def to_segment(row: tuple[Any, ...]) -> Segment:
    """The segment in a row that was selected with all columns."""
    values = dict(zip((field.name for field in fields(Segment)), row, strict=True))
    return Segment(**{**values, "cause": EndCause(values["cause"])})
