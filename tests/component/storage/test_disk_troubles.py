"""Disks that vanish, come back, are exchanged or hang: nothing is ever written to the one below."""

import argparse
import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import start_of
from support.clips import probe
from support.faults import LoopDisk
from support.waiting import PATIENCE_S, until

from livecam_nvr.cli import adopt
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.status import DiskTrouble
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.files.repair import Fate, repair_file
from livecam_nvr.storage.place.disk import Disk
from livecam_nvr.storage.place.lock import LOCK_NAME
from livecam_nvr.storage.place.marker import Marker

if TYPE_CHECKING:
    from livecam_nvr.domain.segment import Segment


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    made = LoopDisk(tmp_path)
    yield made
    made.close()


class Scene:
    """An archive on the disk, and what it told."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.marker = Marker(root, data)
        self.archive = FileArchive(root, 0.1, SystemClock(), self.marker)
        self.disk = Disk(root, self.marker, patience_s=PATIENCE_S)
        self.finished: list[Segment] = []
        self.failed: list[str] = []

    def record(self, fragments: list[Fragment]) -> str:
        writer = self.archive.begin(start_of(fragments[0]), self.finished.append, self.failed.append)
        for fragment in fragments:
            writer.append(fragment)
        return writer.path

    async def trouble(self) -> DiskTrouble:
        return (await self.disk.probe()).trouble

    async def until_trouble(self, trouble: DiskTrouble) -> None:
        """Waits until the disk counts as that."""

        async def there() -> bool:
            return await self.trouble() is trouble

        await until(there, f"the disk to be {trouble.value}")


async def test_a_disk_that_vanishes_while_recording_comes_back_whole(
    disk: LoopDisk, tmp_path: Path, fragments: list[Fragment]
) -> None:
    disk.mount()
    scene = Scene(disk.point / "recordings", tmp_path / "data")
    await scene.archive.start()
    try:
        await scene.until_trouble(DiskTrouble.NONE)
        path = scene.record(fragments)
        await until((scene.root / path).exists)
        disk.unmount("-l")
        await until(lambda: scene.failed, "the vanished file to be noticed")
        await scene.archive.flush()  # its end has been tried, too
        scene.record(fragments)
        await until(lambda: len(scene.failed) >= 2, "the missing disk to be noticed")
        assert "disk is missing" in scene.failed[-1]
        assert list(disk.point.iterdir()) == [], "nothing lands on the disk below"
        await scene.until_trouble(DiskTrouble.MISSING)
        assert scene.archive.load().refusal is DiskTrouble.MISSING

        disk.mount()
        await scene.until_trouble(DiskTrouble.NONE)
        verdict = repair_file(scene.root, path)
        assert verdict.segment is not None
        assert verdict.segment.frames == probe(scene.root / path)["packets"] == len(fragments)
        again = scene.record(fragments[:20])
        await scene.archive.stop()
        assert [(s.path, s.frames, s.cause) for s in scene.finished] == [(again, 20, EndCause.SERVICE)]
    finally:
        await scene.archive.stop()


async def test_a_disk_that_is_missing_at_the_start_is_waited_for(
    disk: LoopDisk, tmp_path: Path, fragments: list[Fragment], caplog: pytest.LogCaptureFixture
) -> None:
    disk.mount()
    Marker(disk.point / "recordings", tmp_path / "data").ensure()
    disk.unmount()
    scene = Scene(disk.point / "recordings", tmp_path / "data")
    await scene.archive.start()
    try:
        assert "disk is missing" in caplog.text
        scene.record(fragments)
        await until(lambda: scene.failed)
        assert list(disk.point.iterdir()) == []
        disk.mount()
        scene.record(fragments)
        await scene.archive.stop()
        assert len(scene.finished) == 1
        assert (scene.root / LOCK_NAME).exists()
    finally:
        await scene.archive.stop()


async def test_another_disk_in_its_place_is_used_only_when_it_is_adopted(
    disk: LoopDisk, tmp_path: Path, fragments: list[Fragment], capsys: pytest.CaptureFixture[str]
) -> None:
    disk.mount()
    Marker(disk.point / "recordings", tmp_path / "data").ensure()
    disk.unmount()
    other = LoopDisk(tmp_path, "other", 16)
    config = tmp_path / "config.yaml"
    config.write_text(f"recording: {{path: {disk.point}/recordings}}\ndata_dir: {tmp_path}/data\n")
    parser = argparse.ArgumentParser()
    adopt.add(parser.add_subparsers())
    args = parser.parse_args(["adopt", "--config", str(config)])
    other.mount()
    scene = Scene(disk.point / "recordings", tmp_path / "data")
    try:
        await scene.archive.start()
        scene.record(fragments)
        await until(lambda: scene.failed)
        assert [entry.name for entry in disk.point.iterdir()] == ["lost+found"]
        assert await scene.trouble() is DiskTrouble.MISSING
        assert await asyncio.to_thread(args.execute, args) == 0
        assert "from now on" in capsys.readouterr().out
        assert await scene.trouble() is DiskTrouble.NONE
        scene.record(fragments)
        await scene.archive.stop()
        assert len(scene.finished) == 1
        assert await asyncio.to_thread(args.execute, args) == 0
        assert "already" in capsys.readouterr().out
    finally:
        await scene.archive.stop()
        other.close()


async def test_a_disk_with_errors_is_let_go_of_so_that_it_can_be_mended(
    disk: LoopDisk, tmp_path: Path, fragments: list[Fragment]
) -> None:
    disk.mount("-o", "errors=remount-ro")
    scene = Scene(disk.point / "recordings", tmp_path / "data")
    await scene.archive.start()
    try:
        *most, last = fragments
        growing = scene.archive.begin(start_of(fragments[0]), scene.finished.append, scene.failed.append)
        for fragment in most:
            growing.append(fragment)
        path = growing.path
        await until(lambda: (scene.root / path).exists() and (scene.root / path).stat().st_size > 100_000)
        disk.sync()
        disk.fail()
        growing.append(last)  # all before it may be durable, and then nothing else would have to be written
        writer = scene.archive.begin(start_of(fragments[0]), scene.finished.append, scene.failed.append)
        await until(lambda: writer.failed and growing.failed)
        assert all("read-only" in reason for reason in scene.failed)
        assert scene.archive.load().refusal is DiskTrouble.READ_ONLY
        await until(lambda: _holds_nothing(disk.point), "nothing of it to be open")
        disk.unmount()  # not the lazy way: it would be refused if anything were in use
        disk.check()
        disk.mount()
        assert repair_file(scene.root, path).fate in (Fate.REPAIRED, Fate.FINISHED)
        scene.record(fragments)
        await scene.archive.stop()
        assert len(scene.finished) == 1
    finally:
        await scene.archive.stop()


async def test_the_flags_of_the_file_system_are_told(disk: LoopDisk, tmp_path: Path) -> None:
    disk.mount()
    marker = Marker(disk.point / "recordings", tmp_path / "data")
    marker.ensure()
    looked_at = Disk(disk.point / "recordings", marker, patience_s=PATIENCE_S)
    assert not (await looked_at.probe()).read_only
    disk.unmount()
    disk.mount("-o", "ro")
    assert (await looked_at.probe()).read_only


class HangingMarker(Marker):
    """A disk that answers when the test lets it."""

    def __init__(self, root: Path, data: Path) -> None:
        super().__init__(root, data)
        self.answers = threading.Event()
        self.asked = 0

    def look(self) -> bool:
        self.asked += 1
        self.answers.wait()
        return super().look()

    def ensure(self) -> None:
        self.answers.wait()
        super().ensure()


async def test_a_disk_that_hangs_costs_one_thread_and_no_time_of_others(tmp_path: Path) -> None:
    marker = HangingMarker(tmp_path / "recordings", tmp_path / "data")
    disk = Disk(tmp_path / "recordings", marker, patience_s=0.05)
    try:
        for _ in range(3):
            with pytest.raises(LivecamError, match="does not answer") as refused:
                await disk.probe()
            assert refused.value.kind is ErrorKind.DISK
            assert refused.value.hint
        assert marker.asked == 1
    finally:
        marker.answers.set()
    await until(lambda: "disk probe" not in [thread.name for thread in threading.enumerate()])
    disk._patience_s = PATIENCE_S
    assert (await disk.probe()).total_bytes > 0
    await disk.probe()
    assert marker.asked == 2, "the late answer was one, and then it was asked anew"


async def test_a_machine_that_stood_still_is_no_disk_that_hangs(tmp_path: Path) -> None:
    disk = Disk(tmp_path, patience_s=0.05)
    probing = asyncio.create_task(disk.probe())
    await asyncio.sleep(0)  # asked
    late_s = time.monotonic() + 0.1
    while time.monotonic() < late_s or "disk probe" in [thread.name for thread in threading.enumerate()]:
        time.sleep(0.01)  # the loop stands still, and nobody looks at the answer that comes meanwhile
    assert (await probing).total_bytes > 0


async def test_a_disk_that_hangs_at_the_start_is_not_waited_for(
    tmp_path: Path, fragments: list[Fragment], caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "recordings"
    marker = HangingMarker(root, tmp_path / "data")
    archive = FileArchive(root, 5, SystemClock(), marker)
    finished: list[Segment] = []
    try:
        async with asyncio.timeout(PATIENCE_S):  # the disk does not answer before that
            await archive.start()
        assert "does not answer" in caplog.text
        writer = archive.begin(start_of(fragments[0]), finished.append, pytest.fail)
        writer.append(fragments[0])
    finally:
        marker.answers.set()
    await archive.stop()
    assert [segment.frames for segment in finished] == [1], "what came meanwhile was kept"


async def test_a_write_that_hangs_is_told_while_it_hangs(root: Path, fragments: list[Fragment]) -> None:
    clock = FakeClock()
    archive = FileArchive(root, 5, clock)
    await archive.start()
    go_on = threading.Event()
    archive._sync.call(go_on.wait)

    def told() -> bool:
        clock.advance(0.1)
        return archive.load().slowest_s > 0.2

    try:
        await until(told)
        assert archive.load().waiting_bytes == 0
    finally:
        go_on.set()
    await archive.stop()
    assert archive.load().slowest_s > 0.2, "remembered for a while"


def _holds_nothing(point: Path) -> bool:
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]  # noqa: PTH208 - as the kernel lists them
    return not any(os.path.realpath(link).startswith(f"{point}/") for link in links)
