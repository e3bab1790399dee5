import logging
import threading
from collections.abc import AsyncIterator

import pytest
from fakes.core_timekeeping import FakeLedgers, FakeNewest, FakeRedating
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import ClockChanged, SegmentFinished, SegmentRedated
from livecam_nvr.core.timekeeper import Redated, TimeKeeper
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.domain.status import ClockStatus

YEAR_S = 365 * 86_400


def segment(start_utc_ns: int, *, unsynced: bool = False) -> Segment:
    return Segment(
        camera_id="cam0",
        path="cam0/251121/cam0_20251121_120000.mp4",
        start_utc_ns=start_utc_ns,
        duration_ns=30 * NS,
        utc_offset_s=0,
        frames=900,
        bytes=1,
        run_id=1,
        sequence=0,
        cause=EndCause.CLOCK,
        codec="avc1.42c01f",
        width=640,
        height=360,
        unsynced=unsynced,
    )


def moved(number: int) -> list[SegmentRedated]:
    return [SegmentRedated(segment(NOON_UTC_NS + n * NS), f"cam0/700101/{n}.mp4") for n in range(number)]


class Scene:
    """A time keeper with its surroundings; nothing passes but the clock's time."""

    def __init__(self) -> None:
        self.clock = FakeClock(300 * NS)
        self.clock.is_synchronised = False
        self.bus = EventBus()
        self.redating = FakeRedating()
        self.ledger = FakeLedgers()
        self.index = FakeNewest()
        self.told: list[ClockStatus] = []
        self.moved: list[SegmentRedated] = []
        self.bus.subscribe(ClockChanged, lambda event: self.told.append(event.status))
        self.bus.subscribe(SegmentRedated, self.moved.append)
        self.keeper = TimeKeeper(
            self.clock,
            self.bus,
            redating=self.redating,
            ledger=self.ledger,
            index=self.index,
            cameras=["cam0", "cam1"],
            every_s=0.001,
        )

    @property
    def offset_ns(self) -> int:
        return self.clock.utc_ns() - self.clock.boot_ns()

    async def looked(self, times: int = 3) -> None:
        """It has looked at the clock since."""
        looks = 0
        real = self.clock.synchronised

        def counting() -> bool:
            nonlocal looks
            looks += 1
            return real()

        self.clock.synchronised = counting  # type: ignore[method-assign]
        await until(lambda: looks >= times * 2, "a look at the clock")
        self.clock.synchronised = real  # type: ignore[method-assign]

    async def passed(self, number: int) -> list[tuple[int, bool]]:
        await until(lambda: len(self.redating.passes) >= number, f"{number} passes")
        await self.looked()
        return self.redating.passes


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.keeper.stop()
    await made.keeper.stop()


async def test_a_clock_that_is_right_costs_one_look_for_what_is_left(scene: Scene) -> None:
    scene.clock.is_synchronised = True
    await scene.keeper.start()
    await scene.looked()
    assert scene.redating.passes == [], "the archive is not whole yet"
    assert not scene.keeper.settled
    await scene.keeper.begin_redating()
    assert await scene.passed(1) == [(scene.offset_ns, True)]
    assert scene.keeper.settled
    assert scene.redating.noted == []
    assert scene.keeper.status == ClockStatus()
    assert scene.told == []
    scene.clock.step(3)
    await scene.looked()
    assert len(scene.redating.passes) == 1, "nothing is re-dated because somebody sets a clock that was right"


async def test_the_clock_is_set_and_confirmed(scene: Scene) -> None:
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    first = scene.offset_ns
    assert scene.redating.noted == [first]
    assert scene.told == [ClockStatus(synchronised=False)]
    scene.clock.advance(30)
    await scene.looked()
    scene.clock.step(56 * YEAR_S)
    scene.clock.is_synchronised = True
    assert await scene.passed(1) == [(scene.offset_ns, True)]
    assert scene.redating.noted == [first, scene.offset_ns]
    assert scene.told[-1] == ClockStatus()


async def test_a_clock_that_is_set_while_it_is_looked_at_counts_as_it_is_then(scene: Scene) -> None:
    """Otherwise what was shown before would be taken for true, once and for all."""
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    looked = threading.Event()

    def set_meanwhile() -> None:
        if threading.current_thread() is not threading.main_thread() and not looked.is_set():
            scene.clock.step(56 * YEAR_S)
            scene.clock.is_synchronised = True
            looked.set()

    scene.clock.look = set_meanwhile  # type: ignore[method-assign]
    scene.clock.advance(30)
    await until(looked.is_set, what="a look at the files")
    assert await scene.passed(1) == [(scene.offset_ns, True)]


async def test_a_step_without_a_server_is_believed_once_it_has_settled(scene: Scene) -> None:
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    scene.clock.step(3600)
    await scene.looked()
    assert len(scene.redating.noted) == 2
    assert scene.redating.passes == []
    scene.clock.advance(6)
    assert await scene.passed(1) == [(scene.offset_ns, False)]
    scene.clock.step(1.0)
    scene.clock.advance(6)
    await scene.looked()
    assert len(scene.redating.noted) == 3
    assert len(scene.redating.passes) == 1, "nobody looks for a recording by a second"


async def test_a_file_that_was_being_written_is_redated_when_it_is_finished(scene: Scene) -> None:
    scene.clock.is_synchronised = True
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    await scene.passed(1)
    scene.bus.publish(SegmentFinished(segment(NOON_UTC_NS)))
    await scene.looked()
    assert len(scene.redating.passes) == 1
    scene.bus.publish(SegmentFinished(segment(NOON_UTC_NS, unsynced=True)))
    await scene.passed(2)


async def test_the_ledger_is_moved_once_and_gets_the_trace(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    shift = 56 * YEAR_S * NS
    stretch = Redated("b 5", "b", 10 * NS, 40 * NS, shift, 0, {"cam0": 3}, moved(3))
    scene.redating.answer = [stretch]
    scene.clock.is_synchronised = True
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    await scene.passed(1)
    # All cameras' entries are moved, also of those that recorded nothing.
    assert sorted(scene.ledger.moves) == [("cam0", 10 * NS, 40 * NS, shift), ("cam1", 10 * NS, 40 * NS, shift)]
    (entry,) = scene.ledger.entries.values()
    assert (entry.camera_id, entry.kind) == ("cam0", EntryKind.REDATED)
    assert (entry.begin_utc_ns, entry.end_utc_ns) == (10 * NS + shift, 40 * NS + shift)
    assert entry.data == {"shift_ns": shift, "files": 3}
    assert scene.redating.shifts == [shift]
    assert scene.moved == moved(3)
    assert caplog.text.count("3 recordings of 1970-01-01 00:00:10 UTC to") == 1

    scene.redating.answer = [Redated("b 5", "b", 10 * NS, 40 * NS, shift, shift, {"cam0": 4}, moved(1))]
    scene.bus.publish(SegmentFinished(segment(300 * NS, unsynced=True)))
    await scene.passed(2)
    assert len(scene.ledger.moves) == 2
    (entry,) = scene.ledger.entries.values()
    assert entry.data["files"] == 4

    # A better guess moves them from where they are now.
    scene.redating.answer = [Redated("b 5", "b", 10 * NS, 40 * NS, shift + NS, shift, {"cam0": 4}, moved(4))]
    scene.bus.publish(SegmentFinished(segment(300 * NS, unsynced=True)))
    await scene.passed(3)
    assert ("cam0", 10 * NS + shift, 40 * NS + shift, NS) in scene.ledger.moves


async def test_a_disk_that_refuses_is_tried_again(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.redating.fault = LivecamError(ErrorKind.DISK, "the disk is mounted read-only")
    await scene.keeper.start()
    assert "may keep a wrong time" in caplog.text
    await scene.keeper.begin_redating()
    scene.clock.is_synchronised = True
    await scene.passed(1)
    assert "put off: the disk is mounted read-only" in caplog.text
    scene.redating.fault = None
    scene.clock.advance(31)
    await scene.passed(2)
    scene.clock.advance(31)
    await scene.looked()
    assert len(scene.redating.passes) == 2


async def test_a_machine_that_finds_no_server_says_so_after_a_while(scene: Scene) -> None:
    await scene.keeper.start()
    await scene.looked()
    assert scene.keeper.status.warning == ""
    scene.clock.advance(61)
    await until(lambda: scene.keeper.status.warning)
    assert "no time server has confirmed" in scene.keeper.status.warning
    scene.clock.is_synchronised = True
    await until(lambda: scene.keeper.status == ClockStatus())
    assert [bool(status.warning) for status in scene.told] == [False, True, False]


async def test_a_clock_before_the_newest_recording_is_named(scene: Scene) -> None:
    scene.index.add(segment(NOON_UTC_NS))
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    await until(lambda: scene.keeper.status.warning)
    assert "says 1970-01-01 00:05" in scene.keeper.status.warning
    assert "newest recording is of 2025-11-21 12:00:00 UTC" in scene.keeper.status.warning
    scene.clock.step((NOON_UTC_NS + 60 * NS - scene.clock.utc_ns()) / NS)
    scene.clock.is_synchronised = True
    await until(lambda: scene.keeper.status == ClockStatus())


async def test_without_an_index_it_does_its_work(scene: Scene) -> None:
    scene.index.broken = True
    await scene.keeper.start()
    await scene.keeper.begin_redating()
    scene.clock.step(YEAR_S)
    scene.clock.is_synchronised = True
    await scene.passed(1)
    assert scene.keeper.status == ClockStatus()
