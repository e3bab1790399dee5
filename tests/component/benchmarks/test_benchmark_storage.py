"""The benchmark of storage measures what it says: its index and files are what the service would have made."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.storage_fragments import make_clip, read_clip

from benchmarks.storage_fill import DAY_S, fill, newest_files, small_files
from benchmarks.storage_writes import WritePlan, measure
from livecam_nvr.domain.media import Fragment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.index.reindex import reindex
from livecam_nvr.storage.index.rows import WRONG_DAYS
from livecam_nvr.storage.index.verify import Order, verify

LAST = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def nothing(_done: int, _total: int) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    return read_clip(make_clip(tmp_path_factory.mktemp("clips") / "h264.mp4", "h264", 4))


async def test_the_index_is_one_that_the_service_takes_for_its_own(tmp_path: Path) -> None:
    root, database = tmp_path / "recordings", tmp_path / "index.sqlite3"
    rows = fill(database, ["cam0"], 2, LAST)
    assert rows == 2 * DAY_S // 30 - 5  # one of 997 is missing
    with closing(sqlite3.connect(database)) as db:
        assert db.execute(WRONG_DAYS).fetchone() == (0,)
        assert len(db.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger'").fetchall()) == 2
    newest_files(root, ["cam0"], 2, 2, LAST)
    index = Index(database, root, SystemClock(), lambda _: False)
    await index.start()
    report = await index.reconcile()
    assert (report.full, report.in_words) == (False, "")
    assert report.files > DAY_S // 30
    await index.stop()


def test_the_small_files_are_whole(tmp_path: Path, fragments: list[Fragment]) -> None:
    root, database = tmp_path / "recordings", tmp_path / "index.sqlite3"
    small_files(root, fragments, 50, LAST)
    assert reindex(root, database, nothing).indexed == 50
    report = verify(Order(root, database, full=True), lambda: 0, nothing)
    assert (report.findings, report.frames) == ([], 50)


def test_no_byte_is_written_twice(tmp_path: Path, fragments: list[Fragment]) -> None:
    """A short and coarse look; half of what is written here is the file system's own."""
    written = measure(tmp_path, fragments, WritePlan(cameras=2, seconds=3, segment_s=2, durability_s=1))
    assert written.recorded_bytes > 100_000
    assert written.recorded_bytes <= written.disk_bytes < written.recorded_bytes + 2_000_000
