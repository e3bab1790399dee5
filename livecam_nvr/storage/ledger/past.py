"""What there is of a camera's past, asked of the index (core.past.Past).

A year of four cameras is millions of files. So SQLite looks at them and hands over only those after which
something may be missing: a month of footage that goes on costs a tenth of a second, most of it outside of Python.
Each gap costs some microseconds more: hundreds a day, for a month, are a third of a second.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from livecam_nvr.core.past import DayTotal
from livecam_nvr.domain.coverage import Coverage, Span
from livecam_nvr.domain.gaps import EXPLAINING, JITTER_NS, NO_GAP_NS, Stretch, coverage, joined
from livecam_nvr.domain.media import EndCause
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.ledger.entries import find_entries

_LONGEST = "SELECT max(duration_ns) FROM segment WHERE camera_id = ?"
_BEFORE = "SELECT max(start_utc_ns) FROM segment WHERE camera_id = ? AND start_utc_ns < ?"
_FIRST = """
    SELECT start_utc_ns FROM segment WHERE camera_id = :camera AND start_utc_ns >= :from AND start_utc_ns < :end
    ORDER BY start_utc_ns LIMIT 1
"""
# Nearly every file has one that begins where it ends, which the index on beginnings alone can tell. The others are
# looked at again; the second condition only spares that for cameras whose clock runs too wrong for the first.
_OPEN_ENDS = f"""
    SELECT sum(iif(s.start_utc_ns >= :begin, s.frames, 0)), json_group_array(s.start_utc_ns) FILTER (WHERE
        NOT EXISTS (
            SELECT 1 FROM segment AS n
            WHERE n.camera_id = :camera AND n.start_utc_ns > s.start_utc_ns
              AND n.start_utc_ns < min(:end, s.start_utc_ns + s.duration_ns + {NO_GAP_NS}))
        AND NOT (s.cause = 'clock' AND EXISTS (
            SELECT 1 FROM segment AS n
            WHERE n.camera_id = :camera AND n.start_utc_ns > s.start_utc_ns
              AND n.start_utc_ns < min(:end, s.start_utc_ns + s.duration_ns + {JITTER_NS})
              AND n.run_id = s.run_id AND n.sequence = s.sequence + s.merged)))
    FROM segment AS s
    WHERE s.camera_id = :camera AND s.start_utc_ns >= :from AND s.start_utc_ns < :end
"""  # noqa: S608 - our own numbers
_LOOKED_AT_AGAIN = """
    SELECT s.cause, 3 * s.duration_ns / (2 * max(1, s.frames)),
        (SELECT max(r.start_utc_ns + r.duration_ns) FROM segment AS r
         WHERE r.camera_id = :camera AND r.start_utc_ns <= s.start_utc_ns
           AND r.start_utc_ns >= s.start_utc_ns - :longest),
        n.start_utc_ns, n.run_id = s.run_id AND n.sequence = s.sequence + s.merged AND s.cause = 'clock'
    FROM json_each(:starts) AS open
    JOIN segment AS s ON s.camera_id = :camera AND s.start_utc_ns = open.value
    LEFT JOIN segment AS n ON n.camera_id = :camera AND n.start_utc_ns = (
        SELECT min(start_utc_ns) FROM segment
        WHERE camera_id = :camera AND start_utc_ns > s.start_utc_ns AND start_utc_ns < :end)
    ORDER BY s.start_utc_ns
"""
_DAYS = "SELECT day, segments, frames, bytes, duration_ns FROM day WHERE camera_id = ? ORDER BY day"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()

Growing = Callable[[str], Sequence[Stretch]]
"""Footage of a camera that is in files, but not (or perhaps not yet) in the index."""


class IndexedPast:
    """See core.past.Past.

    Args:
        index: What is asked.
        clock: The time.
        growing: What the index does not have yet.
    """

    def __init__(self, index: Index, clock: Clock, growing: Growing = lambda _camera_id: ()) -> None:
        self._index = index
        self._clock = clock
        self._growing = growing

    async def coverage(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        """See core.past.Past."""
        asked = Span(begin_utc_ns, end_utc_ns)
        growing, now = self._growing(camera_id), self._clock.utc_ns()
        return await self._index.ask(lambda db: read_coverage(db, camera_id, asked, now, growing))

    async def days(self, camera_id: str) -> list[DayTotal]:
        """See core.past.Past."""
        return await self._index.ask(lambda db: read_days(db, camera_id))


def read_coverage(
    connection: sqlite3.Connection, camera_id: str, asked: Span, now_utc_ns: int, growing: Sequence[Stretch] = ()
) -> Coverage:
    """What there is of a camera in a range; see core.past.Past."""
    found, frames = read_footage(connection, camera_id, asked)
    footage = joined([*found, *(part for part in growing if part.begin_utc_ns < asked.end_utc_ns)])
    entries = find_entries(connection, camera_id, EXPLAINING, asked.begin_utc_ns, asked.end_utc_ns)
    return coverage(camera_id, asked, footage, entries, now_utc_ns=now_utc_ns, frames=frames)


def read_footage(connection: sqlite3.Connection, camera_id: str, asked: Span) -> tuple[list[Stretch], int]:
    """The stretches of files that touch a range, with the last one before it, and the frames that begin in it."""
    begin, end = asked.begin_utc_ns, asked.end_utc_ns
    longest = connection.execute(_LONGEST, (camera_id,)).fetchone()[0]
    if longest is None:
        return [], 0
    before = connection.execute(_BEFORE, (camera_id, begin)).fetchone()[0]
    values = {"camera": camera_id, "begin": begin, "end": end, "longest": longest}
    values["from"] = min(begin - longest, begin if before is None else before)
    first = connection.execute(_FIRST, values).fetchone()
    if first is None:
        return [], 0
    frames, starts = connection.execute(_OPEN_ENDS, values).fetchone()
    stretches: list[Stretch] = []
    started, follows = first[0], False
    for cause, frame_ns, reach, next_start, next_follows in connection.execute(
        _LOOKED_AT_AGAIN, values | {"starts": starts}
    ):
        if next_start is not None:
            bearable = JITTER_NS if next_follows else max(NO_GAP_NS, frame_ns)
            if next_start - reach < bearable:
                continue
        stretches.append(Stretch(started, reach, EndCause(cause), follows))
        started, follows = next_start, bool(next_follows)
    return stretches, int(frames or 0)


def read_days(connection: sqlite3.Connection, camera_id: str) -> list[DayTotal]:
    """The local days with footage, oldest first."""
    return [
        DayTotal((_EPOCH + timedelta(days=day)).isoformat(), *sums)
        for day, *sums in connection.execute(_DAYS, (camera_id,))
    ]
