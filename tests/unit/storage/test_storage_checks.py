"""Disk figures, and what `doctor` says of storage."""

import os
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S

from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.place.checks import StorageCheck
from livecam_nvr.storage.place.disk import Disk
from livecam_nvr.storage.place.marker import MARKER, Marker
from livecam_nvr.storage.refusal import in_words


class ClockAt(SystemClock):
    def __init__(self, utc_s: int) -> None:
        self._utc_s = utc_s

    def utc_ns(self) -> int:
        return self._utc_s * NS


async def test_the_figures_are_those_of_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "not" / "made" / "yet"
    found = await Disk(path, patience_s=PATIENCE_S).probe()
    real = os.statvfs(tmp_path)
    assert found.path == str(path)
    assert found.total_bytes == real.f_blocks * real.f_frsize
    assert abs(found.free_bytes - real.f_bavail * real.f_frsize) < 1 << 30
    assert not found.problem
    assert not path.exists()


async def test_all_is_well(tmp_path: Path) -> None:
    checks = await StorageCheck(tmp_path / "recordings", tmp_path / "data", SystemClock(), 0).check()
    assert [check.name for check in checks] == ["disk", "recordings folder", "data folder", "clock"]
    assert all(check.ok for check in checks), checks
    assert list(tmp_path.iterdir()) == []  # nothing was changed


async def test_each_trouble_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("no folder")
    checks = await StorageCheck(tmp_path / "recordings", tmp_path, ClockAt(1_000_000), 1 << 62).check()
    found = {check.name: check for check in checks}
    assert [name for name, check in found.items() if not check.ok] == ["disk", "recordings folder", "clock"]
    assert "min_free" in found["disk"].mend
    assert "1970-01-12" in found["clock"].found
    assert all(check.mend for check in checks if not check.ok)


async def test_a_folder_that_cannot_even_be_looked_at_is_told(tmp_path: Path) -> None:
    # A name that is too long refuses like a folder above that may not be searched, and refuses root, too.
    checks = await StorageCheck(tmp_path / "recordings", tmp_path / ("x" * 300) / "data", SystemClock(), 0).check()
    assert {check.name: check.found for check in checks}["data folder"].startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("number", "words"),
    [(28, "full"), (5, "input/output"), (30, "read-only"), (2, "vanish"), (17, "a file stands")],
)
def test_refusals_are_told_in_words(number: int, words: str) -> None:
    text = in_words(OSError(number, "x"), "cam0/a.mp4")
    assert words in text
    assert "cam0/a.mp4" in text


async def test_a_disk_that_is_missing_is_told_before_anything_else(tmp_path: Path) -> None:
    root, data = tmp_path / "recordings", tmp_path / "data"
    Marker(root, data).ensure()
    (root / MARKER).write_text('{"id": "of another disk"}')
    checks = await StorageCheck(root, data, SystemClock(), 0).check()
    assert [check.name for check in checks if not check.ok] == ["disk"]
    assert "different disk" in checks[0].found
    assert "livecam-nvr adopt" in checks[0].mend


async def test_little_room_is_told_like_the_service_does(tmp_path: Path) -> None:
    checks = await StorageCheck(tmp_path, tmp_path, SystemClock(), 0, 1 << 62).check()
    assert not checks[0].ok
    assert "free" in checks[0].found
