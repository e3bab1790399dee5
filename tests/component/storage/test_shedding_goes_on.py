"""The janitor over a real index on a real small disk, while two cameras go on recording."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.runtime_clock import FakeClock
from fakes.storage_recordings import NOW_UTC_NS, FakeLedger, entry_row, recorded
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.config.recording import RecordingConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import ClipChanged, SegmentFinished
from livecam_nvr.core.janitor import Janitor, Pace
from livecam_nvr.core.retention import Settings
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Plan
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.shedding.shedding import ArchiveShedding
from livecam_nvr.storage.shedding.stocktaking import space

FILE = 16 << 10
KEEP_FREE = 256 << 10
AHEAD = 2 * 20 * FILE  # ten minutes of 30 s files of two cameras


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Counted(ArchiveShedding):
    """Tells how often it was asked for a plan."""

    plans = 0

    async def plan(self, *args: Any, **more: Any) -> Plan:
        self.plans += 1
        return await super().plan(*args, **more)


class Home:
    def __init__(self, disk: Path, index: Index) -> None:
        self.disk = disk
        self.index = index
        self.bus = EventBus()
        self.ledger = FakeLedger()
        self.clock = FakeClock(NOW_UTC_NS)
        recording = RecordingConfig.model_validate(
            {"min_free": 64 << 10, "retention": {"keep_free": KEEP_FREE}, "event_pre_roll_seconds": 0}
        )
        cameras = [models.TestCamera(id=camera_id, kind="test") for camera_id in ("cam0", "cam1")]
        self.shed = Counted(disk, index, self.clock)
        self.janitor = Janitor(
            self.shed,
            self.ledger,
            self.bus,
            self.clock,
            Settings.of(recording, cameras),
            pace=Pace(every_s=1.0, soon_s=0.0, step_pause_s=0.0),
        )
        self.recorded: list[Segment] = []
        self.least_free = space(disk)[0]

    async def record(self, files: int) -> None:
        """So many of each camera, much faster than cameras can; the janitor gets to look every two minutes."""
        for number in range(files):
            for camera_id in ("cam0", "cam1"):
                (made,) = recorded(self.disk, self.clock.utc_ns(), 1, camera_id, FILE)
                self.recorded.append(made)
                self.index.add(made)
                self.bus.publish(SegmentFinished(made))
            self.least_free = min(self.least_free, space(self.disk)[0])
            self.clock.advance(30)
            if number % 4 == 0:
                seen = self.shed.plans
                await until(lambda seen=seen: self.shed.plans > seen)

    def left(self, camera_id: str) -> list[str]:
        return sorted(path.relative_to(self.disk).as_posix() for path in (self.disk / camera_id).rglob("*.mp4"))


@pytest.fixture
async def home(tmp_path: Path, disk: Path) -> AsyncIterator[Home]:
    index = Index(tmp_path / "index.db", disk, FakeClock(NOW_UTC_NS), lambda _path: False)
    await index.start()
    await index.reconcile()
    home = Home(disk, index)
    await home.janitor.start()
    yield home
    await home.janitor.stop()
    await index.stop()


async def test_the_disk_is_never_filled_and_the_oldest_go(home: Home) -> None:
    await home.record(50)
    kept = home.recorded[40]
    clip = Clip("c", kept.camera_id, "", "", kept.start_utc_ns + NS, kept.start_utc_ns + 2 * NS)
    home.index.apply([entry_row("c", "clip", clip.begin_utc_ns, clip.end_utc_ns, kept.camera_id)])
    home.bus.publish(ClipChanged(clip))
    happened = home.recorded[21]
    begin = happened.start_utc_ns + NS
    home.index.apply([entry_row("e", "event", begin, begin + NS, happened.camera_id)])
    await home.record(250)
    assert home.least_free >= KEEP_FREE
    home.clock.advance(60)  # what was written while files went looked like space that has yet to come back
    await until(lambda: space(home.disk)[0] >= KEEP_FREE + AHEAD)
    await home.index.flush()
    held = 0
    for camera_id in ("cam0", "cam1"):
        left = home.left(camera_id)
        assert [segment.path for segment in reversed(await home.index.latest(camera_id, 1000))] == left
        ordinary = [path for path in left if path not in (kept.path, happened.path)]
        newest = [segment.path for segment in home.recorded if segment.camera_id == camera_id]
        assert ordinary == newest[-len(ordinary) :], "without a hole"
        held += len(left)
    assert kept.path in home.left(kept.camera_id)
    assert happened.path in home.left(happened.camera_id), "it counts as four times younger"
    # As much as fits is held, and no less: one file more would take from the room.
    assert held >= (4 << 20) // FILE - (KEEP_FREE + AHEAD) // FILE - 10
    await home.janitor.stop()
    deleted = list(home.ledger.entries.values())
    assert sum(int(entry.data["files"]) for entry in deleted) == 600 - held
    assert {entry.data["reason"] for entry in deleted} == {"space"}
    # 2.5 h were recorded: an entry for each camera and hour, not one for each file.
    assert len(deleted) <= 8
