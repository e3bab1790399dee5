import pytest
from fakes.core_stream import make_fragment, make_init

from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.gaps import CAUSES
from livecam_nvr.domain.media import Fragment, InitSegment
from livecam_nvr.domain.recording import Demand, begin_from, idle_cause, must_cut, slot_of
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingMode

DAY_S = 86_400


@pytest.mark.parametrize(
    ("utc_s", "offset_s", "segment_s", "slot"),
    [
        (0, 0, 30, 0),
        (29.999999999, 0, 30, 0),
        (30, 0, 30, 1),
        (30, 3600, 30, 121),
        # Nepal, 5:45: slots of an hour begin on the local hour, not on the UTC hour.
        (15 * 60 - 1, 20_700, 3600, 5),
        (15 * 60, 20_700, 3600, 6),
        (0, -3600, 3600, -1),
        (DAY_S - 7, 0, 10, DAY_S // 10 - 1),
    ],
)
def test_slots_lie_on_the_local_clock(utc_s: float, offset_s: int, segment_s: int, slot: int) -> None:
    assert slot_of(round(utc_s * NS), offset_s, segment_s) == slot


@pytest.mark.parametrize(
    ("keyframe", "at_s", "cut"),
    [
        (True, 1019.999, False),
        (False, 1020, False),
        (True, 1020, True),
        (True, 1021.5, True),
        (True, 5000, True),  # the clock was set ahead
        (True, 1009.5, False),  # a little older than the file's begin is jitter
        (True, 1008.9, True),  # the clock was set back
        (False, 900, False),
    ],
)
def test_a_file_is_cut_at_the_first_keyframe_of_a_later_slot(keyframe: bool, at_s: float, cut: bool) -> None:
    start_ns = 1010 * NS
    fragment = make_fragment(keyframe=keyframe, utc_ns=round(at_s * NS))
    assert must_cut(fragment, start_ns, slot_of(start_ns, 0, 30), 0, 30) is cut


def test_a_cut_keeps_to_the_local_time_that_the_file_began_in() -> None:
    start_ns = 1010 * NS  # ten seconds east of UTC: slots begin at 1010 and 1040
    slot = slot_of(start_ns, 10, 30)
    assert not must_cut(make_fragment(keyframe=True, utc_ns=1039 * NS), start_ns, slot, 10, 30)
    assert must_cut(make_fragment(keyframe=True, utc_ns=1040 * NS), start_ns, slot, 10, 30)


def stream(init: InitSegment, pattern: str, first: int = 0, at_s: float = 0.0) -> list[Fragment]:
    """`K` is a keyframe, `p` another frame; one a second, numbers and arrival from `first` and `at_s` on."""
    return [
        make_fragment(init, first + n, keyframe=kind == "K", arrived_s=at_s + n) for n, kind in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "pre_roll_s", "after", "begin"),
    [
        ("KppKppKp", 0, -1, 6),  # the newest keyframe
        ("KppKppKp", 1, -1, 6),  # old enough: now is one second after it
        ("KppKppKp", 1.5, -1, 3),
        ("KppKppKp", 4, -1, 3),
        ("KppKppKp", 5, -1, 0),
        ("KppKppKp", 60, -1, 0),  # memory does not reach so far: all there is
        ("KppKppKp", 60, 0, 3),  # 0 is in an earlier file
        ("KppKppKp", 60, 2, 3),
        ("KppKppKp", 60, 3, 6),
        ("KppKppKp", 0, 5, 6),
        ("KppKppKp", 0, 6, None),  # switched off and on within a GOP: wait for a keyframe
        ("KppKppKp", 60, 7, None),
        ("K", 0, -1, 0),
        ("", 10, -1, None),
    ],
)
def test_where_a_file_begins_that_is_switched_on(
    pattern: str, pre_roll_s: float, after: int, begin: int | None
) -> None:
    ring = stream(make_init(), pattern)
    found = begin_from(ring, len(ring) - 1, pre_roll_s, after)
    assert [f.number for f in found] == ([] if begin is None else list(range(begin, len(ring))))


def test_pre_roll_does_not_reach_into_an_earlier_run() -> None:
    ring = [*stream(make_init(), "KppKpp"), *stream(make_init(), "Kpp", first=6, at_s=6)]
    assert [f.number for f in begin_from(ring, 8.0, 30, -1)] == [6, 7, 8]


def test_the_age_of_a_keyframe_is_when_it_arrived() -> None:
    ring = stream(make_init(), "KpKp")
    assert begin_from(ring, 100.0, 10, -1)[0].number == 2


@pytest.mark.parametrize(
    ("mode", "on", "scheduled", "eventful", "idle"),
    [
        ("switched", True, False, False, None),
        ("switched", False, True, True, GapCause.SWITCHED_OFF),
        ("always", False, False, False, None),
        ("schedule", True, True, False, None),
        ("schedule", True, False, True, GapCause.SCHEDULE),
        ("schedule", False, True, True, GapCause.SWITCHED_OFF),
        ("events", True, False, True, None),
        ("events", True, True, False, GapCause.NO_EVENT),
        ("events", False, True, True, GapCause.SWITCHED_OFF),
    ],
)
def test_why_a_camera_is_not_recorded(
    mode: str, on: bool, scheduled: bool, eventful: bool, idle: GapCause | None
) -> None:
    now = {"on": on, "scheduled": scheduled, "eventful": eventful}
    assert idle_cause(RecordingMode(mode), **now, keeping=False) is idle
    assert idle_cause(RecordingMode(mode), **now, keeping=True) is None


def test_a_file_that_is_no_longer_wanted_says_why_and_so_does_the_gap_after_it() -> None:
    for idle in (GapCause.SWITCHED_OFF, GapCause.SCHEDULE, GapCause.NO_EVENT):
        assert CAUSES[Demand(on=False, idle=idle).end_cause] is idle
