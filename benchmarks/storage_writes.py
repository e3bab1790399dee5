"""How many bytes reach the disk for each byte recorded, with archive and index on a disk of their own."""

import asyncio
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.index.database import open_database
from livecam_nvr.storage.index.index import INDEX_NAME, Index

_SECTOR_BYTES = 512
_SECTORS_WRITTEN = 6
_IMAGE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class Written:
    """What was recorded, and what that made of it."""

    recorded_bytes: int
    """Fragments, as the cameras sent them."""
    disk_bytes: int
    how: str

    @property
    def amplification(self) -> float:
        """Bytes written per byte recorded."""
        return self.disk_bytes / self.recorded_bytes


class _NoDevice(Exception):  # noqa: N818 - not an error: there is another way to count
    pass


async def record(root: Path, data: Path, fragments: list[Fragment], plan: "WritePlan") -> int:
    """Records cameras at their own pace, as the service does; returns the bytes of their fragments."""
    clock = SystemClock()
    archive = FileArchive(root, plan.durability_s, clock)
    index = Index(data / INDEX_NAME, root, clock, archive.is_writing)
    await archive.start()
    await index.start()
    try:
        return sum(
            await asyncio.gather(*(_camera(n, archive, index, fragments, plan) for n in range(plan.cameras)))
        )
    finally:
        await archive.stop()
        await index.stop()


@dataclass(frozen=True, slots=True)
class WritePlan:
    """What is recorded."""

    cameras: int = 4
    seconds: float = 90
    segment_s: float = 30
    durability_s: float = 5


async def _camera(
    number: int, archive: FileArchive, index: Index, fragments: list[Fragment], plan: WritePlan
) -> int:
    total = 0
    at_s, began_s = 0.0, time.monotonic()
    # Files end on the clock, at each camera's first keyframe from then on: keyframes come each second.
    ends = [
        plan.segment_s * (n + 1) + number / plan.cameras for n in range(int(plan.seconds / plan.segment_s) + 2)
    ]
    run_id = random.getrandbits(62)
    for sequence, end_s in enumerate(ends):
        start = SegmentStart(f"cam{number}", fragments[0].init, time.time_ns(), 0, run_id, sequence)
        writer = archive.begin(start, index.add, _failed)
        first_s = at_s
        for fragment in fragments:
            at_s = first_s + (fragment.time - fragments[0].time) / fragment.init.video.timescale
            if at_s >= min(end_s, plan.seconds):
                break
            await asyncio.sleep(max(0.0, began_s + at_s - time.monotonic()))
            writer.append(fragment)
            total += len(fragment.data)
        writer.finish(EndCause.CLOCK)
        if at_s >= plan.seconds - 0.1:
            break
    return total


def _failed(reason: str) -> None:
    raise SystemExit(f"the disk refuses: {reason}")


def measure(folder: Path, fragments: list[Fragment], plan: WritePlan) -> Written:
    """Records onto an ext4 image of its own; where none can be mounted, what this process wrote is counted."""
    try:
        with _device(folder) as (device, disk):
            # That a new index is made is no part of recording.
            open_database(disk / "data" / INDEX_NAME).close()
            subprocess.run(["sync", "-f", str(disk)], check=True)
            before = _written(device)
            recorded = asyncio.run(record(disk / "recordings", disk / "data", fragments, plan))
            subprocess.run(["umount", str(disk)], check=True)
            return Written(recorded, _written(device) - before, "ext4 on a block device of its own")
    except _NoDevice:
        before = _by_this_process()
        recorded = asyncio.run(record(folder / "recordings", folder / "data", fragments, plan))
        return Written(recorded, _by_this_process() - before, "what this process gave to the kernel")


@contextmanager
def _device(folder: Path) -> Iterator[tuple[str, Path]]:
    image, disk = folder / "disk.img", folder / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(_IMAGE_BYTES)
    # Otherwise the kernel goes on making the file system while we count.
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    _try(["mkfs.ext4", "-q", "-F", "-E", lazy, str(image)])
    device = _try(["losetup", "--find", "--show", str(image)])
    try:
        _try(["mount", "-o", "noatime", device, str(disk)])
        try:
            yield Path(device).name, disk
        finally:
            if disk.is_mount():
                subprocess.run(["umount", str(disk)], check=True)
    finally:
        subprocess.run(["losetup", "-d", device], check=True)


def _try(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise _NoDevice from error


def _written(device: str) -> int:
    # https://docs.kernel.org/block/stat.html: the seventh number, in sectors of 512 bytes.
    return int(Path(f"/sys/block/{device}/stat").read_text().split()[_SECTORS_WRITTEN]) * _SECTOR_BYTES


def _by_this_process() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
