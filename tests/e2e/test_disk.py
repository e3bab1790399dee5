"""The recordings' disk fails in many ways: live goes on, the alarm says what it is, recording comes back."""

import asyncio
import contextlib
import itertools
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.faults import Faults, LoopDisk
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

RESUMED_S = 30.0  # docs/guide/disk.md: how soon recording goes on


class Viewer:
    """Watches a camera over HTTP."""

    def __init__(self, wanted: urllib.request.Request) -> None:
        self.bytes = 0
        self._wanted = wanted
        self._stop = False
        self._task = asyncio.create_task(asyncio.to_thread(self._watch))

    def _watch(self) -> None:
        with urllib.request.urlopen(self._wanted, timeout=PATIENCE_S) as answer:
            while not self._stop and (piece := answer.read1(65_536)):
                self.bytes += len(piece)

    async def sees_more(self) -> None:
        """Live goes on: more than what was on its way comes."""
        wanted = self.bytes + 200_000
        await until(lambda: self.bytes > wanted, "live to go on")

    async def stop(self) -> None:
        self._stop = True
        await self._task


@contextlib.asynccontextmanager
async def watching(service: Service) -> AsyncIterator[Viewer]:
    viewer = Viewer(urllib.request.Request(f"{service.url}/api/cameras/cam0/live.mp4", headers=service.bearer))
    try:
        yield viewer
    finally:
        await viewer.stop()


async def alarm(service: Service, trouble: str) -> dict[str, Any]:
    async def told() -> dict[str, Any] | None:
        disk = (await service.status())["disk"]
        return disk if disk["trouble"] == trouble else None

    found = await until(told, f"the alarm {trouble}")
    assert isinstance(found, dict)
    assert found["problem"] is (trouble != "none")
    assert bool(found["reason"]) is bool(found["hint"]) is found["problem"]
    return found


async def records_again(service: Service) -> None:
    """Frames go into a file again, as soon as is promised."""
    begin = (await service.camera("cam0"))["recording"]["frames"]

    async def more() -> bool:
        recording = (await service.camera("cam0"))["recording"]
        return recording["active"] and recording["frames"] > begin + 30 and recording["fault"] is None

    await until(more, "recording to go on by itself", within_s=RESUMED_S)
    await alarm(service, "none")


def check_frames(files: list[Path], alarms: int) -> None:
    """No frame is there twice, and none is missing but in one row for each alarm."""
    numbers = [number for path in files for number in clips.frame_numbers(path)]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    assert len(numbers) > 100
    assert min(steps) >= 1
    assert sum(step > 1 for step in steps) <= alarms, [step for step in steps if step > 1]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    made = LoopDisk(tmp_path)
    yield made
    made.close()


async def test_a_real_disk_vanishes_becomes_read_only_and_full(
    make_service: Callable[..., Service], disk: LoopDisk
) -> None:
    disk.mount("-o", "errors=remount-ro")
    recording = {
        "path": str(disk.point / "recordings"),
        "min_free": "20MB",
        "durability_seconds": 1,
        "retention": {"keep_free": 0},
    }
    service = make_service(cameras=[small_camera("cam0")], recording=recording)
    service.recordings = disk.point / "recordings"
    await service.start()
    await until(lambda: service.segments("cam0"))
    async with watching(service) as viewer:
        disk.unmount("-l")
        found = await alarm(service, "missing")
        assert "mount" in found["hint"]

        async def told() -> bool:
            fault = (await service.camera("cam0"))["recording"]["fault"]
            return bool(fault and fault["message"] == found["reason"])

        await until(told, "the camera's recording says why")
        await viewer.sees_more()
        assert list(disk.point.iterdir()) == [], "nothing is written to the disk below"
        disk.mount("-o", "errors=remount-ro")
        await records_again(service)

        disk.sync()
        disk.fail()
        assert "fsck" in (await alarm(service, "read_only"))["hint"]
        await viewer.sees_more()

        def unmounted() -> bool:
            with contextlib.suppress(Exception):
                disk.unmount()
                return True
            return False

        await until(unmounted, "nothing to hold the disk")
        disk.check()
        disk.mount()
        await records_again(service)

        ballast = disk.point / "ballast"
        ballast.write_bytes(bytes(40_000_000))
        await alarm(service, "space")

        async def full() -> bool:
            status = await service.status()
            return status["disk"]["level"] == "full" and not status["cameras"][0]["recording"]["active"]

        await until(full, "recording to pause")
        await viewer.sees_more()
        ballast.unlink()
        await records_again(service)
    assert await service.stop() == 0
    check_frames(service.segments("cam0"), alarms=3)


async def test_a_disk_reports_errors_and_hangs(make_service: Callable[..., Service], tmp_path: Path) -> None:
    recording = {"durability_seconds": 1, "segment_seconds": 10}
    service = make_service(cameras=[small_camera("cam0")], recording=recording)
    faults = Faults(tmp_path, service.recordings)
    service.env.update(faults.env)
    faults.order("STALL write sync open stat")
    await service.start()
    assert "does not answer" in (await alarm(service, "broken"))["reason"], "live begins on a disk that hangs"
    faults.mend()
    await records_again(service)
    await until(lambda: service.segments("cam0"))
    async with watching(service) as viewer:
        faults.order("EIO write")
        found = await alarm(service, "broken")
        assert found["level"] == "critical"
        assert "input/output error" in found["reason"]
        await viewer.sees_more()
        faults.mend()
        await records_again(service)

        faults.order("STALL write sync")
        found = await alarm(service, "slow")
        assert found["level"] == "warning"
        assert (await service.camera("cam0"))["recording"]["active"], "it waits in memory"
        faults.order("STALL stat")
        assert "does not answer" in (await alarm(service, "broken"))["reason"]
        faults.mend()

        async def answers() -> bool:
            return (await service.status())["disk"]["trouble"] in ("slow", "none")

        await until(answers, "a disk that answers is not broken")
        await viewer.sees_more()
    assert await service.stop() == 0
    log = service.read_log()
    assert log.count("ERROR") < 12, "once per change"
    check_frames(service.segments("cam0"), alarms=2)
