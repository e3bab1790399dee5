"""Writing files out before they are synced: one journal commit for all of them, on a real ext4."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livecam_nvr.storage.files.writeback import write_out


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A mounted image, and its journal's counters."""
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    for argv in (
        ["mkfs.ext4", "-q", "-F", "-E", lazy, str(image)],
        ["mount", "-o", "loop,commit=300,noatime", str(image), str(folder)],
    ):
        if subprocess.run(argv, capture_output=True, check=False).returncode != 0:
            pytest.skip("no disk image can be mounted here")
    device = subprocess.run(
        ["findmnt", "-n", "-o", "SOURCE", str(folder)], capture_output=True, check=True, text=True
    ).stdout.strip()
    try:
        yield folder, Path(f"/proc/fs/jbd2/{Path(device).name}-8/info")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def commits(journal: Path) -> int:
    if not journal.exists():
        pytest.skip("the kernel does not tell of its journals here")
    return int(journal.read_text().split()[0])


def synced(folder: Path, journal: Path, before: Callable[[int], None]) -> int:
    """The commits that it takes to sync eight files that have grown, five times over."""
    fds = [os.open(folder / f"{before.__name__}{n}", os.O_CREAT | os.O_WRONLY) for n in range(8)]
    try:
        for fd in fds:
            os.fsync(fd)
        began = commits(journal)
        for _ in range(5):
            for fd in fds:
                os.write(fd, os.urandom(300_000))
            for fd in fds:
                before(fd)
            for fd in fds:
                os.fdatasync(fd)
        return commits(journal) - began
    finally:
        for fd in fds:
            os.close(fd)


def test_one_commit_serves_all_files(disk: tuple[Path, Path]) -> None:
    def nothing(_fd: int) -> None:
        """Only the sync."""

    assert synced(*disk, nothing) >= 40
    assert synced(*disk, write_out) <= 15


def test_what_has_no_pages_is_left_to_the_sync() -> None:
    reading, writing = os.pipe()
    write_out(writing)
    os.close(reading)
    os.close(writing)


def test_an_error_is_told() -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as refused:
        write_out(1_000_000)
    assert refused.value.errno == errno.EBADF
