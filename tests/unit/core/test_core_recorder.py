from dataclasses import replace
from itertools import pairwise

import pytest
from fakes.core_archive import FakeArchive, FakeWriter
from fakes.core_stream import FakeHub
from fakes.runtime_clock import FakeClock

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import RecordingChanged, SegmentFinished
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.recording import Demand
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import Fault, RecordingMode, RecordingStatus

FULL = Fault("only 0.01 GB free")
ON = Demand(on=True)
OFF = Demand(on=False, idle=GapCause.SWITCHED_OFF)


class Scene:
    """A recorder with its surroundings; the fake clock begins at 12:00:00 UTC."""

    def __init__(self, *, wanted: bool = True, segment_s: int = 30, pre_roll_s: float = 0) -> None:
        self.clock = FakeClock()
        self.hub = FakeHub(self.clock)
        self.archive = FakeArchive()
        self.bus = EventBus()
        self.told: list[RecordingStatus] = []
        self.finished: list[SegmentFinished] = []
        self.bus.subscribe(RecordingChanged, lambda event: self.told.append(event.status))
        self.bus.subscribe(SegmentFinished, self.finished.append)
        self.recorder = Recorder(
            self.hub,
            self.archive,
            self.bus,
            self.clock,
            segment_s=segment_s,
            pre_roll_s=pre_roll_s,
            wanted=wanted,
        )
        self.hub.sinks.append(self.recorder)

    @property
    def files(self) -> list[FakeWriter]:
        return self.archive.files

    @property
    def status(self) -> RecordingStatus:
        return self.recorder.status()

    def record(self, gops: int = 1) -> list[Fragment]:
        return [fragment for _ in range(gops) for fragment in self.hub.gop()]


def numbers(fragments: list[Fragment]) -> list[int]:
    return [fragment.number for fragment in fragments]


def test_it_begins_at_the_first_keyframe() -> None:
    scene = Scene()
    scene.hub.frame()
    assert scene.files == []
    assert not scene.status.active
    recorded = scene.record()
    assert scene.files[0].numbers == numbers(recorded)
    start = scene.files[0].start
    assert (start.camera_id, start.init, start.sequence) == ("cam0", recorded[0].init, 0)
    assert start.start_utc_ns == recorded[0].utc_ns


def test_files_are_cut_at_the_first_keyframe_of_a_slot() -> None:
    scene = Scene(segment_s=10)
    recorded = [f for _ in range(20) for f in scene.hub.gop(frames=4, every_s=0.7)]
    assert [n for file in scene.files for n in file.numbers] == numbers(recorded)
    begins = [(file.start.start_utc_ns - recorded[0].utc_ns) / NS for file in scene.files]
    # A keyframe every 2.8 s: the first at or after each 10 s.
    assert begins == pytest.approx([0, 11.2, 22.4, 30.8, 42.0, 50.4])
    assert [file.cause for file in scene.files[:-1]] == [EndCause.CLOCK] * 5
    assert [file.start.sequence for file in scene.files] == [0, 1, 2, 3, 4, 5]
    assert len({file.start.run_id for file in scene.files}) == 1


def test_slots_follow_the_local_clock() -> None:
    scene = Scene(segment_s=3600)
    scene.clock.offset_s = 20_700  # 5:45 east: it is 17:45:00, the hour ends in 15 minutes
    scene.record()
    scene.clock.advance(14 * 60)
    scene.record()
    assert len(scene.files) == 1
    scene.clock.advance(60)
    scene.record()
    assert len(scene.files) == 2
    assert {file.start.utc_offset_s for file in scene.files} == {20_700}


def test_a_clock_set_back_begins_a_new_file() -> None:
    scene = Scene(segment_s=3600)
    first = scene.record()
    scene.clock.step(-1800)
    second = scene.record()
    assert [file.numbers for file in scene.files] == [numbers(first), numbers(second)]
    assert scene.files[0].cause is EndCause.CLOCK


def test_a_new_run_is_a_new_file_with_its_own_run_id() -> None:
    scene = Scene()
    scene.record()
    scene.hub.end_run(EndCause.CAMERA)
    assert scene.files[0].cause is EndCause.CAMERA
    assert not scene.told[-1].active
    scene.hub.frame()
    scene.record()
    first, second = scene.files
    assert first.start.init is not second.start.init
    assert first.start.run_id != second.start.run_id
    assert second.start.sequence == 0


def test_another_init_without_an_end_is_a_new_file_too() -> None:
    scene = Scene()
    first = scene.record()
    other = first[0]._replace(init=replace(first[0].init), number=99)
    scene.recorder.on_fragment(other)
    assert [file.numbers for file in scene.files] == [numbers(first), [99]]
    assert scene.files[0].cause is EndCause.ENCODER


def test_switched_off_it_writes_nothing_and_says_so() -> None:
    scene = Scene()
    first = scene.record()
    scene.recorder.ask(OFF)
    assert scene.files[0].cause is EndCause.SWITCHED_OFF
    assert (scene.told[-1].wanted, scene.told[-1].active, scene.told[-1].current_path) == (False, False, None)
    scene.record(3)
    assert [file.numbers for file in scene.files] == [numbers(first)]
    assert scene.status.dropped_frames == 0


def test_switched_on_it_begins_at_once_with_the_newest_keyframe() -> None:
    scene = Scene(wanted=False)
    scene.record(2)
    newest = scene.record()
    scene.recorder.ask(ON)
    assert scene.files[0].numbers == numbers(newest)
    told = scene.told[-1]
    assert (told.wanted, told.active, told.current_path) == (True, True, scene.files[0].path)
    assert told.since_utc_ns == newest[0].utc_ns
    more = scene.record()
    assert scene.files[0].numbers == numbers(newest + more)


def test_switching_to_where_it_is_already_changes_nothing() -> None:
    scene = Scene()
    scene.record()
    told = len(scene.told)
    scene.recorder.ask(ON)
    assert len(scene.told) == told
    assert scene.files[0].cause is None


def test_pre_roll_reaches_back_into_memory() -> None:
    scene = Scene(wanted=False, pre_roll_s=2.0)
    gops = [scene.hub.gop() for _ in range(4)]  # 1.5 s each
    scene.recorder.ask(ON)
    assert scene.files[0].numbers == numbers(gops[2] + gops[3])


def test_pre_roll_over_the_border_of_a_slot_is_cut_there() -> None:
    scene = Scene(wanted=False, pre_roll_s=60, segment_s=10)
    recorded = scene.record(10)  # 15 s
    scene.recorder.ask(ON)
    assert [n for file in scene.files for n in file.numbers] == numbers(recorded)
    assert [file.cause for file in scene.files] == [EndCause.CLOCK, None]
    assert scene.status.current_path == scene.files[1].path


def test_pre_roll_never_repeats_what_an_earlier_file_has() -> None:
    scene = Scene(pre_roll_s=60)
    first = scene.record(2)
    scene.recorder.ask(OFF)
    off = scene.record(2)
    scene.recorder.ask(ON)
    assert [file.numbers for file in scene.files] == [numbers(first), numbers(off)]


def test_off_and_on_within_a_gop_waits_for_the_next_keyframe() -> None:
    scene = Scene()
    first = scene.record()
    scene.recorder.ask(OFF)
    scene.recorder.ask(ON)
    assert not scene.status.active
    scene.hub.frame()
    second = scene.record()
    assert [file.numbers for file in scene.files] == [numbers(first), numbers(second)]


def test_nothing_is_taken_from_memory_of_a_run_that_is_over() -> None:
    scene = Scene(wanted=False, pre_roll_s=60)
    scene.record()
    scene.hub.end_run()
    scene.recorder.ask(ON)
    assert scene.files == []
    again = scene.record()
    assert scene.files[0].numbers == numbers(again)


def test_a_failure_is_told_and_tried_again_at_a_keyframe_after_a_pause() -> None:
    scene = Scene()
    scene.record()
    scene.files[0].fail("No space left on device")
    assert not scene.status.active
    assert scene.told[-1].fault is not None
    assert scene.told[-1].fault.message == "No space left on device"
    assert scene.told[-1].wanted
    scene.hub.gop(frames=1, every_s=0.1)
    assert len(scene.files) == 1, "the disk is left alone for a moment"
    scene.clock.advance(1.5)
    scene.hub.frame()
    assert len(scene.files) == 1, "a file begins with a keyframe"
    scene.record()
    assert len(scene.files) == 2
    assert scene.status.active
    assert scene.status.fault is not None, "one file that was opened proves nothing yet"
    scene.record(3)
    assert scene.status.fault is None
    assert scene.told[-1].fault is None


def test_pauses_grow_while_the_disk_keeps_failing_and_begin_anew_when_it_works() -> None:
    scene = Scene()
    pauses, failed_ns = [], 0
    for _ in range(6):
        while not scene.status.active:
            scene.hub.gop(frames=1, every_s=0.1)
        if scene.files[:-1]:
            pauses.append((scene.files[-1].start.start_utc_ns - failed_ns) / NS)
        scene.files[-1].fail(keep=0)
        failed_ns = scene.clock.utc_ns()
    for pause, expected in zip(pauses, [1, 2, 4, 8, 10], strict=True):
        assert 0.8 * expected <= pause <= 1.2 * expected + 0.2
    scene.clock.advance(13)
    scene.record(4)
    assert scene.status.fault is None
    scene.files[-1].fail(keep=0)
    failed_ns = scene.clock.utc_ns()
    while not scene.status.active:
        scene.hub.gop(frames=1, every_s=0.1)
    assert scene.files[-1].start.start_utc_ns - failed_ns < 1.5 * NS


def test_a_disk_that_fails_for_hours_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    for attempt in range(4):
        while not scene.status.active:
            scene.hub.gop(frames=1, every_s=0.1)
        scene.files[-1].fail(f"No space left on device (cam0/{attempt}.mp4)", keep=0)
    assert [record.levelname for record in caplog.records] == ["ERROR"], caplog.text
    scene.clock.advance(13)
    scene.record(4)
    scene.files[-1].fail("No space left on device", keep=0)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"], "it had healed: a new failure"


def test_an_earlier_file_that_fails_does_not_end_the_running_one() -> None:
    scene = Scene(segment_s=10)
    scene.record(8)
    first, second = scene.files
    first.fail("Input/output error", keep=0)
    assert scene.status.active
    assert scene.status.current_path == second.path
    assert any(told.fault and told.fault.message == "Input/output error" for told in scene.told)
    scene.record()
    assert second.cause is None


def test_what_a_failed_file_lost_counts_as_dropped_and_not_as_written() -> None:
    scene = Scene()
    scene.record(2)
    scene.files[0].fail(keep=4)
    assert scene.status.frames == 4
    assert scene.status.dropped_frames == 2
    assert scene.status.bytes == 400
    assert scene.status.segments == 1
    scene.hub.gop(every_s=0.01)
    assert scene.status.dropped_frames == 5


def test_switched_off_a_fault_of_the_disk_is_of_no_concern() -> None:
    scene = Scene()
    scene.record()
    scene.files[0].fail()
    scene.recorder.ask(OFF)
    assert scene.told[-1].fault is None


def test_held_it_pauses_without_touching_the_switch() -> None:
    scene = Scene()
    first = scene.record()
    scene.recorder.hold(FULL)
    assert scene.files[0].cause is EndCause.DISK
    assert scene.told[-1] == replace(scene.status, wanted=True, active=False, fault=FULL)
    lost = scene.record()
    assert scene.status.dropped_frames == len(lost)
    newest = scene.record()
    scene.recorder.hold(None)
    assert [file.numbers for file in scene.files] == [numbers(first), numbers(newest)]
    assert scene.told[-1].fault is None
    assert scene.told[-1].active
    assert scene.status.dropped_frames == len(lost), "what came from memory was not dropped after all"


def test_holding_again_for_the_same_reason_is_told_once() -> None:
    scene = Scene()
    scene.recorder.hold(FULL)
    told = len(scene.told)
    scene.recorder.hold(FULL)
    assert len(scene.told) == told


def test_switched_on_while_held_it_waits() -> None:
    scene = Scene(wanted=False)
    scene.record()
    scene.recorder.hold(FULL)
    scene.recorder.ask(ON)
    assert scene.files == []
    assert (scene.told[-1].wanted, scene.told[-1].active, scene.told[-1].fault) == (True, False, FULL)
    scene.recorder.hold(None)
    assert scene.status.active


def test_released_while_switched_off_it_stays_off() -> None:
    scene = Scene(wanted=False)
    scene.record()
    scene.recorder.hold(FULL)
    scene.recorder.hold(None)
    scene.record()
    assert scene.files == []


def test_finished_segments_are_counted_and_told() -> None:
    scene = Scene(segment_s=10)
    scene.record(8)
    scene.archive.settle()
    assert [event.segment.path for event in scene.finished] == [scene.files[0].path]
    status = scene.told[-1]
    assert status.segments == 1
    assert status.last_segment is not None
    assert status.last_segment.path == scene.files[0].path
    assert status.last_segment.frames == len(scene.files[0].fragments)
    assert status.frames == 24
    assert status.bytes == 2400


def test_stopping_finishes_the_file_and_leaves_the_switch() -> None:
    scene = Scene()
    first = scene.record()
    scene.recorder.stop()
    scene.recorder.stop()
    assert scene.files[0].cause is EndCause.SERVICE
    scene.record()
    scene.recorder.hold(FULL)
    scene.recorder.hold(None)
    scene.hub.end_run()
    assert [file.numbers for file in scene.files] == [numbers(first)]
    assert scene.status.wanted
    assert not scene.status.active


def test_an_order_can_reach_further_back_than_usual() -> None:
    scene = Scene(wanted=False)
    gops = [scene.hub.gop() for _ in range(4)]  # 1.5 s each
    scene.recorder.ask(ON, reach_s=4.0)
    assert scene.files[0].numbers == numbers(gops[1] + gops[2] + gops[3])


def test_an_order_that_waits_for_the_disk_still_reaches_back_then() -> None:
    scene = Scene(wanted=False)
    scene.recorder.hold(FULL)
    scene.record()
    scene.recorder.ask(ON, reach_s=2.0)
    gops = [scene.hub.gop() for _ in range(2)]
    scene.recorder.hold(None)
    assert scene.files[0].numbers == numbers(gops[0] + gops[1])


@pytest.mark.parametrize(
    ("idle", "cause"),
    [
        (GapCause.SWITCHED_OFF, EndCause.SWITCHED_OFF),
        (GapCause.SCHEDULE, EndCause.SCHEDULE),
        (GapCause.NO_EVENT, EndCause.NO_EVENT),
    ],
)
def test_a_file_says_why_it_was_no_longer_wanted(idle: GapCause, cause: EndCause) -> None:
    scene = Scene()
    scene.record()
    scene.recorder.ask(Demand(True, RecordingMode.EVENTS, idle))
    assert scene.files[0].cause is cause
    assert (scene.told[-1].wanted, scene.told[-1].active, scene.told[-1].idle) == (True, False, idle)


def test_a_changed_order_to_record_goes_on_in_the_same_file() -> None:
    scene = Scene()
    first = scene.record()
    scene.recorder.ask(Demand(False, RecordingMode.SWITCHED, None, "", 123))
    assert (scene.told[-1].wanted, scene.told[-1].active, scene.told[-1].keeping_until_utc_ns) == (
        False,
        True,
        123,
    )
    more = scene.record()
    assert [file.numbers for file in scene.files] == [numbers(first + more)]


def test_an_order_while_the_camera_is_away_is_carried_out_when_it_is_back() -> None:
    scene = Scene(wanted=False)
    scene.record()
    scene.hub.end_run(EndCause.CAMERA)
    scene.recorder.ask(ON, reach_s=10)
    assert not scene.status.active
    scene.clock.advance(5)
    back = scene.record()
    assert [file.numbers for file in scene.files] == [numbers(back)]


@pytest.mark.parametrize("segment_s", [10, 60])
def test_another_length_counts_from_the_next_border_of_it(segment_s: int) -> None:
    scene = Scene(segment_s=30)
    scene.record(5)
    assert len(scene.files) == 1
    scene.recorder.configure(segment_s=segment_s, pre_roll_s=0)
    recorded = scene.record(200)
    starts = [file.start.start_utc_ns // NS for file in scene.files[1:]]
    assert len(starts) > 2
    assert all(start % segment_s <= 2 for start in starts), starts
    lengths = [later - earlier for earlier, later in pairwise(starts)]
    assert all(abs(length - segment_s) <= 2 for length in lengths)
    written = [number for file in scene.files for number in file.numbers]
    assert written[-len(recorded) :] == numbers(recorded)
