"""The plan of what is deleted: never more than the limits ask for, oldest first."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livecam_nvr.domain.retention import Doomed, Limits, Reason, Recorded, Rules, Stock, choose, summary
from livecam_nvr.domain.segment import NS

NOW = 1_763_726_400 * NS
MINUTE = 60 * NS
DAY = 86_400 * NS


def recorded(camera_id: str, age_min: float, size: int = 100, *, event: bool = False) -> Recorded:
    """One minute that ended `age_min` minutes ago."""
    end = NOW - round(age_min * MINUTE)
    return Recorded(camera_id, f"{camera_id}/{end - MINUTE}-{event}", end - MINUTE, end, size, event)


def stocks(files: Iterable[Recorded], kept_bytes: int = 0) -> dict[str, Stock]:
    by_camera: dict[str, list[Recorded]] = defaultdict(list)
    for file in sorted(files, key=lambda file: (file.begin_utc_ns, file.path)):
        by_camera[file.camera_id].append(file)
    return {
        camera_id: Stock(
            sum(file.bytes for file in own) + kept_bytes,
            iter([file for file in own if not file.event]),
            iter([file for file in own if file.event]),
        )
        for camera_id, own in by_camera.items()
    }


def plan(
    files: Iterable[Recorded],
    rules: Rules,
    free: int = 0,
    ahead: dict[str, int] | None = None,
    *,
    by_age: bool = True,
    kept_bytes: int = 0,
) -> list[Doomed]:
    found = stocks(files, kept_bytes)
    return list(choose(found, rules, now_utc_ns=NOW, free_bytes=free, ahead_bytes=ahead, by_age=by_age))


def ages(doomed: list[Doomed]) -> list[tuple[str, float]]:
    return [(item.file.camera_id, (NOW - item.file.end_utc_ns) / MINUTE) for item in doomed]


def test_without_limits_nothing_goes() -> None:
    assert plan([recorded("a", 1e6)], Rules()) == []


def test_what_ended_before_the_age_goes() -> None:
    files = [recorded("a", age) for age in (1, 59, 60, 61, 200)]
    doomed = plan(files, Rules(Limits(max_age_ns=60 * MINUTE)))
    assert ages(doomed) == [("a", 200), ("a", 61), ("a", 60)]
    assert {item.reason for item in doomed} == {Reason.AGE}


def test_a_clock_that_cannot_be_trusted_makes_nothing_old() -> None:
    rules = Rules(Limits(max_age_ns=MINUTE))
    assert plan([recorded("a", 1000)], rules, by_age=False) == []


def test_events_have_an_age_of_their_own() -> None:
    files = [recorded("a", age, event=event) for age in (30, 90, 300) for event in (False, True)]
    longer = Rules(Limits(max_age_ns=60 * MINUTE, event_max_age_ns=200 * MINUTE))
    doomed = plan(files, longer)
    assert [age for _, age in ages(doomed)] == [300, 90, 300]
    assert [item.file.event for item in doomed] == [False, False, True]
    shorter = Rules(Limits(max_age_ns=200 * MINUTE, event_max_age_ns=20 * MINUTE))
    assert len(plan(files, shorter)) == 4
    only_events = Rules(Limits(event_max_age_ns=60 * MINUTE))
    assert [item.file.event for item in plan(files, only_events)] == [True, True]


def test_a_camera_s_own_age_takes_the_place_of_the_one_for_all() -> None:
    files = [recorded(camera_id, age) for camera_id in ("a", "b", "c") for age in (10, 100, 1000)]
    rules = Rules(
        Limits(max_age_ns=50 * MINUTE),
        {"a": Limits(max_age_ns=500 * MINUTE), "b": Limits(max_age_ns=5 * MINUTE)},
    )
    gone = ages(plan(files, rules))
    assert sorted(gone) == [("a", 1000), ("b", 10), ("b", 100), ("b", 1000), ("c", 100), ("c", 1000)]


def test_for_the_size_of_all_the_oldest_of_all_cameras_go() -> None:
    files = [recorded("a", 40), recorded("b", 30), recorded("a", 20), recorded("b", 10)]
    doomed = plan(files, Rules(Limits(max_bytes=250)))
    assert ages(doomed) == [("a", 40), ("b", 30)]
    assert {item.reason for item in doomed} == {Reason.SIZE}


def test_a_camera_s_own_size_is_taken_from_it_alone_and_counts_for_all() -> None:
    files = [recorded("old", 100), recorded("big", 40), recorded("big", 30), recorded("big", 20)]
    rules = Rules(Limits(max_bytes=300), {"big": Limits(max_bytes=200)})
    assert ages(plan(files, rules)) == [("big", 40)]


def test_clips_count_for_the_size_but_do_not_go() -> None:
    files = [recorded("a", 20), recorded("a", 10)]
    assert len(plan(files, Rules(Limits(max_bytes=500)), kept_bytes=400)) == 1
    assert len(plan(files, Rules(Limits(max_bytes=100)), kept_bytes=400)) == 2


def test_room_is_made_before_it_is_needed() -> None:
    files = [recorded("a", age) for age in range(100, 0, -1)]
    rules = Rules(Limits(keep_free_bytes=1000))
    assert plan(files, rules, free=1000) == []
    assert len(plan(files, rules, free=1000, ahead={"a": 250})) == 3
    size = Rules(Limits(max_bytes=10_000))
    assert len(plan(files, size, ahead={"a": 500})) == 5
    assert len(plan(files, size, ahead={"a": 50_000})) == 10, "at most a tenth of the limit"


def test_zero_free_deletes_nothing_for_space() -> None:
    assert plan([recorded("a", 100)], Rules(Limits()), free=0, ahead={"a": 10**9}) == []


def test_a_camera_that_has_to_leave_more_free_goes_first() -> None:
    files = [recorded("good", 100), recorded("other", 90), recorded("other", 80), recorded("other", 70)]
    rules = Rules(Limits(keep_free_bytes=100), {"other": Limits(keep_free_bytes=350)})
    assert ages(plan(files, rules, free=50)) == [("other", 90), ("other", 80), ("other", 70)]
    assert ages(plan(files[:2], rules, free=0)) == [("other", 90)], "what it frees counts for the others"


def test_events_outlive_ordinary_recordings_but_not_for_ever() -> None:
    # One of a hundred minutes belongs to an event; the disk holds a tenth of all.
    files = [recorded("a", age, event=age % 100 == 0) for age in range(1, 10_001)]
    doomed = plan(files, Rules(Limits(max_bytes=100_000)))
    gone = {item.file.path for item in doomed}
    left = [file for file in files if file.path not in gone]
    oldest = min(file.begin_utc_ns for file in left if not file.event)
    oldest_event = min(file.begin_utc_ns for file in left if file.event)
    assert 3.9 < (NOW - oldest_event) / (NOW - oldest) < 4.1
    as_told = Rules(Limits(max_age_ns=30 * DAY, event_max_age_ns=300 * DAY, max_bytes=100_000))
    gone = {item.file.path for item in plan(files, as_told)}
    oldest = min(file.begin_utc_ns for file in files if not file.event and file.path not in gone)
    oldest_event = min(file.begin_utc_ns for file in files if file.event and file.path not in gone)
    assert 9 < (NOW - oldest_event) / (NOW - oldest) < 11.1


def test_nothing_is_read_that_is_not_needed() -> None:
    read: list[int] = []

    def files() -> Iterable[Recorded]:
        for age in range(1000, 0, -1):
            read.append(age)
            yield recorded("a", age)

    stock = {"a": Stock(100_000, iter(files()), iter(()))}
    rules = Rules(Limits(max_age_ns=995 * MINUTE, max_bytes=99_000, keep_free_bytes=5))
    assert len(list(choose(stock, rules, now_utc_ns=NOW, free_bytes=0))) == 10
    assert len(read) <= 11


@pytest.mark.parametrize(
    ("free", "files_go"),
    [
        (2000, 0),  # enough
        (1500, 5),
        (1000, 10),  # all of it is just enough
        (900, 2),  # it is not: only what recording needs, 1100
        (99, 0),  # not even that: others fill the disk
    ],
)
def test_nothing_goes_for_space_that_it_cannot_bring(free: int, files_go: int) -> None:
    files = [recorded("a", age, 100) for age in range(10)]
    rules = Rules(Limits(keep_free_bytes=2000), full_bytes=1000)
    assert len(plan(files, rules, free)) == files_go


def test_one_camera_s_level_is_its_own_even_where_that_of_all_is_the_same() -> None:
    files = [recorded("own", 100, 1), recorded("other", 90, 1)]
    rules = Rules(Limits(keep_free_bytes=5), {"own": Limits(keep_free_bytes=5)})
    assert ages(plan(files, rules, free=0)) == [("own", 100)], "5 bytes for all are out of reach"


CAMERAS = ("a", "b", "c")
amounts = st.integers(1, 500)
limits = st.builds(
    Limits,
    max_age_ns=st.none() | st.integers(1, 300).map(lambda minutes: minutes * MINUTE),
    event_max_age_ns=st.none() | st.integers(1, 300).map(lambda minutes: minutes * MINUTE),
    max_bytes=st.none() | st.integers(1, 5000),
    keep_free_bytes=st.integers(0, 3000),
)
all_rules = st.builds(Rules, limits, st.dictionaries(st.sampled_from(CAMERAS), limits))
archives = st.lists(
    st.builds(recorded, st.sampled_from(CAMERAS), st.integers(0, 300), amounts, event=st.booleans()),
    max_size=40,
    unique_by=lambda file: file.path,
)


def keeps_within(files: list[Recorded], rules: Rules, free: int, ahead: dict[str, int]) -> bool:
    """Whether the limits hold, told in the plainest way."""

    def fits(own: list[Recorded], limit: int | None, room: int) -> bool:
        return limit is None or sum(file.bytes for file in own) <= limit - min(room, limit // 10)

    for camera_id in CAMERAS:
        own = [file for file in files if file.camera_id == camera_id]
        ordinary, event = rules.ages(camera_id)
        for file in own:
            age = event if file.event else ordinary
            if age is not None and file.end_utc_ns <= NOW - age:
                return False
        mine = rules.own(camera_id)
        if not fits(own, mine.max_bytes, ahead.get(camera_id, 0)) or (own and free < mine.keep_free_bytes):
            return False
    whole = rules.whole
    wanted_free = whole.keep_free_bytes + sum(ahead.values()) if whole.keep_free_bytes else 0
    # What all of it would not bring is not wanted: then without room for what comes, or none (full_bytes is 0).
    most = free + sum(file.bytes for file in files)
    wanted_free = next((wish for wish in (wanted_free, whole.keep_free_bytes) if most >= wish), 0)
    return fits(files, whole.max_bytes, sum(ahead.values())) and not (files and free < wanted_free)


@given(archives, all_rules, st.integers(0, 3000), st.dictionaries(st.sampled_from(CAMERAS), st.integers(0, 300)))
@example([recorded("a", 0, 1)], Rules(Limits(keep_free_bytes=2), {"a": Limits(keep_free_bytes=2)}), 0, {})
def test_the_limits_hold_afterwards_and_not_before(
    files: list[Recorded], rules: Rules, free: int, ahead: dict[str, int]
) -> None:
    ahead = {camera_id: size for camera_id, size in ahead.items() if camera_id in stocks(files)}
    doomed = plan(files, rules, free, ahead)
    gone = {item.file.path: item.file for item in doomed}
    assert len(gone) == len(doomed)
    assert set(gone) <= {file.path for file in files}
    left = [file for file in files if file.path not in gone]
    free_then = free + sum(file.bytes for file in gone.values())
    assert keeps_within(left, rules, free_then, ahead)
    still, free_still = list(files), free
    for item in doomed:
        assert not keeps_within(still, rules, free_still, ahead), "nothing goes once all limits hold"
        still.remove(item.file)
        free_still += item.file.bytes
    again = plan(left, rules, free_then, ahead)
    assert again == [], "what is done once is enough"


@given(archives, all_rules, st.integers(0, 3000))
def test_of_each_camera_the_oldest_go_first(files: list[Recorded], rules: Rules, free: int) -> None:
    doomed = plan(files, rules, free)
    gone = {item.file.path for item in doomed}
    for camera_id in CAMERAS:
        for event in (False, True):
            own = [file for file in files if (file.camera_id, file.event) == (camera_id, event)]
            deleted = [file.begin_utc_ns for file in own if file.path in gone]
            assert all(file.begin_utc_ns >= max(deleted) for file in own if file.path not in gone and deleted)


@given(archives, st.integers(1, 5000))
def test_for_the_size_of_all_no_younger_one_goes_before_an_older(files: list[Recorded], most: int) -> None:
    ordinary = [replace(file, event=False) for file in files]
    doomed = plan(ordinary, Rules(Limits(max_bytes=most)))
    begins = [item.file.begin_utc_ns for item in doomed]
    assert begins == sorted(begins)
    gone = {item.file.path for item in doomed}
    assert all(file.begin_utc_ns >= begins[-1] for file in ordinary if file.path not in gone and begins)


@given(archives, all_rules, st.integers(0, 3000))
def test_the_summary_adds_up(files: list[Recorded], rules: Rules, free: int) -> None:
    doomed = plan(files, rules, free)
    found = summary(doomed)
    assert sum(part.files for part in found) == len(doomed)
    assert sum(part.bytes for part in found) == sum(item.file.bytes for item in doomed)
    for part in found:
        own = [i.file for i in doomed if (i.file.camera_id, i.reason) == (part.camera_id, part.reason)]
        assert part.begin_utc_ns == min(file.begin_utc_ns for file in own)
        assert part.end_utc_ns == max(file.end_utc_ns for file in own)
