from collections.abc import AsyncIterator

import pytest
from fakes.core_archive import FakeArchive
from fakes.core_stream import FakeHub
from fakes.runtime_clock import FakeClock
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.disk_guard import DiskGuard
from livecam_nvr.core.events import DiskChanged
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import DiskStatus

GB = 1_000_000_000


class Scene:
    """Two recorders that record, and a disk with 10 GB free of which 1 GB has to stay free."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = EventBus()
        self.free = 10 * GB
        self.error: Exception | None = None
        self.looks = 0
        self.told: list[DiskStatus] = []
        self.bus.subscribe(DiskChanged, lambda event: self.told.append(event.status))
        self.hubs = {key: FakeHub(self.clock) for key in ("cam0", "cam1")}
        self.archives = {key: FakeArchive() for key in self.hubs}
        self.recorders = {
            key: Recorder(
                hub, self.archives[key], self.bus, self.clock, segment_s=30, pre_roll_s=0, wanted=key == "cam0"
            )
            for key, hub in self.hubs.items()
        }
        for key, hub in self.hubs.items():
            hub.sinks.append(self.recorders[key])
            hub.gop()
        self.guard = DiskGuard(self, self.recorders, self.bus, self.clock, min_free_bytes=GB)

    async def probe(self) -> DiskStatus:
        """See livecam_nvr.core.ports.DiskProbe."""
        self.looks += 1
        if self.error is not None:
            raise self.error
        return DiskStatus("/recordings", 100 * GB, self.free)

    def active(self) -> list[bool]:
        return [recorder.status().active for recorder in self.recorders.values()]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.guard.stop()


async def test_enough_room_is_no_problem(scene: Scene) -> None:
    await scene.guard.start()
    assert scene.guard.status == DiskStatus("/recordings", 100 * GB, 10 * GB)
    assert scene.told == [scene.guard.status]
    assert scene.active() == [True, False]


async def test_a_full_disk_holds_every_recorder_before_anything_is_written(scene: Scene) -> None:
    scene.free = GB // 2
    await scene.guard.start()
    assert scene.active() == [False, False]
    assert scene.guard.status.problem
    assert scene.guard.status.reason == "only 0.50 GB free; recording pauses below 1.00 GB"
    fault = scene.recorders["cam0"].status().fault
    assert fault is not None
    assert "recording.min_free" in fault.hint
    assert scene.told == [scene.guard.status]


async def test_it_holds_and_releases_with_hysteresis(scene: Scene) -> None:
    await scene.guard.start()
    for free, held in [(GB + 1, False), (GB - 1, True), (GB + GB // 20, True), (GB + GB // 9, False), (GB, False)]:
        scene.free = free
        await scene.guard._look()
        scene.hubs["cam0"].gop()
        assert scene.active() == [not held, False], free
        assert scene.guard.status.problem is held
        assert bool(scene.guard.status.reason) is held
    assert [status.problem for status in scene.told] == [False, False, True, True, False, False]


async def test_one_pause_is_one_file_end_and_one_fault(scene: Scene) -> None:
    await scene.guard.start()
    scene.free = GB - 1
    await scene.guard._look()
    first = scene.recorders["cam0"].status().fault
    scene.free = GB - 2
    scene.clock.advance(5)
    await scene.guard._look()
    assert scene.recorders["cam0"].status().fault is first
    assert len(scene.archives["cam0"].files) == 1


async def test_a_recorder_that_fails_makes_it_look_at_once(scene: Scene) -> None:
    await scene.guard.start()
    scene.archives["cam0"].files[0].fail("Input/output error")
    await until(lambda: scene.guard.status.problem, 2.0, "a look long before the next regular one")
    assert scene.guard.status.reason == "Input/output error"
    assert scene.looks == 2
    scene.clock.advance(2)
    scene.hubs["cam0"].gop(frames=10)
    await scene.guard._look()
    assert not scene.guard.status.problem


@pytest.mark.parametrize(
    "error", [LivecamError(ErrorKind.DISK, "the disk is gone"), FileNotFoundError(2, "the disk is gone")]
)
async def test_a_probe_that_fails_is_a_problem_and_not_the_end(scene: Scene, error: Exception) -> None:
    scene.error = error
    await scene.guard.start()
    assert scene.guard.status.problem
    assert "the disk is gone" in scene.guard.status.reason
    assert scene.active() == [True, False], "the files themselves say whether they can be written"
    scene.error = None
    await scene.guard._look()
    assert not scene.guard.status.problem


async def test_stopping_is_idempotent_and_ends_the_subscription(scene: Scene) -> None:
    await scene.guard.stop()
    await scene.guard.start()
    await scene.guard.stop()
    await scene.guard.stop()
    looks = scene.looks
    scene.archives["cam0"].files[0].fail()
    assert not scene.guard._look_now.is_set()
    assert scene.looks == looks
