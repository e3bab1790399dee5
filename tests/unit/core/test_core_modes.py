"""What a camera's recording depends on."""

import pytest
from fakes.core_triggers import Cameras
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.schedule import week_time
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingMode

ALL = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The clock begins on a Friday at 12:00:00.
AFTERNOON = (week_time(ALL, "12:01", "12:03"),)


def test_always_means_whatever_the_switch_says() -> None:
    cameras = Cameras(RecordingMode.ALWAYS, on=False)
    cameras.film(2)
    status = cameras.status()
    assert (status.wanted, status.active, status.mode, status.idle) == (True, True, RecordingMode.ALWAYS, None)


def test_switched_off_it_says_by_whom() -> None:
    cameras = Cameras()
    cameras.film(2)
    cameras.switches.set_recording("cam0", False, by="MQTT")
    assert (cameras.status().idle, cameras.status().idle_by) == (GapCause.SWITCHED_OFF, "MQTT")
    cameras.switches.set_recording("cam0", True, by="the page")
    assert (cameras.status().idle, cameras.status().idle_by) == (None, "")


def test_a_schedule_begins_and_ends_files_on_its_minute() -> None:
    cameras = Cameras(RecordingMode.SCHEDULE, schedule=AFTERNOON, pre_roll_s=2)
    assert cameras.ticker.look() == 5.0, "a clock that is set is noticed soon"
    cameras.film(58)
    assert cameras.ticker.look() == pytest.approx(2.0)
    assert cameras.status().idle is GapCause.SCHEDULE
    cameras.film(2)
    (file,) = cameras.files
    assert (file.start.start_utc_ns - NOON_UTC_NS) / NS == pytest.approx(58), "the usual pre-roll"
    cameras.film(119)
    assert file.cause is None
    cameras.film(1)
    assert file.cause is EndCause.SCHEDULE
    assert len(file.numbers) == 4 * 122
    assert cameras.told[-1].idle is GapCause.SCHEDULE


def test_a_schedule_means_nothing_while_it_is_switched_off() -> None:
    cameras = Cameras(RecordingMode.SCHEDULE, schedule=AFTERNOON, on=False)
    cameras.film(100)
    assert cameras.files == []
    assert cameras.status().idle is GapCause.SWITCHED_OFF
    assert cameras.status().idle_by == "the config"
    cameras.switches.set_recording("cam0", True, by="the page")
    assert cameras.status().active


@pytest.mark.parametrize("step_s", [90, -86_400 + 90])
def test_a_clock_that_is_set_into_the_scheduled_time_is_noticed(step_s: int) -> None:
    cameras = Cameras(RecordingMode.SCHEDULE, schedule=AFTERNOON)
    cameras.film(1)
    cameras.clock.step(step_s)
    cameras.film(1)
    assert cameras.status().active
    cameras.clock.step(-step_s)
    cameras.film(1)
    assert cameras.status().idle is GapCause.SCHEDULE


def test_an_event_is_recorded_with_what_came_before_and_after_it() -> None:
    cameras = Cameras(RecordingMode.EVENTS)
    before = cameras.film(20)
    assert cameras.files == []
    assert cameras.status().idle is GapCause.NO_EVENT
    cameras.switches.event("cam0", lasts=True)
    during = cameras.film(30)
    cameras.switches.event("cam0", lasts=False, lasted_s=30)
    after = cameras.film(9)
    (file,) = cameras.files
    assert file.cause is None
    after += cameras.film(1)
    assert file.cause is EndCause.NO_EVENT
    assert file.numbers == before[-5 * 4 :] + during + after
    cameras.film(5)
    assert len(cameras.files) == 1


def test_events_closer_than_the_post_roll_are_one_file() -> None:
    cameras = Cameras(RecordingMode.EVENTS)
    cameras.film(10)
    for _ in range(3):
        cameras.switches.event("cam0", lasts=True)
        cameras.film(4)
        cameras.switches.event("cam0", lasts=False)
        cameras.film(9)
    (file,) = cameras.files
    cameras.film(1)
    assert file.cause is EndCause.NO_EVENT
    assert len(file.numbers) == 4 * (5 + 2 * 13 + 14)


def test_an_event_that_is_over_already_reaches_further_back() -> None:
    cameras = Cameras(RecordingMode.EVENTS)
    before = cameras.film(30)
    cameras.switches.event("cam0", lasts=False, lasted_s=7)
    after = cameras.film(11)
    assert [file.numbers for file in cameras.files] == [before[-12 * 4 :] + after[: 10 * 4]]


def test_an_event_soon_after_another_repeats_no_frame() -> None:
    cameras = Cameras(RecordingMode.EVENTS)
    filmed = cameras.film(10)
    cameras.switches.event("cam0", lasts=False)
    filmed += cameras.film(12)
    cameras.switches.event("cam0", lasts=False)
    filmed += cameras.film(9)
    assert [n for file in cameras.files for n in file.numbers] == filmed[5 * 4 :]
    assert [file.cause for file in cameras.files] == [EndCause.NO_EVENT, None]


def test_an_event_while_the_camera_is_away_is_recorded_from_when_it_is_back() -> None:
    cameras = Cameras(RecordingMode.EVENTS)
    cameras.film(5)
    cameras.hubs["cam0"].end_run(EndCause.CAMERA)
    cameras.switches.event("cam0", lasts=True)
    cameras.clock.advance(20)
    assert (cameras.status().active, cameras.status().idle) == (False, None)
    back = cameras.film(3)
    assert [file.numbers for file in cameras.files] == [back]


def test_an_event_that_is_over_before_the_camera_is_back_begins_no_file() -> None:
    cameras = Cameras(RecordingMode.EVENTS)
    cameras.film(5)
    cameras.hubs["cam0"].end_run(EndCause.CAMERA)
    cameras.switches.event("cam0", lasts=False)
    cameras.clock.advance(20)
    cameras.ticker.look()
    cameras.film(3)
    assert cameras.files == []


def test_events_mean_nothing_while_it_is_switched_off() -> None:
    cameras = Cameras(RecordingMode.EVENTS, on=False)
    cameras.film(5)
    cameras.switches.event("cam0", lasts=True)
    cameras.film(5)
    assert cameras.files == []
    cameras.switches.set_recording("cam0", True, by="the page")
    assert cameras.status().active, "it lasts still"


def test_a_mode_that_is_chosen_while_an_event_lasts_begins_with_its_pre_roll() -> None:
    cameras = Cameras(RecordingMode.SWITCHED, on=False)
    before = cameras.film(10)
    cameras.switches.event("cam0", lasts=True)
    cameras.switches.set_mode("cam0", RecordingMode.EVENTS, by="MQTT")
    assert cameras.files == []
    cameras.switches.set_recording("cam0", True, by="MQTT")
    assert cameras.files[0].numbers == before[-4:], "what was before it was switched on is nobody's concern"


def test_kept_while_switched_off() -> None:
    cameras = Cameras(on=False)
    before = cameras.film(60)
    cameras.switches.keep("cam0", 20, 15)
    status = cameras.status()
    assert (status.wanted, status.active, status.idle) == (False, True, None)
    assert status.keeping_until_utc_ns == cameras.clock.utc_ns() + 15 * NS
    after = cameras.film(15)
    (file,) = cameras.files
    assert file.cause is None, "the last frames may still be on their way"
    after += cameras.film(1)
    assert file.numbers == before[-20 * 4 :] + after
    assert file.cause is EndCause.SWITCHED_OFF
    assert cameras.told[-1].keeping_until_utc_ns is None
    assert cameras.told[-1].idle_by == "the config"


def test_kept_while_recording_no_file_ends() -> None:
    cameras = Cameras()
    cameras.film(10)
    cameras.switches.keep("cam0", 20, 15)
    cameras.film(5)
    cameras.switches.set_recording("cam0", False, by="the page")
    assert (cameras.status().wanted, cameras.status().active) == (False, True)
    cameras.film(5)
    cameras.switches.set_recording("cam0", True, by="the page")
    cameras.film(30)
    (file,) = cameras.files
    assert file.cause is None


def test_a_shorter_keep_does_not_cut_a_longer_one() -> None:
    cameras = Cameras(on=False)
    cameras.film(10)
    cameras.switches.keep("cam0", 5, 30)
    until = cameras.status().keeping_until_utc_ns
    cameras.switches.keep("cam0", 5, 1)
    assert cameras.status().keeping_until_utc_ns == until
    cameras.film(30)
    assert cameras.status().active


class Triggers(RuleBasedStateMachine):
    """Everything at once beside a model that remembers what happened and reads it anew each time."""

    @initialize(mode=st.sampled_from(RecordingMode), on=st.booleans())
    def begin(self, mode: RecordingMode, on: bool) -> None:
        self.cameras = Cameras(mode, on=on, schedule=AFTERNOON, clock=FakeClock())
        self.mode, self.on = mode, on
        self.lasts = False
        self.event_s = self.keep_s = float("-inf")
        self.cameras.film(2)

    @rule(on=st.booleans())
    def switch(self, on: bool) -> None:
        if on or self.mode is not RecordingMode.ALWAYS:
            self.cameras.switches.set_recording("cam0", on, by="the test")
            self.on = on

    @rule(mode=st.sampled_from(RecordingMode))
    def become(self, mode: RecordingMode) -> None:
        self.cameras.switches.set_mode("cam0", mode, by="the test")
        self.mode = mode

    @rule(lasts=st.booleans(), lasted_s=st.sampled_from([0, 3, 100]))
    def event(self, lasts: bool, lasted_s: float) -> None:
        self.cameras.switches.event("cam0", lasts=lasts, lasted_s=lasted_s)
        self.lasts, self.event_s = lasts, self.cameras.clock.monotonic() + 10

    @rule(before_s=st.sampled_from([0, 4, 60]), after_s=st.sampled_from([0, 2, 20]))
    def keep(self, before_s: float, after_s: float) -> None:
        self.cameras.switches.keep("cam0", before_s, after_s)
        self.keep_s = max(self.keep_s, self.cameras.clock.monotonic() + after_s + 1)

    @rule(seconds=st.integers(1, 40))
    def film(self, seconds: int) -> None:
        self.cameras.film(seconds)

    @rule(seconds=st.sampled_from([-3600, -30, 30, 60, 3600]))
    def clock_is_set(self, seconds: int) -> None:
        self.cameras.clock.step(seconds)
        self.cameras.ticker.look()

    @invariant()
    def it_records_exactly_while_something_wants_it(self) -> None:
        now_s = self.cameras.clock.monotonic()
        minute = self.cameras.clock.utc_ns() // NS % 86_400 / 60
        wanted = (
            self.mode is RecordingMode.ALWAYS
            or now_s < self.keep_s
            or (
                self.on
                and {
                    RecordingMode.SWITCHED: True,
                    RecordingMode.SCHEDULE: 12 * 60 + 1 <= minute < 12 * 60 + 3,
                    RecordingMode.EVENTS: self.lasts or now_s < self.event_s,
                }[self.mode]
            )
        )
        status = self.cameras.status()
        assert (status.idle is None) is wanted
        assert status.mode is self.mode
        assert status.wanted is (self.on or self.mode is RecordingMode.ALWAYS)
        assert (status.idle is GapCause.SWITCHED_OFF) is (not wanted and not self.on)
        assert wanted or not status.active

    @invariant()
    def no_frame_is_in_two_files(self) -> None:
        recorded = [number for file in self.cameras.files for number in file.numbers]
        assert recorded == sorted(set(recorded))
        assert all(
            file.cause in {EndCause.SWITCHED_OFF, EndCause.SCHEDULE, EndCause.NO_EVENT, EndCause.CLOCK}
            for file in self.cameras.files[:-1]
        )


Triggers.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTriggers = Triggers.TestCase
