"""A camera's weekly schedule: whether it has a moment, and until when that is so."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from livecam_nvr.domain.segment import NS

DAY_S = 86_400
_HORIZON_DAYS = 8
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THURSDAY = 3  # 1970-01-01, counted from Monday

OffsetAt = Callable[[int], int]
"""Local time minus UTC in seconds, at a UTC in nanoseconds."""


@dataclass(frozen=True, slots=True)
class WeekTime:
    """A time of the week on the local clock."""

    days: frozenset[int]
    """The days it begins on; Monday is 0."""
    begin_s: int
    """Seconds on the clock, 0 to 86 400 (midnight after the day)."""
    end_s: int
    """Not later than `begin_s`: on the day after."""


Schedule = Sequence[WeekTime]


def week_time(days: Iterable[str], begin: str, end: str) -> WeekTime:
    """From the names of days (`mon` to `sun`) and two times like `18:30`, as they stand in the config."""
    return WeekTime(frozenset(_DAYS.index(day) for day in days), _seconds(begin), _seconds(end))


def has(schedule: Schedule, utc_ns: int, offset_at: OffsetAt) -> tuple[bool, int]:
    """Whether the schedule has the moment, and the UTC (ns) until which nothing about that changes.

    The latter is at most about a week ahead; ask again then. Where summer time begins, a time that the clock leaps
    over begins and ends with the leap; where it ends, one that the clock shows twice lasts from the first begin to
    the last end.
    """
    at_s = utc_ns // NS
    horizon_s = at_s + _HORIZON_DAYS * DAY_S
    spans = sorted(_spans(schedule, at_s, offset_at))
    until_s = None
    for begin_s, end_s in spans:
        if until_s is None and begin_s <= at_s < end_s:
            until_s = end_s
        elif until_s is not None and begin_s <= until_s:
            until_s = max(until_s, end_s)  # the next one begins before, or just when, this one ends
    if until_s is not None:
        return True, min(until_s, horizon_s) * NS
    return False, min([begin_s for begin_s, _ in spans if begin_s > at_s] + [horizon_s]) * NS


def _spans(schedule: Schedule, at_s: int, offset_at: OffsetAt) -> Iterator[tuple[int, int]]:
    """The schedule's times around a moment, in UTC seconds."""
    today = (at_s + offset_at(at_s * NS)) // DAY_S
    for day in range(today - 3, today + _HORIZON_DAYS + 1):
        for time in schedule:
            if (day + _THURSDAY) % 7 in time.days:
                length = time.end_s - time.begin_s
                begin_local = day * DAY_S + time.begin_s
                end_local = begin_local + (length if length > 0 else length + DAY_S)
                begin, end = _utc(begin_local, offset_at)[0], _utc(end_local, offset_at)[1]
                if begin < end:
                    yield begin, end


def _utc(local_s: int, offset_at: OffsetAt) -> tuple[int, int]:
    """The first and the last UTC at which the clock shows a local time; where it leaps over that, the leap."""
    before, after = (offset_at((local_s + days * DAY_S) * NS) for days in (-1, 1))
    if before == after:
        return local_s - before, local_s - before
    low, high = local_s - DAY_S, local_s + DAY_S
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(middle * NS) == before else (low, middle)
    leap = high
    first, last = local_s - before, local_s - after
    return (first if first < leap else max(last, leap)), (last if last >= leap else min(first, leap))


def _seconds(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 3600 + int(minutes) * 60
