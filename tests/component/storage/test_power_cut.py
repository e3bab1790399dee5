"""A power cut, with a real file system: what was on the disk at one moment is looked at as after a restart.

The writer is a process of its own. It is stopped as a whole, so that nothing is written while the raw image of the
disk is copied, and the copy is mounted, which replays its journal. The mount's own flushing is put off
(commit=300, and the kernel writes back after 30 s): what is in the copy was synced by the archive.
"""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fakes.storage_fragments import make_clip
from support.waiting import PATIENCE_S

from livecam_nvr.domain.media import EndCause
from livecam_nvr.storage.index.findings import FindingKind
from livecam_nvr.storage.index.reindex import reindex
from livecam_nvr.storage.index.verify import Order, verify

REPOSITORY = Path(__file__).parents[3]
DURABILITY_S = 1.0
SLACK_S = 0.25
"""A sync takes its time, and a queue is in front of it."""


def nothing(_done: int, _total: int) -> None:
    """No progress."""


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir()
    options = "loop,commit=300,noatime"
    made = subprocess.run(
        ["mount", "-t", "ext4", "-o", options, str(image), str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no disk image can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def disk_image(folder: Path) -> Path:
    path = folder / "disk.img"
    with path.open("wb") as file:
        file.truncate(32 << 20)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("there is no mkfs.ext4 that works here")
    return path


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "long.mp4", "h264", 20)


def cut(clip: Path, tmp_path: Path, durability_s: float) -> tuple[Path, list[tuple[float, int]], float]:
    """The disk as it was after some seconds of recording; when each fragment was handed over; the moment.

    60 fragments at least were handed over, and 20 of them so long ago that they have to be durable.
    """
    image = disk_image(tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}
    script = REPOSITORY / "tests" / "child_scripts" / "storage_power_cut.py"
    with mounted(image, tmp_path / "disk") as disk:
        argv = [sys.executable, str(script), str(disk / "recordings"), str(clip), str(durability_s)]
        with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == "finished 30\n"
                told: list[tuple[float, int]] = []
                while len(told) <= 60 or told[-1][0] < told[20][0] + DURABILITY_S + SLACK_S:
                    when, number = child.stdout.readline().split()
                    told.append((float(when), int(number)))
                child.send_signal(signal.SIGSTOP)
                _until_stopped(child.pid)
                moment = time.monotonic()
                copy = tmp_path / "after.img"
                subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
            finally:
                child.kill()
    return copy, told, moment


def _until_stopped(pid: int) -> None:
    """A thread that is inside a sync stops when that is done."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]
        if set(states) == {"T"}:
            return
        time.sleep(0.005)
    raise AssertionError(f"it does not stop: {states}")


def recovered(copy: Path, tmp_path: Path) -> dict[int, tuple[int, EndCause]]:
    """By sequence: pictures and cause, as the next start finds them; a full examination has nothing to say."""
    with mounted(copy, tmp_path / "again") as disk:
        root, database = disk / "recordings", tmp_path / "index.sqlite3"
        if not root.is_dir():
            return {}
        report = reindex(root, database, nothing)
        assert report.errors == ()
        checked = verify(Order(root, database, full=True), time.time_ns, nothing)
        unexpected = [found for found in checked.findings if found.kind is not FindingKind.OVERLAP]
        assert all(found.kind.harmless for found in unexpected), unexpected
        return _rows(database)


def _rows(database: Path) -> dict[int, tuple[int, EndCause]]:
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT sequence, frames, cause FROM segment").fetchall()
    return {sequence: (frames, EndCause(cause)) for sequence, frames, cause in rows}


def test_a_power_cut_costs_at_most_the_durability(long_clip: Path, tmp_path: Path) -> None:
    """Once of several times at least: a disk that is busy with other things may be late. It is whole each time."""
    end_s = time.monotonic() + PATIENCE_S
    for attempt in itertools.count():
        folder = tmp_path / str(attempt)
        folder.mkdir()
        copy, told, moment = cut(long_clip, folder, DURABILITY_S)
        kept = recovered(copy, folder)
        assert kept[0] == (30, EndCause.CLOCK), "a finished file is there, and finished"
        due = max(number for when, number in told if when <= moment - DURABILITY_S - SLACK_S)
        assert due > 20, "there was something to lose"
        frames, cause = kept.get(1, (0, EndCause.SERVICE))
        assert cause is EndCause.SERVICE
        if frames >= due:
            return
        assert time.monotonic() < end_s, f"{frames} of the {due} that had to be durable"


def test_without_syncing_it_would_all_be_lost(long_clip: Path, tmp_path: Path) -> None:
    """That the copy really is what a power cut leaves, and no more."""
    copy, told, _ = cut(long_clip, tmp_path, 300.0)
    kept = recovered(copy, tmp_path)
    assert told[-1][1] > 60
    assert kept[0] == (30, EndCause.CLOCK), "it was finished, which syncs it"
    assert kept.get(1, (0, EndCause.SERVICE))[0] == 0
