import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from fakes.core_archive import FakeArchive
from fakes.core_stream import FakeHub
from fakes.runtime_clock import FakeClock
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.disk_guard import _EVERY_S, DiskGuard
from livecam_nvr.core.events import DiskChanged
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.disk import DiskLoad
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import DiskLevel, DiskStatus, DiskTrouble

GB = 1_000_000_000


class Scene:
    """Two recorders that record, and a disk with 10 GB free of which 1 GB has to stay free."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = EventBus()
        self.free = 10 * GB
        self.error: Exception | None = None
        self.looks = 0
        self.looked_s: list[float] = []
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
        self.found: DiskStatus | None = None
        self.load = DiskLoad()
        self.guard = DiskGuard(
            self,
            self.recorders,
            self.bus,
            self.clock,
            min_free_bytes=GB,
            critical_free_bytes=2 * GB,
            warning_free_bytes=3 * GB,
            load=lambda: self.load,
        )

    async def probe(self) -> DiskStatus:
        """See livecam_nvr.core.ports.DiskProbe."""
        self.looks += 1
        self.looked_s.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error
        return self.found or DiskStatus("/recordings", 100 * GB, self.free)

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
        assert (scene.guard.status.level is DiskLevel.FULL) is held
    levels = [status.level.value for status in scene.told]
    assert levels == ["ok", "critical", "full", "full", "critical", "critical"]
    assert {status.trouble for status in scene.told[1:]} == {DiskTrouble.SPACE}


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
    assert not scene.guard._look_now.is_set()
    scene.archives["cam0"].files[0].fail("Input/output error")
    assert scene.guard._look_now.is_set(), "it does not wait for the next regular one"
    await until(lambda: scene.guard.status.problem)
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


MISSING = DiskStatus("/recordings", trouble=DiskTrouble.MISSING, reason="it is not there", hint="mount it")
READ_ONLY = DiskStatus("/recordings", 100 * GB, 10 * GB, read_only=True)


@pytest.mark.parametrize(("found", "trouble"), [(MISSING, "missing"), (READ_ONLY, "read_only")])
async def test_a_disk_that_may_not_be_written_pauses_and_goes_on_by_itself(
    scene: Scene, found: DiskStatus, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.guard.start()
    scene.found = found
    for _ in range(3):
        await scene.guard._look()
    status = scene.guard.status
    assert (status.level, status.trouble) == (DiskLevel.CRITICAL, DiskTrouble(trouble))
    assert (status.total_bytes, status.free_bytes) == (100 * GB, 10 * GB), "the last figures of the right disk"
    assert status.reason
    assert status.hint
    assert scene.active() == [False, False]
    fault = scene.recorders["cam0"].status().fault
    assert fault is not None
    assert fault.message == status.reason
    scene.found = None
    await scene.guard._look()
    scene.hubs["cam0"].gop()
    assert scene.active() == [True, False]
    assert scene.guard.status.level is DiskLevel.OK
    assert len(caplog.records) == 1, "once per change"
    assert [told.trouble.value for told in scene.told] == ["none", trouble, "none"]


async def test_a_disk_that_falls_behind_is_a_warning_and_no_pause(scene: Scene) -> None:
    await scene.guard.start()
    scene.load = DiskLoad(9 << 20, 32 << 20)
    await scene.guard._look()
    assert (scene.guard.status.level, scene.guard.status.trouble) == (DiskLevel.WARNING, DiskTrouble.SLOW)
    assert scene.active() == [True, False]
    scene.load = DiskLoad()
    await scene.guard._look()
    assert not scene.guard.status.problem


async def test_it_looks_often_while_it_is_grave(scene: Scene) -> None:
    scene.found = MISSING
    await scene.guard.start()
    # Of several looks two at least: a machine that is busy with other things may hold each of them up.
    await until(lambda: any(b - a < 0.5 * _EVERY_S for a, b in pairwise(scene.looked_s)), "looks close together")
    scene.found = None
    await until(lambda: not scene.guard.status.problem)


async def test_others_can_wait_for_the_disk(scene: Scene) -> None:
    scene.found = MISSING
    await scene.guard.start()
    await scene.guard.until_unusable()
    waiting = asyncio.create_task(scene.guard.until_usable())
    await asyncio.sleep(0)
    assert not waiting.done()
    scene.found = None
    await scene.guard._look()
    await waiting


async def test_what_a_recorder_met_before_a_pause_is_no_new_alarm_after_it(scene: Scene) -> None:
    await scene.guard.start()
    scene.archives["cam0"].files[0].fail("the file has vanished")
    scene.found = MISSING
    await scene.guard._look()
    scene.found = None
    scene.clock.advance(5)
    await scene.guard._look()
    assert scene.recorders["cam0"].status().fault is not None, "the recorder does not trust the disk yet"
    assert not scene.guard.status.problem
    scene.hubs["cam0"].gop()
    scene.archives["cam0"].files[-1].fail("the disk reports an input/output error")
    await scene.guard._look()
    assert scene.guard.status.trouble is DiskTrouble.BROKEN
