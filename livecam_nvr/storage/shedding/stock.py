"""Asks the index what may be deleted, oldest first. Every question is a seek; nothing scans all segments.

Files are read lazily, in the order of `segment_by_start`; what clips and events hold is known as ranges of time
and compared while walking, so that a plan costs what it deletes, and not what the archive holds.
"""

import heapq
import sqlite3
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping

from livecam_nvr.domain.forecast import DAY_S, Holding, bytes_per_day
from livecam_nvr.domain.ledger import Clip, EntryKind
from livecam_nvr.domain.retention import Recorded, Rules, Stock
from livecam_nvr.domain.segment import NS

TOTALS = "SELECT camera_id, sum(segments), sum(bytes) FROM day GROUP BY camera_id"
_COLUMNS = "path, start_utc_ns, start_utc_ns + duration_ns, bytes"
# The order of the index and of its hidden columns (WITHOUT ROWID: the key, path): nothing is sorted.
WALK = f"SELECT {_COLUMNS} FROM segment WHERE camera_id = ? AND start_utc_ns >= ? ORDER BY start_utc_ns, path"  # noqa: S608
TOUCHING = f"""
    SELECT {_COLUMNS} FROM segment
    WHERE camera_id = :camera AND start_utc_ns >= :first AND start_utc_ns < :end
      AND start_utc_ns + duration_ns > :begin
    ORDER BY start_utc_ns, path
"""  # noqa: S608
NEXT = "SELECT start_utc_ns FROM segment WHERE camera_id = ? AND start_utc_ns >= ? ORDER BY start_utc_ns LIMIT 1"
NEWEST = """
    SELECT start_utc_ns + duration_ns, duration_ns, bytes FROM segment
    WHERE camera_id = ? ORDER BY start_utc_ns DESC LIMIT 8
"""
SINCE = "SELECT total(bytes) FROM segment WHERE camera_id = ? AND start_utc_ns >= ?"
LONGEST = "SELECT max(duration_ns) FROM segment WHERE camera_id = ?"
CLIPS = f"""
    SELECT id, begin_utc_ns, end_utc_ns FROM entry
    WHERE camera_id = ? AND kind = '{EntryKind.CLIP}' ORDER BY begin_utc_ns
"""  # noqa: S608
EVENTS = f"""
    SELECT begin_utc_ns, end_utc_ns FROM entry
    WHERE camera_id = ? AND kind = '{EntryKind.EVENT}' AND begin_utc_ns >= ? ORDER BY begin_utc_ns
"""  # noqa: S608

Range = tuple[int, int]
"""Begin and end, UTC in nanoseconds."""

_EVER = -(1 << 62)
# An event that nobody has ended would hold footage for ever.
LONGEST_EVENT_NS = DAY_S * NS
_SKIP_NS = 3600 * NS


class Held:
    """Ranges of time, asked about from the past to the future.

    Args:
        ranges: Sorted by their begins; may overlap; read as far as asked about.
    """

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._coming = iter(ranges)
        self._next = next(self._coming, None)
        self._near: list[Range] = []

    def until(self, begin: int, end: int) -> int | None:
        """Where the last range ends that the time from `begin` to `end` touches; None if it touches none.

        `begin` may not go down from call to call.
        """
        while self._next is not None and self._next[0] < end:
            self._near.append(self._next)
            self._next = next(self._coming, None)
        self._near = [item for item in self._near if item[1] > begin]
        return max((item[1] for item in self._near if item[0] < end), default=None)


class CameraFiles:
    """One camera's files that may be deleted.

    Args:
        db: Open while the files are read.
        camera_id: The camera.
        rules: Say what belongs to an event.
        clips: Of this camera; sorted by their begins.
        now_utc_ns: Ends the events that last.
        skip: Whether the file at a path is left out.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        camera_id: str,
        *,
        rules: Rules,
        clips: Collection[Range],
        now_utc_ns: int,
        skip: Callable[[str], bool],
    ) -> None:
        self._db = db
        self._camera_id = camera_id
        self._rules = rules
        self._clips = clips
        self._now_utc_ns = now_utc_ns
        self._skip = skip

    def ordinary(self) -> Iterator[Recorded]:
        """Those that touch no event."""
        held = Held(heapq.merge(self._clips, self._events()))
        at: int | None = _EVER
        while at is not None:
            at = yield from self._walk(at, held)

    def events(self) -> Iterator[Recorded]:
        """Those that touch an event."""
        db, camera_id = self._db, self._camera_id
        longest = db.execute(LONGEST, (camera_id,)).fetchone()[0] or 0
        clips = Held(self._clips)
        there_from = self._next_start(_EVER)
        last = (_EVER, "")
        for begin, end in _merged(self._events()):
            if there_from is None:
                return
            if end <= there_from:
                continue
            values = {"camera": camera_id, "begin": begin, "end": end, "first": begin - longest}
            for path, file_begin, file_end, size in db.execute(TOUCHING, values):
                if (file_begin, path) <= last:
                    continue  # it touches the event before, too
                last = (file_begin, path)
                if clips.until(file_begin, file_end) is None and not self._skip(path):
                    yield Recorded(camera_id, path, file_begin, file_end, size, event=True)
            # Events of which nothing is left are stepped over without a question each.
            there_from = self._next_start(end)

    def _walk(self, at: int, held: Held) -> Generator[Recorded, None, int | None]:
        """Yields files from `at` on; returns where to go on after a long time that is held, None at the end."""
        for path, begin, end, size in self._db.execute(WALK, (self._camera_id, at)):
            until = held.until(begin, end)
            if until is None:
                if not self._skip(path):
                    yield Recorded(self._camera_id, path, begin, end, size)
            elif until - begin > _SKIP_NS:
                return until
        return None

    def _events(self) -> Iterator[Range]:
        first = self._next_start(_EVER)
        if first is None:
            return
        rules = self._rules
        since = first - LONGEST_EVENT_NS - rules.event_after_ns
        for begin, ended in self._db.execute(EVENTS, (self._camera_id, since)):
            end = min(self._now_utc_ns if ended is None else ended, begin + LONGEST_EVENT_NS)
            yield begin - rules.event_before_ns, max(end, begin + 1) + rules.event_after_ns

    def _next_start(self, at: int) -> int | None:
        row = self._db.execute(NEXT, (self._camera_id, at)).fetchone()
        return row[0] if row is not None else None


def _merged(ranges: Iterable[Range]) -> Iterator[Range]:
    """Ranges that touch each other as one."""
    current: Range | None = None
    for begin, end in ranges:
        if current is None:
            current = begin, end
        elif begin <= current[1]:
            current = current[0], max(current[1], end)
        else:
            yield current
            current = begin, end
    if current is not None:
        yield current


def stocks(
    db: sqlite3.Connection,
    rules: Rules,
    clips: Iterable[Clip],
    now_utc_ns: int,
    *,
    skip: Callable[[str], bool] = lambda _path: False,
    gone_bytes: Mapping[str, int] | None = None,
) -> dict[str, Stock]:
    """What may be deleted of every camera that the index knows; to be read while `db` is open.

    Args:
        db: The index.
        rules: Say what belongs to an event.
        clips: Are spared.
        now_utc_ns: Ends the events that last.
        skip: Whether the file at a path is left out.
        gone_bytes: By camera, what the index counts although it is gone.
    """
    gone = gone_bytes or {}
    ranges: dict[str, list[Range]] = {}
    for clip in clips:
        kept_until = max(clip.end_utc_ns, clip.begin_utc_ns + 1)  # a moment, too, is kept
        ranges.setdefault(clip.camera_id, []).append((clip.begin_utc_ns, kept_until))
    found = {}
    for camera_id, _, size in db.execute(TOTALS):
        kept = sorted(ranges.get(camera_id, ()))
        files = CameraFiles(db, camera_id, rules=rules, clips=kept, now_utc_ns=now_utc_ns, skip=skip)
        found[camera_id] = Stock(size - gone.get(camera_id, 0), files.ordinary(), files.events())
    return found


def clips(db: sqlite3.Connection) -> list[Clip]:
    """All clips of the cameras that have recordings. What else is on record about them is left out."""
    return [
        Clip(entry_id, camera_id, "", "", begin, begin if end is None else end)
        for camera_id, *_ in db.execute(TOTALS).fetchall()
        for entry_id, begin, end in db.execute(CLIPS, (camera_id,))
    ]


def holdings(db: sqlite3.Connection, now_utc_ns: int, since_utc_ns: int | None) -> dict[str, Holding]:
    """What there is of every camera.

    Args:
        db: The index.
        now_utc_ns: The time.
        since_utc_ns: The rate is taken from what was recorded since; from the last day with recordings if None.
    """
    kept = clips(db)
    totals = db.execute(TOTALS).fetchall()
    newest = {camera_id: db.execute(NEWEST, (camera_id,)).fetchall() for camera_id, *_ in totals}
    if since_utc_ns is None:
        # The rate of a service that does not run now is the one that it had.
        now_utc_ns = max((rows[0][0] for rows in newest.values() if rows), default=now_utc_ns)
        oldest = [row[0] for camera_id, *_ in totals if (row := db.execute(NEXT, (camera_id, _EVER)).fetchone())]
        since_utc_ns = max(min(oldest, default=now_utc_ns), now_utc_ns - DAY_S * NS)
    found = {}
    for camera_id, files, size in totals:
        rows = newest[camera_id]
        first = db.execute(NEXT, (camera_id, _EVER)).fetchone()
        duration_ns = sum(row[1] for row in rows)
        recent = int(db.execute(SINCE, (camera_id, since_utc_ns)).fetchone()[0])
        found[camera_id] = Holding(
            camera_id,
            files,
            size,
            _kept_bytes(db, camera_id, [clip for clip in kept if clip.camera_id == camera_id]),
            first[0] if first else None,
            rows[0][0] if rows else None,
            sum(row[2] for row in rows) * NS / duration_ns if duration_ns else 0.0,
            bytes_per_day(recent, since_utc_ns, now_utc_ns),
        )
    return found


def ahead_bytes(db: sqlite3.Connection, cameras: Iterable[str], seconds: float) -> dict[str, int]:
    """What cameras record in so many seconds, by their newest files."""
    found = {}
    for camera_id in cameras:
        rows = db.execute(NEWEST, (camera_id,)).fetchall()
        duration_ns = sum(row[1] for row in rows)
        found[camera_id] = round(sum(row[2] for row in rows) * NS * seconds / duration_ns) if duration_ns else 0
    return found


def _kept_bytes(db: sqlite3.Connection, camera_id: str, kept: list[Clip]) -> int:
    longest = db.execute(LONGEST, (camera_id,)).fetchone()[0] or 0
    sizes: dict[str, int] = {}
    for clip in kept:
        begin, end = clip.begin_utc_ns, max(clip.end_utc_ns, clip.begin_utc_ns + 1)
        values = {"camera": camera_id, "begin": begin, "end": end, "first": begin - longest}
        sizes.update((row[0], row[3]) for row in db.execute(TOUCHING, values))
    return sum(sizes.values())
