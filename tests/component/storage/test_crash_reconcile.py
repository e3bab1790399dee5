"""Reconciling: temporary files, what is foreign in the archive, and a disk that is not there."""

import os
import shutil
import subprocess
from pathlib import Path

from fakes.storage_fragments import BEGAN_UTC_NS, taken_at, write_file

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.place.marker import Marker


async def test_old_temporary_files_are_cleared_and_nothing_else(
    index: Index, root: Path, fragments: list[Fragment]
) -> None:
    folder = write_file(root, fragments, EndCause.CLOCK).parent
    old = folder / "cam0_20260921_150000.mp4.part"
    young = folder / "cam0_20260921_151000.mp4.part"
    others = [folder / "holiday.part", folder / "cam1_20260921_150000.mp4.part", folder / "cam0_x.part.d"]
    for path in (old, young, *others):
        path.write_bytes(b"half")
    for path in (old, *others):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    report = await index.reconcile()
    assert report.cleared == 1
    assert "1 temporary and deleted" in report.in_words
    assert not old.exists()
    assert all(path.exists() for path in (young, *others))


async def test_foreign_folders_and_files_are_left_alone(
    index: Index, root: Path, fragments: list[Fragment]
) -> None:
    path = write_file(root, fragments, EndCause.CLOCK)
    (root / "lost+found" / "260921").mkdir(parents=True)
    (root / "My Pictures" / "260921").mkdir(parents=True)
    (root / ".livecam-nvr" / "260921").mkdir(parents=True, exist_ok=True)
    (root / "cam0" / "thumbnails").mkdir()
    (root / "cam0" / "²⁶0921").mkdir()  # digits, says str.isdigit
    (root / "cam0" / "260922").write_text("a file where a folder should be")
    (root / "cam9").write_text("here, too")
    (root / "cam0" / "260921" / "cam0_20260921_000000.mp4").mkdir()
    (root / "cam0" / "260921" / "cam0_20260921_000001.mp4").symlink_to("nowhere")
    before = sorted(root.rglob("*"))
    report = await index.reconcile()
    assert (report.files, report.added, report.errors) == (1, 1, 0)
    assert sorted(root.rglob("*")) == before
    assert [s.path for s in await index.latest("cam0", 10)] == [path.relative_to(root).as_posix()]


async def test_a_missing_disk_costs_no_row(tmp_path: Path, small_disk: Path, fragments: list[Fragment]) -> None:
    data, root = tmp_path / "data", small_disk
    data.mkdir()
    Marker(root, data).ensure()
    path = write_file(root, fragments[:4], EndCause.CLOCK)
    index = Index(data / "index.db", root, SystemClock(), lambda _: False, Marker(root, data))
    await index.start()
    assert (await index.reconcile()).added == 1
    (found,) = await index.latest("cam0", 10)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(root)], check=True)  # another disk
    try:
        report = await index.reconcile()
        assert (report.absent, report.removed) == (True, 0)
        assert await index.latest("cam0", 10) == [found]
    finally:
        subprocess.run(["umount", str(root)], check=True)
    path.unlink()
    report = await index.reconcile()
    assert (report.absent, report.removed) == (False, 1)
    await index.stop()


async def test_a_year_is_listed_by_seeks(tmp_path: Path, root: Path, fragments: list[Fragment]) -> None:
    """One file on each of 40 days, all gone but the newest: a new index drops each row, day by day."""
    archive = FileArchive(root, 0.5, SystemClock())
    index = Index(tmp_path / "index.db", root, SystemClock(), archive.is_writing)
    await index.start()
    for day in range(40):
        write_file(root, [taken_at(f, BEGAN_UTC_NS + day * 86_400 * NS) for f in fragments[:2]], EndCause.CLOCK)
    assert (await index.reconcile()).added == 40
    (newest,) = await index.latest("cam0")
    for folder in (root / "cam0").iterdir():
        if folder.name != newest.path.split("/")[1]:
            shutil.rmtree(folder)
    await index.ask(lambda db: None)
    index.apply([("DELETE FROM fact", ())])  # as if the archive had never been scanned
    await index.flush()
    report = await index.reconcile()
    assert (report.full, report.folders, report.removed) == (True, 40, 39)
    assert await index.latest("cam0", 50) == [newest]
    await index.stop()
