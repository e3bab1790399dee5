"""Whatever happens, every frame that should be recorded is in exactly one file."""

from dataclasses import replace
from itertools import pairwise

from fakes.core_archive import FakeArchive, FakeWriter
from fakes.core_stream import FakeHub
from fakes.runtime_clock import FakeClock
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import RecordingChanged
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.recording import Demand, slot_of
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import Fault, RecordingStatus

SEGMENT_S = 10
FULL = Fault("the disk is full")
# The pauses after failures: at least this long, at most that long.
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.8, 12.0


class Recording(RuleBasedStateMachine):
    """Drives a recorder at random beside a model that knows only when frames have to go into a file."""

    @initialize(
        pre_roll_s=st.sampled_from([0.0, 0.5, 3.0, 30.0]), wanted=st.booleans(), most=st.sampled_from([4, 15, 60])
    )
    def begin(self, pre_roll_s: float, wanted: bool, most: int) -> None:
        self.clock = FakeClock()
        self.hub = FakeHub(self.clock, most=most)
        self.archive = FakeArchive()
        self.told: list[RecordingStatus] = []
        bus = EventBus()
        bus.subscribe(RecordingChanged, lambda e: self.told.append(e.status))
        self.pre_roll_s = self.reach_s = pre_roll_s
        self.recorder = Recorder(
            self.hub, self.archive, bus, self.clock, segment_s=SEGMENT_S, pre_roll_s=pre_roll_s, wanted=wanted
        )
        self.hub.sinks.append(self.recorder)
        self.wanted, self.held, self.stopped = wanted, False, False
        self.idle = None if wanted else GapCause.SWITCHED_OFF
        self.open = False
        self.failed_at_s = -100.0
        self.must: set[int] = set()
        self.interruptions = 0
        self.missed: dict[int, int] = {}
        self.switches = 0

    def interrupt(self) -> None:
        self.open = False
        self.interruptions += 1

    @rule(
        keyframe=st.sampled_from([True, False, False, False]),
        frames=st.sampled_from([1, 1, 1, 0, 2]),
        after_s=st.sampled_from([0.0, 0.04, 0.5, 2.0, 9.0]),
    )
    def fragment(self, keyframe: bool, frames: int, after_s: float) -> None:
        self.clock.advance(after_s)
        frames = max(1, frames) if keyframe else frames
        had_fault = self.recorder.status().fault is not None
        fragment = self.hub.frame(keyframe=keyframe, frames=frames)
        if fragment is None:
            return
        if keyframe and not self.open and self.wanted and not self.held and not self.stopped:
            since_s = self.clock.monotonic() - self.failed_at_s
            may = since_s >= SHORTEST_PAUSE_S
            must = since_s > LONGEST_PAUSE_S
            self.open = must or (may and self.recorder.status().active)
        if self.open:
            self.must.add(fragment.number)
        elif had_fault and self.wanted and not self.stopped:
            self.missed[fragment.number] = fragment.frames

    @rule(frames=st.integers(1, 5), every_s=st.sampled_from([0.04, 0.5, 2.0]))
    def gop(self, frames: int, every_s: float) -> None:
        for at in range(frames):
            self.fragment(keyframe=at == 0, frames=1, after_s=every_s)

    @rule(gops=st.integers(1, 4))
    def gops(self, gops: int) -> None:
        for _ in range(gops):
            self.gop(frames=3, every_s=0.7)

    @rule(cause=st.sampled_from([EndCause.CAMERA, EndCause.ENCODER, EndCause.FORMAT]))
    def run_ends(self, cause: EndCause) -> None:
        self.hub.end_run(cause)
        self.interrupt()

    @rule(
        idle=st.sampled_from([None, None, GapCause.SWITCHED_OFF, GapCause.SCHEDULE, GapCause.NO_EVENT]),
        reach_s=st.sampled_from([None, 0.0, 2.0, 10.0, 100.0]),
        keeping=st.sampled_from([None, 1, 2]),
    )
    def ask(self, idle: GapCause | None, reach_s: float | None, keeping: int | None) -> None:
        before = self.recorder.status()
        on = idle is not GapCause.SWITCHED_OFF
        self.recorder.ask(Demand(on, idle=idle, keeping_until_utc_ns=keeping), reach_s=reach_s)
        self.idle = idle
        if (idle is None) != self.wanted:
            self.switches += 1
            self.wanted = idle is None
            self.interrupt()
            if self.wanted:
                self.reach_s = self.pre_roll_s if reach_s is None else reach_s
                self.from_memory(before)

    @rule(on=st.booleans())
    def hold(self, on: bool) -> None:
        before = self.recorder.status()
        self.recorder.hold(FULL if on else None)
        if on != self.held:
            self.held = on
            self.interrupt()
            if not on and self.wanted:
                self.from_memory(before)

    def from_memory(self, before: RecordingStatus) -> None:
        """A file begins at once if a keyframe that no file has is there; as far back as was asked for."""
        assert not before.active
        now = self.clock.monotonic()
        self.open = self.recorder.status().active
        earlier = max(self.must, default=-1)
        fresh = [f for f in self.hub.ring if f.init is self.hub.init and f.number > earlier]
        keyframes = [f for f in fresh if f.keyframe]
        if self.stopped or self.held or now - self.failed_at_s < SHORTEST_PAUSE_S:
            assert not self.open
        elif now - self.failed_at_s > LONGEST_PAUSE_S:
            assert self.open is bool(keyframes)
        if self.open:
            self.must |= {f.number for f in fresh if f.number >= self.first_of_memory(keyframes, now)}
            event("from memory")

    def first_of_memory(self, keyframes: list, now_s: float) -> int:
        old_enough = [f for f in keyframes if now_s - f.arrived_s >= self.reach_s]
        return (old_enough[-1] if old_enough else keyframes[0]).number

    @precondition(lambda self: self.archive.files)
    @rule(which=st.integers(-2, -1), keep=st.sampled_from([0, 1, 5, None]))
    def disk_fails(self, which: int, keep: int | None) -> None:
        file = self.archive.files[max(which, -len(self.archive.files))]
        if file.settled:
            return
        running = file.cause is None
        file.fail(keep=keep)
        self.failed_at_s = self.clock.monotonic()
        if running:
            self.interrupt()
        event("disk fails")

    @rule()
    def disk_is_done(self) -> None:
        self.archive.settle()

    @rule(seconds=st.sampled_from([-7200.0, -12.0, -0.5, 0.5, 12.0, 7200.0]))
    def clock_is_set(self, seconds: float) -> None:
        self.clock.step(seconds)

    @rule(hours=st.sampled_from([0, 1, 2, 5.75]))
    def summer_comes_or_goes(self, hours: float) -> None:
        self.clock.offset_s = int(hours * 3600)

    @rule(seconds=st.sampled_from([0.1, 1.0, 15.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: len(self.hub.published) > 20)
    @rule()
    def service_stops(self) -> None:
        self.recorder.stop()
        self.stopped = True
        self.interrupt()

    @invariant()
    def status_is_true(self) -> None:
        status = self.recorder.status()
        assert status.idle is self.idle
        assert status.active is self.open
        running = [file for file in self.archive.files if file.cause is None and not file.failed]
        assert [status.current_path] == ([file.path for file in running] or [None])
        if self.held:
            assert status.fault == FULL
        if self.told and not self.stopped:
            counted = {"frames": 0, "bytes": 0, "dropped_frames": 0}
            assert replace(self.told[-1], **counted) == replace(status, **counted)

    @invariant()
    def figures_are_true(self) -> None:
        status = self.recorder.status()
        kept = [f for file in self.archive.files for f in file.fragments[: file.kept]]
        lost = [f for file in self.archive.files if file.failed for f in file.fragments[file.kept :]]
        assert status.frames == sum(f.frames for f in kept)
        assert status.bytes == sum(len(f.data) for f in kept)
        assert status.segments == sum(file.settled and bool(file.kept) for file in self.archive.files)
        handed = {f.number for f in kept} | {f.number for f in lost}
        dropped = sum(f.frames for f in lost) + sum(n for number, n in self.missed.items() if number not in handed)
        assert status.dropped_frames >= dropped
        if not self.switches:
            assert status.dropped_frames == dropped

    @invariant()
    def files_are_whole(self) -> None:
        for file in self.archive.files:
            first = file.fragments[0]
            assert first.keyframe
            assert file.start.start_utc_ns == first.utc_ns
            assert {id(f.init) for f in file.fragments} == {id(file.start.init)}
            assert all(b.number == a.number + 1 for a, b in pairwise(file.fragments))
            for fragment in file.fragments[1:]:
                if fragment.keyframe:
                    slots = [slot_of(f.utc_ns, file.start.utc_offset_s, SEGMENT_S) for f in (first, fragment)]
                    assert slots[1] <= slots[0], "should have been cut"
                    assert fragment.utc_ns >= first.utc_ns - NS, "should have been cut"

    @invariant()
    def runs_are_told_apart(self) -> None:
        pairs = {(id(file.start.init), file.start.run_id) for file in self.archive.files}
        assert len(pairs) == len({init for init, _ in pairs}) == len({run for _, run in pairs})

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        recorded = [number for file in self.archive.files for number in file.numbers]
        assert recorded == sorted(set(recorded))
        assert self.must <= set(recorded)
        for earlier, later in pairwise(self.archive.files):
            self.check_border(earlier, later)

    def check_border(self, earlier: FakeWriter, later: FakeWriter) -> None:
        """Either something came between that is told, or not one frame is missing."""
        if earlier.cause is EndCause.CLOCK:
            assert later.numbers[0] == earlier.numbers[-1] + 1
            assert later.start.run_id == earlier.start.run_id
            assert later.start.sequence == earlier.start.sequence + 1
        else:
            assert earlier.failed or earlier.cause is not None
            assert self.interruptions


Recording.TestCase.settings = settings(
    max_examples=200, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestRecording = Recording.TestCase
