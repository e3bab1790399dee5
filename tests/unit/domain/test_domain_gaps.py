"""Coverage: footage and gaps fill a range exactly, and every gap has its cause."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from livecam_nvr.domain.coverage import Coverage, Gap, GapCause, Span
from livecam_nvr.domain.gap_words import in_words
from livecam_nvr.domain.gaps import CAUSES, JITTER_NS, Stretch, coverage, joined, stretches
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment

FAR = 10**9 * NS


def segment(begin_s: float, length_s: float = 30, sequence: int = 0, **more: object) -> Segment:
    begin = round(begin_s * NS)
    made = Segment(
        "cam0", f"cam0/261121/{begin}.mp4", begin, round(length_s * NS), 0, round(length_s * 30), 1, 1, sequence,
        EndCause.CLOCK, "avc1", 640, 360,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def state(at_s: float, cause: str = "", **data: str) -> Entry:
    return Entry("cam0", EntryKind.STATE, round(at_s * NS), data={"cause": cause, **data})


def deleted(begin_s: float, end_s: float) -> Entry:
    return Entry("cam0", EntryKind.DELETED, round(begin_s * NS), round(end_s * NS), {"files": 3})


def pause(begin_s: float, end_s: float) -> Entry:
    return Entry("cam0", EntryKind.PAUSE, round(begin_s * NS), round(end_s * NS), {"cause": "camera"})


def look(begin_s: float, end_s: float, segments: list[Segment], *entries: Entry, now_s: float = 1e9) -> Coverage:
    footage = joined(stretches(segments))
    asked = Span(round(begin_s * NS), round(end_s * NS))
    return coverage("cam0", asked, footage, entries, now_utc_ns=round(now_s * NS))


def told(found: Coverage) -> list[tuple[float, float, GapCause]]:
    return [(gap.begin_utc_ns / NS, gap.end_utc_ns / NS, gap.cause) for gap in found.gaps]


def test_files_of_a_run_touch_whatever_the_clock_says() -> None:
    jitter = [0, 30.1, 59.8, 91.7, 120]
    found = look(0, 150, [segment(at, sequence=number) for number, at in enumerate(jitter)])
    assert found.spans == (Span(0, 150 * NS),)
    assert (found.share, found.share_of_wanted) == (1.0, 1.0)


def test_a_file_that_ended_otherwise_leaves_a_gap() -> None:
    for cause, expected in (
        (EndCause.CAMERA, GapCause.CAMERA),
        (EndCause.ENCODER, GapCause.ENCODER),
        (EndCause.DISK, GapCause.DISK),
        (EndCause.SERVICE, GapCause.SERVICE_STOPPED),
        (EndCause.SWITCHED_OFF, GapCause.SWITCHED_OFF),
        (EndCause.CLOCK, GapCause.UNKNOWN),
    ):
        found = look(0, 90, [segment(0, cause=cause), segment(60, run_id=2)])
        assert told(found) == [(30, 60, expected)]


def test_merged_files_count_as_what_they_hold() -> None:
    made = [segment(0, 600, 0, merged=20), segment(601, 30, 20), segment(632, 30, 21)]
    assert not look(0, 660, made).gaps
    assert look(0, 660, [made[0], replace(made[1], sequence=19), made[2]]).gaps


def test_every_end_of_a_file_says_something_about_the_gap_after_it() -> None:
    for cause in EndCause:
        [gap] = look(0, 90, [segment(0, cause=cause), segment(60, run_id=2)]).gaps
        assert gap.cause is (GapCause.UNKNOWN if cause is EndCause.CLOCK else CAUSES[cause])


def test_a_small_step_between_runs_is_no_gap() -> None:
    assert not look(0, 60, [segment(0, cause=EndCause.RECONFIGURED), segment(30.24, run_id=2)]).gaps
    slow = replace(segment(0, cause=EndCause.RECONFIGURED), frames=30)  # one frame a second
    assert not look(0, 60, [slow, segment(31.4, run_id=2)]).gaps
    assert look(0, 60, [slow, segment(31.6, run_id=2)]).gaps


def test_the_clock_was_set_forward() -> None:
    found = look(0, 3660, [segment(0), segment(3630, sequence=1)])
    assert told(found) == [(30, 3630, GapCause.CLOCK_SET)]
    assert found.share_of_wanted == 1.0
    assert in_words(found.gaps[0]).endswith("the clock was set forward by 3600 s")


def test_overlapping_files_count_once() -> None:
    found = look(0, 100, [segment(0, 100), segment(10, 10, run_id=2), segment(40, 30, run_id=3)])
    assert found.spans == (Span(0, 100 * NS),)


def test_states_explain_and_split_a_gap() -> None:
    entries = [
        state(-1),
        state(35, "camera", words="no route to host"),
        state(50, "switched_off", by="the page"),
        state(80, "service_stopped"),
    ]
    found = look(0, 120, [segment(0, cause=EndCause.CAMERA), segment(100, run_id=2)], *entries)
    assert told(found) == [
        (30, 50, GapCause.CAMERA),
        (50, 80, GapCause.SWITCHED_OFF),
        (80, 100, GapCause.SERVICE_STOPPED),
    ]
    assert [in_words(gap) for gap in found.gaps] == [
        "the camera was away: no route to host",
        "recording was switched off by the page",
        "the service was stopped",
    ]
    assert found.recorded_ns == 50 * NS
    assert found.share_of_wanted == 50 / 90


def test_of_several_states_at_one_moment_the_last_one_holds() -> None:
    found = look(0, 100, [segment(0)], state(40, "switched_off", by="anna"), state(40, "schedule"))
    assert told(found) == [(30, 100, GapCause.SCHEDULE)]


def test_what_was_noticed_a_little_later_explains_what_went_before() -> None:
    found = look(0, 300, [segment(0)], state(-1), state(70, "service_crashed"))
    assert told(found) == [(30, 300, GapCause.SERVICE_CRASHED)]
    late = look(0, 900, [segment(0)], state(-1), state(700, "service_crashed"))
    assert told(late) == [(30, 700, GapCause.UNKNOWN), (700, 900, GapCause.SERVICE_CRASHED)]
    early = look(
        0, 120, [segment(0, cause=EndCause.CAMERA), segment(100, run_id=2)], state(31, "camera"), state(90)
    )
    assert told(early) == [(30, 100, GapCause.CAMERA)]


def test_before_the_first_there_was_never_anything() -> None:
    assert told(look(0, 100, [segment(60)], state(60.5))) == [
        (0, 60, GapCause.NEVER),
        (90, 100, GapCause.UNKNOWN),
    ]
    assert told(look(0, 60, [], state(20, "camera"))) == [(0, 20, GapCause.NEVER), (20, 60, GapCause.CAMERA)]
    assert told(look(0, 600, [], state(400, "camera"))) == [(0, 400, GapCause.NEVER), (400, 600, GapCause.CAMERA)]


def test_deleted_footage_is_known_as_such() -> None:
    entries = [state(-1000), deleted(0, 290), deleted(100, 200), state(50, "switched_off"), state(60), state(250)]
    found = look(0, 330, [segment(290)], *entries)
    assert told(found) == [
        (0, 50, GapCause.DELETED),
        (50, 60, GapCause.SWITCHED_OFF),
        (60, 290, GapCause.DELETED),
        (320, 330, GapCause.UNKNOWN),
    ]


def test_what_was_noticed_late_was_not_deleted() -> None:
    """What is kept may lie within what was deleted; between its end and the news of it nothing was recorded."""
    kept = segment(100, cause=EndCause.SERVICE)
    notes = [state(-10), deleted(0, 300), state(132, "service_crashed"), state(150), state(310, "camera")]
    assert told(look(0, 320, [kept], *notes)) == [
        (0, 100, GapCause.DELETED),
        (130, 150, GapCause.SERVICE_CRASHED),
        (150, 300, GapCause.DELETED),
        (300, 320, GapCause.CAMERA),
    ]
    # But where it went on after the kept file, the next one is gone.
    assert told(look(100, 150, [replace(kept, cause=EndCause.CLOCK)], *notes)) == [
        (130, 132, GapCause.DELETED),
        (132, 150, GapCause.SERVICE_CRASHED),
    ]


def test_pauses_are_no_footage() -> None:
    found = look(0, 60, [segment(0, 60)], pause(-5, 2), pause(10, 12), pause(58, 70))
    assert told(found) == [(0, 2, GapCause.CAMERA), (10, 12, GapCause.CAMERA), (58, 60, GapCause.CAMERA)]
    assert found.spans == (Span(2 * NS, 10 * NS), Span(12 * NS, 58 * NS))


def test_what_is_on_its_way_is_no_gap() -> None:
    found = look(0, 33, [segment(0)], state(0.5), now_s=33)
    assert (found.range.end_utc_ns, found.gaps, found.share) == (30 * NS, (), 1.0)
    assert told(look(0, 33, [segment(0)], state(0.5), now_s=60)) == [(30, 33, GapCause.UNKNOWN)], (
        "that is the past"
    )
    assert told(look(0, 33, [segment(0)], state(0.5), state(31, "disk"), now_s=33)) == [(30, 33, GapCause.DISK)]
    assert told(look(0, 40, [segment(0)], state(0.5), now_s=40)) == [(30, 40, GapCause.UNKNOWN)]


def test_a_cause_of_a_later_version_is_unknown() -> None:
    assert told(look(0, 60, [], state(-5, "aliens"))) == [(0, 60, GapCause.UNKNOWN)]


def test_every_cause_has_words() -> None:
    assert len({in_words(Gap(0, 1, cause)) for cause in GapCause}) == len(GapCause)


seconds = st.integers(0, 4000).map(lambda number: number / 4)
causes = st.sampled_from(["", *(cause.value for cause in GapCause if cause is not GapCause.UNKNOWN)])
segments = st.builds(
    segment,
    seconds,
    st.sampled_from([0.3, 5, 30, 100]),
    st.integers(0, 5),
    run_id=st.integers(1, 3),
    cause=st.sampled_from(EndCause),
)
entries = st.one_of(
    st.builds(state, seconds, causes),
    st.builds(lambda at, length: deleted(at, at + length), seconds, seconds),
    st.builds(lambda at, length: pause(at, at + length / 50), seconds, seconds),
)


@given(st.lists(segments, max_size=12), st.lists(entries, max_size=12), seconds, seconds)
@example([], [state(0.25, "switched_off"), state(0.25, "schedule")], 0, 0.25)
@example([], [state(0.25, "switched_off"), state(0.25, "schedule")], 0, 0)
def test_footage_and_gaps_fill_the_range_in_order(
    made: list[Segment], notes: list[Entry], one: float, other: float
) -> None:
    begin, end = min(one, other), max(one, other) + 0.25
    made.sort(key=lambda item: item.start_utc_ns)
    found = look(begin, end, made, *notes)
    assert found.range == Span(round(begin * NS), round(end * NS))
    at = found.range.begin_utc_ns
    for part in sorted((*found.spans, *found.gaps), key=lambda part: part.begin_utc_ns):
        assert part.begin_utc_ns == at
        assert part.end_utc_ns > at
        at = part.end_utc_ns
    assert at == found.range.end_utc_ns
    assert list(found.spans) == sorted(found.spans, key=lambda span: span.begin_utc_ns)
    assert list(found.gaps) == sorted(found.gaps, key=lambda gap: gap.begin_utc_ns)
    union = _union([(s.start_utc_ns, s.end_utc_ns) for s in made], found.range)
    assert found.recorded_ns <= union + len(made) * JITTER_NS


@given(st.lists(segments, max_size=12), st.lists(st.builds(state, seconds, causes.filter(bool)), max_size=8))
def test_with_a_cause_for_every_moment_no_gap_is_unexplained(made: list[Segment], states: list[Entry]) -> None:
    made.sort(key=lambda item: item.start_utc_ns)
    found = look(0, 1000, made, state(-1, "camera"), *states)
    assert all(gap.cause is not GapCause.UNKNOWN for gap in found.gaps)


@given(st.lists(segments, min_size=1, max_size=10), st.integers(0, 9))
def test_parts_join_to_the_same_as_the_whole(made: list[Segment], cut: int) -> None:
    apart = [segment(at * 40, run_id=at) for at in range(len(made))]
    whole = stretches(apart)
    parts = [*stretches(apart[:cut]), *stretches(apart[cut:])]
    assert joined(reversed(parts)) == whole
    assert joined([Stretch(0, 9 * NS, EndCause.CLOCK), Stretch(2 * NS, 3 * NS, EndCause.CAMERA)]) == [
        Stretch(0, 9 * NS, EndCause.CLOCK)
    ]


def _union(parts: list[tuple[int, int]], bounds: Span) -> int:
    total, at = 0, bounds.begin_utc_ns
    for begin, end in sorted(parts):
        first, last = max(begin, at), min(end, bounds.end_utc_ns)
        if last > first:
            total, at = total + last - first, last
    return total
