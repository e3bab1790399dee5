"""A schedule is local time, also on the days on which that is changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.schedule import Schedule, has, week_time
from livecam_nvr.domain.segment import NS

BERLIN = ZoneInfo("Europe/Berlin")
ALL = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def berlin(utc_ns: int) -> int:
    offset = datetime.fromtimestamp(utc_ns // NS, UTC).astimezone(BERLIN).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def ns(text: str) -> int:
    """A moment in UTC: `2026-11-21 09:30`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


def on_at(schedule: Schedule, text: str) -> tuple[bool, str]:
    on, until = has(schedule, ns(text), berlin)
    return on, f"{datetime.fromtimestamp(until // NS, UTC):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("at", "on", "until"),
    [
        # 2026-11-23 is a Monday; Berlin is one hour east of UTC in winter.
        ("2026-11-23 06:59", False, "2026-11-23 07:00"),
        ("2026-11-23 07:00", True, "2026-11-23 17:30"),
        ("2026-11-23 17:29", True, "2026-11-23 17:30"),
        ("2026-11-23 17:30", False, "2026-11-24 07:00"),
        ("2026-11-27 18:00", False, "2026-11-30 07:00"),  # over the weekend
    ],
)
def test_working_hours(at: str, on: bool, until: str) -> None:
    hours = (week_time(ALL[:5], "08:00", "18:30"),)
    assert on_at(hours, at) == (on, until)


@pytest.mark.parametrize(
    ("at", "on", "until"),
    [
        ("2026-11-22 20:59", False, "2026-11-23 21:00"),  # Sunday evening: the night of Sunday is not in it
        ("2026-11-23 21:00", True, "2026-11-24 05:00"),
        ("2026-11-24 04:59", True, "2026-11-24 05:00"),
        ("2026-11-24 05:00", False, "2026-11-30 21:00"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(at: str, on: bool, until: str) -> None:
    assert on_at((week_time(("mon",), "22:00", "06:00"),), at) == (on, until)


def test_times_that_touch_or_overlap_are_one() -> None:
    touching = (week_time(("mon",), "08:00", "24:00"), week_time(("tue",), "00:00", "09:00"))
    assert on_at(touching, "2026-11-23 12:00") == (True, "2026-11-24 08:00")
    overlapping = (week_time(("mon",), "08:00", "12:00"), week_time(("mon",), "09:00", "10:00"))
    assert on_at(overlapping, "2026-11-23 08:30") == (True, "2026-11-23 11:00")


def test_the_same_time_twice_is_a_whole_day_and_midnight_can_be_a_begin() -> None:
    assert on_at((week_time(("mon",), "08:00", "08:00"),), "2026-11-23 07:00") == (True, "2026-11-24 07:00")
    assert on_at((week_time(("mon",), "24:00", "06:00"),), "2026-11-24 00:00") == (True, "2026-11-24 05:00")


def test_what_never_changes_is_to_be_asked_again_some_day() -> None:
    assert on_at((), "2026-11-23 12:00") == (False, "2026-12-01 12:00")
    assert on_at((week_time(ALL, "00:00", "24:00"),), "2026-11-23 12:00") == (True, "2026-12-01 12:00")


@pytest.mark.parametrize(
    ("begin", "end", "begins", "ends"),
    [
        # 2026-03-29: at 01:00 UTC the clock leaps from 02:00 to 03:00.
        ("01:00", "04:00", "2026-03-29 00:00", "2026-03-29 02:00"),
        ("02:30", "04:00", "2026-03-29 01:00", "2026-03-29 02:00"),
        ("01:00", "02:30", "2026-03-29 00:00", "2026-03-29 01:00"),
        ("00:00", "24:00", "2026-03-28 23:00", "2026-03-29 22:00"),  # the day has 23 hours
        ("22:00", "06:00", "2026-03-29 20:00", "2026-03-30 04:00"),
    ],
)
def test_where_the_clock_leaps_ahead(begin: str, end: str, begins: str, ends: str) -> None:
    schedule = (week_time(("sun",), begin, end),)
    assert on_at(schedule, "2026-03-28 12:00") == (False, begins)
    assert on_at(schedule, begins) == (True, ends)
    assert on_at(schedule, ends)[0] is False


def test_a_time_that_the_clock_leaps_over_does_not_come() -> None:
    assert on_at((week_time(("sun",), "02:15", "02:45"),), "2026-03-28 12:00") == (False, "2026-04-05 00:15")


@pytest.mark.parametrize(
    ("begin", "end", "begins", "ends"),
    [
        # 2026-10-25: at 01:00 UTC the clock goes back from 03:00 to 02:00.
        ("01:00", "04:00", "2026-10-24 23:00", "2026-10-25 03:00"),
        ("02:15", "02:45", "2026-10-25 00:15", "2026-10-25 01:45"),  # shown twice: from the first to the last
        ("02:30", "04:00", "2026-10-25 00:30", "2026-10-25 03:00"),
        ("01:00", "02:30", "2026-10-24 23:00", "2026-10-25 01:30"),
        ("00:00", "24:00", "2026-10-24 22:00", "2026-10-25 23:00"),  # the day has 25 hours
    ],
)
def test_where_the_clock_goes_back(begin: str, end: str, begins: str, ends: str) -> None:
    schedule = (week_time(("sun",), begin, end),)
    assert on_at(schedule, "2026-10-24 12:00") == (False, begins)
    assert on_at(schedule, begins) == (True, ends)
    assert on_at(schedule, ends)[0] is False


CLOCKS = st.integers(0, 96).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
RULES = st.lists(
    st.builds(week_time, st.lists(st.sampled_from(ALL), min_size=1, unique=True), CLOCKS, CLOCKS), max_size=4
)


@given(
    schedule=RULES,
    minute=st.integers(0, 3 * 1440),
    begin=st.sampled_from(["2026-03-28 00:00", "2026-10-24 00:00", "2026-11-20 00:00"]),
)
def test_it_is_so_until_it_changes_and_agrees_with_the_clock_on_the_wall(
    schedule: Schedule, minute: int, begin: str
) -> None:
    at = ns(begin) + minute * 60 * NS
    on, until = has(schedule, at, berlin)
    assert at < until <= at + 8 * 86_400 * NS
    for share in (0.1, 0.5, 0.999):
        between = at + int((until - at) * share)
        assert has(schedule, between, berlin) == (on, has(schedule, between, berlin)[1])
    if until < at + 8 * 86_400 * NS:
        assert has(schedule, until, berlin)[0] is not on
    local = datetime.fromtimestamp(at // NS, UTC).astimezone(BERLIN)
    if (local.month, local.day) not in {(3, 29), (3, 30), (10, 25), (10, 26)}:
        assert on is on_the_wall(schedule, local)


def on_the_wall(schedule: Schedule, local: datetime) -> bool:
    """The plain reading of the schedule, for days without a change of the clock."""
    for back in (0, 1, 2):
        day = local - timedelta(days=back)
        second = local.hour * 3600 + local.minute * 60 + local.second + back * 86_400
        for time in schedule:
            end_s = time.end_s + (86_400 if time.end_s <= time.begin_s else 0)
            if day.weekday() in time.days and time.begin_s <= second < end_s:
                return True
    return False
