"""The chronicle: one entry per change, with the cause that holds from then on."""

from dataclasses import replace

import pytest
from fakes.chronicle_ledger import FakeLedger
from fakes.core_stream import make_fragment, make_init
from fakes.runtime_clock import FakeClock

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.chronicle import Chronicle
from livecam_nvr.core.events import CameraStateChanged, RecordingChanged, SegmentFinished
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.gaps import Stretch
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.domain.status import CameraState, Fault, RecordingMode, RecordingStatus

OFF = RecordingStatus(wanted=False, active=False)
WAITING = RecordingStatus(wanted=True, active=False)


class World:
    """A chronicle of one camera, told what happens."""

    def __init__(self, ledger: FakeLedger | None = None) -> None:
        self.clock = FakeClock()
        self.ledger = ledger or FakeLedger()
        self.bus = EventBus()
        self.chronicle = Chronicle(["cam0"], self.ledger, self.ledger, self.bus, self.clock)
        self.sink = self.chronicle.sink("cam0")

    async def start(self, status: RecordingStatus = WAITING) -> None:
        await self.chronicle.start(lambda _camera_id: status)

    def recording(self, status: RecordingStatus) -> None:
        self.bus.publish(RecordingChanged("cam0", status))

    def active(self, **more: object) -> RecordingStatus:
        status = RecordingStatus(wanted=True, active=True, since_utc_ns=self.clock.utc_ns())
        return replace(status, **more)  # type: ignore[arg-type]

    @property
    def states(self) -> list[tuple[str, int]]:
        """Cause and second since the clock began of each STATE."""
        began = FakeClock().utc_ns()
        return [
            (str(e.data["cause"]), round((e.begin_utc_ns - began) / NS))
            for e in self.ledger.entries.values()
            if e.kind is EntryKind.STATE
        ]

    @property
    def last(self) -> Entry:
        return list(self.ledger.entries.values())[-1]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_life_in_good_order(world: World) -> None:
    await world.start()
    assert world.states == [], "before anything has happened there is nothing to say"
    for second, happen in (
        (5, lambda: world.recording(world.active())),
        (9, lambda: world.recording(world.active())),  # the next file
        (10, lambda: world.recording(replace(OFF, idle=GapCause.SWITCHED_OFF, idle_by="the page"))),
        (20, lambda: world.recording(world.active())),
    ):
        world.clock.advance(second - (world.clock.monotonic() - 1000))
        happen()
    world.clock.advance(5)
    await world.chronicle.stop()
    await world.chronicle.stop()
    world.recording(OFF)
    assert world.states == [("", 5), ("switched_off", 10), ("", 20), ("service_stopped", 25)]
    assert list(world.ledger.entries.values())[1].data["by"] == "the page"
    assert world.ledger.alive == world.clock.utc_ns()


async def test_a_camera_is_recorded_from_its_first_picture_on(world: World) -> None:
    await world.start()
    world.clock.advance(5)
    world.recording(world.active(since_utc_ns=world.clock.utc_ns() - 2 * NS))
    world.clock.advance(5)
    world.recording(replace(OFF, idle=GapCause.SWITCHED_OFF))
    # From memory, and what was said before still comes before.
    world.recording(world.active(since_utc_ns=world.clock.utc_ns() - 4 * NS))
    assert world.states == [("", 3), ("switched_off", 10), ("", 10)]
    begins = [entry.begin_utc_ns for entry in world.ledger.entries.values()]
    assert begins == sorted(set(begins))


async def test_a_camera_that_fails(world: World) -> None:
    await world.start()
    world.recording(world.active())
    world.clock.advance(10)
    world.recording(WAITING)
    world.sink.on_end(EndCause.CAMERA)
    fault = Fault("rtsp://u:secret@10.0.0.9/ does not answer")
    world.bus.publish(CameraStateChanged("cam0", CameraState.OFFLINE, fault))
    for _ in range(5):
        world.clock.advance(3)
        world.sink.on_end(EndCause.CAMERA)
    assert world.states == [("", 0), ("camera", 10)]
    assert world.last.data["words"] == "rtsp://u:***@10.0.0.9/ does not answer"
    world.recording(OFF)
    world.recording(WAITING)
    assert [cause for cause, _ in world.states] == ["", "camera", "switched_off", "camera"]
    assert "does not answer" in str(world.last.data["words"]), "that is still what is wrong"
    world.sink.on_end(EndCause.ENCODER)
    assert [cause for cause, _ in world.states][-1] == "encoder"
    assert "words" not in world.last.data, "what was wrong before says nothing about this"
    world.recording(world.active())
    assert [cause for cause, _ in world.states][-1] == ""


async def test_a_disk_that_fails_is_believed_when_the_recorder_believes_it(world: World) -> None:
    await world.start()
    world.recording(world.active())
    fault = Fault("the disk is full (cam0/a.mp4)")
    for _ in range(10):
        world.clock.advance(1)
        world.recording(replace(WAITING, fault=fault))
        world.clock.advance(1)
        world.recording(world.active(fault=fault))
    world.clock.advance(3)
    world.recording(world.active())
    assert world.states == [("", 0), ("disk", 1), ("", 23)]


async def test_modes(world: World) -> None:
    await world.start(replace(WAITING, mode=RecordingMode.EVENTS, idle=GapCause.NO_EVENT))
    assert world.last.data["cause"] == "no_event"
    world.recording(replace(OFF, mode=RecordingMode.ALWAYS))
    assert len(world.states) == 1, "about to begin"
    world.recording(replace(WAITING, mode=RecordingMode.SCHEDULE, idle=GapCause.SCHEDULE))
    assert world.last.data["cause"] == "schedule"
    world.recording(replace(OFF, idle=GapCause.SWITCHED_OFF, keeping_until_utc_ns=5, active=True, since_utc_ns=3))
    assert world.last.data["cause"] == ""


async def test_a_start_after_a_crash_tells_when_the_service_was_last_seen() -> None:
    world = World()
    await world.start()
    world.recording(world.active())
    world.clock.advance(90)
    world.chronicle.beat()
    crashed = World(world.ledger)
    crashed.clock.advance(500)
    await crashed.start()
    assert crashed.states == [("", 0), ("service_crashed", 90)]
    crashed.recording(crashed.active())
    await crashed.chronicle.stop()
    again = World(world.ledger)
    again.clock.advance(900)
    await again.start(OFF)
    assert again.states[2:] == [("", 500), ("service_stopped", 500), ("switched_off", 900)]
    begins = [entry.begin_utc_ns for entry in world.ledger.entries.values()]
    assert len(set(begins)) == len(begins), "no two states at the same moment: which holds would be chance"


async def test_without_an_index_it_still_tells(world: World) -> None:
    world.ledger.has_index = False
    await world.start(OFF)
    assert [cause for cause, _ in world.states] == ["switched_off"]


async def test_what_was_said_by_a_clock_behind_is_said_again(world: World) -> None:
    await world.start(OFF)
    world.clock.step(-3600)
    world.recording(world.active())
    world.chronicle.beat()
    assert world.states == [("switched_off", 0), ("", -3600)]
    world.clock.advance(3601)
    world.chronicle.beat()
    world.chronicle.beat()
    assert world.states == [("switched_off", 0), ("", -3600), ("", 1)]
    world.clock.advance(8 * 86_400)
    world.chronicle.beat()
    assert world.states[-1] == ("", 8 * 86_400 + 1), "the last word must outlive the old ledgers"


async def test_pauses_inside_a_file(world: World) -> None:
    init = make_init()
    await world.start()
    world.sink.on_fragment(make_fragment(init, utc_ns=world.clock.utc_ns(), duration=100))
    world.sink.on_fragment(make_fragment(init, utc_ns=world.clock.utc_ns(), duration=3000))
    assert world.ledger.puts == 0, "nothing is recorded"
    since = world.clock.utc_ns() - 5 * NS
    world.recording(world.active(since_utc_ns=since))
    kinds = {entry.kind for entry in world.ledger.entries.values()}
    assert EntryKind.PAUSE in kinds, "the file has begun before it, from memory"
    world.clock.advance(10)
    world.sink.on_fragment(make_fragment(init, utc_ns=world.clock.utc_ns(), duration=900))
    world.sink.on_fragment(make_fragment(init, utc_ns=world.clock.utc_ns(), duration=2000))
    assert world.last.end_utc_ns is not None
    assert (world.last.begin_utc_ns - world.clock.utc_ns()) / NS == pytest.approx(0.2, abs=0.15)
    assert world.last.end_utc_ns == world.clock.utc_ns() + 2 * NS
    assert world.last.data["cause"] == "camera"
    assert sum(e.kind is EntryKind.PAUSE for e in world.ledger.entries.values()) == 2


async def test_a_slow_camera_does_not_pause(world: World) -> None:
    init = make_init()
    await world.start()
    world.recording(world.active())
    for _ in range(20):
        world.clock.advance(2)
        world.sink.on_fragment(make_fragment(init, utc_ns=world.clock.utc_ns(), duration=2000))
    assert [entry.kind for entry in world.ledger.entries.values()] == [EntryKind.STATE]


async def test_footage_that_the_index_does_not_have_yet(world: World) -> None:
    init = make_init()

    def frames(count: int) -> None:
        for _ in range(count):
            world.sink.on_fragment(make_fragment(init, utc_ns=world.clock.utc_ns(), duration=500))
            world.clock.advance(0.5)

    await world.start()
    began = world.clock.utc_ns()
    assert world.chronicle.growing("cam0") == ()
    assert world.chronicle.growing("cam9") == ()
    first = world.active()
    world.recording(first)
    frames(20)
    world.recording(first)
    second = world.active()
    world.recording(second)
    frames(4)
    assert world.chronicle.growing("cam0") == (
        Stretch(began, began + 10 * NS, EndCause.CLOCK),
        Stretch(began + 10 * NS, began + 12 * NS, EndCause.CLOCK, follows=True),
    )
    segment = finished(began, 10 * NS + 7)
    world.bus.publish(SegmentFinished(segment))
    assert world.chronicle.growing("cam0")[0] == Stretch(began, began + 10 * NS + 7, EndCause.CLOCK)
    world.recording(replace(WAITING, fault=Fault("the disk is full")))
    assert [part.begin_utc_ns for part in world.chronicle.growing("cam0")] == [began], "no more than is sure"
    world.bus.publish(SegmentFinished(finished(began + 10 * NS, 2 * NS)))
    assert len(world.chronicle.growing("cam0")) == 2, "what was left of it"
    world.clock.advance(120)
    world.bus.publish(SegmentFinished(finished(began + 100 * NS, 30 * NS)))
    assert [part.begin_utc_ns for part in world.chronicle.growing("cam0")] == [began + 100 * NS]


def finished(start_utc_ns: int, duration_ns: int) -> Segment:
    path = f"cam0/251121/{start_utc_ns}.mp4"
    return Segment(
        "cam0", path, start_utc_ns, duration_ns, 0, 20, 1, 1, 0, EndCause.CLOCK, "avc1", 640, 360
    )  # fmt: skip


async def test_a_camera_that_comes_and_goes_while_the_service_runs(world: World) -> None:
    await world.start()
    off = replace(OFF, idle=GapCause.SCHEDULE)
    sink = await world.chronicle.begin("cam1", lambda: off)
    assert sink is world.chronicle.sink("cam1")
    world.clock.advance(5)
    world.bus.publish(RecordingChanged("cam1", world.active()))
    world.clock.advance(5)
    world.chronicle.remove("cam1")
    world.bus.publish(RecordingChanged("cam1", off))
    world.chronicle.remove("cam1")
    said = [(entry.camera_id, entry.data["cause"]) for entry in world.ledger.entries.values()]
    assert said == [("cam1", "schedule"), ("cam1", ""), ("cam1", "service_stopped")]
    assert world.last.data["words"] == "the camera was taken out of the config"

    # It comes back: nothing has crashed meanwhile.
    world.clock.advance(5)
    await world.chronicle.begin("cam1", lambda: off)
    assert world.last.data["cause"] == "schedule"
    assert len(world.ledger.entries) == 4
