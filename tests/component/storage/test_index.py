"""The index: questions, migrations, damage, and that the files are the truth."""

import asyncio
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.storage_fragments import BEGAN_UTC_NS, start_of, taken_at, write_file
from support.waiting import PATIENCE_S

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment, segment_path
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.files.repair import repair_file
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.index.migrate import migrate, steps


class ClockAt(SystemClock):
    def __init__(self, utc_ns: int) -> None:
        self.now_ns = utc_ns

    def utc_ns(self) -> int:
        return self.now_ns


def segment(second: int, camera_id: str = "cam0", length_s: float = 30.0) -> Segment:
    start = BEGAN_UTC_NS + second * NS
    path = str(segment_path(camera_id, start, 7200))
    length_ns = int(length_s * NS)
    return Segment(
        camera_id, path, start, length_ns, 7200, 900, 7_500_000, (1 << 63) - 1, second // 30, EndCause.CLOCK,
        "avc1.42c01f", 1280, 720,
    )  # fmt: skip


def finished_files(root: Path, fragments: list[Fragment], days: int, camera_id: str = "cam0") -> list[Segment]:
    """Two finished files a day, copies of one but for their names and labels."""
    made = []
    for day in range(days):
        for hour in range(2):
            utc_ns = BEGAN_UTC_NS + (day * 24 + hour) * 3600 * NS
            moved = [taken_at(f, utc_ns) for f in fragments[:20]]
            path = write_file(root, moved, EndCause.CLOCK).relative_to(root).as_posix()
            found = repair_file(root, path).segment
            assert found is not None
            made.append(found)
    return made


async def test_questions(index: Index) -> None:
    made = [segment(second) for second in range(0, 300, 30)]
    for item in [*made, segment(0, "cam1")]:
        index.add(item)
    await index.flush()
    assert await index.latest("cam0") == [made[-1]]
    assert await index.latest("cam0", 3) == made[:-4:-1]
    assert await index.latest("cam7") == []
    begin = BEGAN_UTC_NS

    async def ask(from_s: float, to_s: float) -> list[Segment]:
        return await index.between("cam0", begin + int(from_s * NS), begin + int(to_s * NS))

    assert await ask(45, 100) == made[1:4]
    assert await ask(30, 60) == made[1:2]  # what only touches a range is not in it
    assert await ask(29.9, 60.1) == made[0:3]
    assert await ask(-100, 0) == []
    assert await ask(300, 400) == []
    assert await index.between("cam0", begin, begin + 300 * NS, limit=2) == made[:2]
    long = segment(-3600, length_s=3700)
    index.add(long)
    await index.flush()
    assert await ask(50, 51) == [long, made[1]]


async def test_adding_again_replaces(index: Index) -> None:
    index.add(segment(0))
    index.add(replace(segment(0), frames=1, cause=EndCause.SERVICE))
    await index.flush()
    found = await index.latest("cam0", 5)
    assert [(s.frames, s.cause) for s in found] == [(1, EndCause.SERVICE)]


async def test_a_deleted_index_is_rebuilt_equal(
    tmp_path: Path, archive: FileArchive, root: Path, fragments: list[Fragment]
) -> None:
    path = tmp_path / "index.db"
    index = Index(path, root, SystemClock(), archive.is_writing)
    await index.start()
    for camera_id in ("cam0", "cam1"):
        for sequence, cause in enumerate(EndCause):
            writer = archive.begin(start_of(fragments[0], camera_id, sequence), index.add, pytest.fail)
            for fragment in fragments[: 5 + sequence]:
                writer.append(fragment)
            writer.finish(cause)
    await archive.flush()
    await index.flush()
    before = [await index.latest(camera_id, 100) for camera_id in ("cam0", "cam1")]
    assert [len(found) for found in before] == [len(EndCause)] * 2
    await index.stop()
    path.unlink()
    again = Index(path, root, SystemClock(), archive.is_writing)
    await again.start()
    progress: list[tuple[int, int]] = []
    report = await again.reconcile(lambda done, total: progress.append((done, total)))
    assert (report.full, report.added, report.errors) == (True, 2 * len(EndCause), 0)
    assert progress[-1] == (2, 2)
    assert [await again.latest(camera_id, 100) for camera_id in ("cam0", "cam1")] == before
    await again.stop()


async def test_what_a_killed_service_left_is_repaired_and_indexed(
    index: Index, root: Path, fragments: list[Fragment]
) -> None:
    path = write_file(root, fragments[:33])
    os.truncate(path, path.stat().st_size - 1)
    (path.parent / "cam0_20260921_170000.mp4").write_bytes(b"")
    (path.parent / "holiday.mp4").write_bytes(b"not ours")
    report = await index.reconcile()
    assert (report.repaired, report.set_aside, report.added, report.errors) == (1, 1, 0, 0)
    assert report.in_words == "1 repaired, 1 set aside as damaged"
    (found,) = await index.latest("cam0", 10)
    assert (found.frames, found.cause) == (32, EndCause.SERVICE)
    assert (path.parent / "holiday.mp4").read_bytes() == b"not ours"
    report = await index.reconcile()
    assert (report.full, report.repaired, report.set_aside, report.added, report.removed) == (False, 0, 0, 0, 0)
    assert report.in_words == ""


async def test_a_file_being_written_is_not_touched(
    index: Index, archive: FileArchive, root: Path, fragments: list[Fragment]
) -> None:
    finished: list[Segment] = []
    writer = archive.begin(start_of(fragments[0]), finished.append, pytest.fail)
    for at, fragment in enumerate(fragments):
        writer.append(fragment)
        if at % 10 == 0:
            await archive.flush()
            report = await index.reconcile()
            assert (report.repaired, report.set_aside, report.files) == (0, 0, 1)
    writer.finish(EndCause.CLOCK)
    await archive.flush()
    assert finished[0].frames == len(fragments)
    assert await index.latest("cam0") == []
    assert (await index.reconcile()).added == 1
    assert await index.latest("cam0") == finished


async def test_rows_whose_file_is_gone_are_removed(index: Index, root: Path, fragments: list[Fragment]) -> None:
    made = finished_files(root, fragments, 2)
    await index.reconcile()
    assert await index.latest("cam0", 10) == made[::-1]
    (root / made[-1].path).unlink()
    assert (await index.reconcile()).removed == 1
    assert await index.latest("cam0", 10) == made[-2::-1]
    shutil.rmtree(root / "cam0")
    assert (await index.reconcile()).removed == 3
    assert await index.latest("cam0", 10) == []


async def test_years_of_files_are_not_scanned_again(tmp_path: Path, root: Path, fragments: list[Fragment]) -> None:
    made = finished_files(root, fragments, 10)
    clock = ClockAt(made[-1].start_utc_ns)
    index = Index(tmp_path / "index.db", root, clock, lambda _: False)
    await index.start()
    assert (await index.reconcile()).folders == 10
    report = await index.reconcile()
    assert (report.full, report.folders, report.added) == (False, 3, 0)
    clock.now_ns += 100 * 86_400 * NS  # the service was off for long: the newest indexed day tells where to begin
    left = write_file(root, [taken_at(f, made[-1].start_utc_ns + 60 * NS) for f in fragments[:9]])
    report = await index.reconcile()
    assert (report.folders, report.repaired) == (2, 1)
    assert (await index.latest("cam0"))[0].path == left.relative_to(root).as_posix()
    await index.stop()


async def test_a_scan_that_was_cut_short_is_begun_again(
    tmp_path: Path, root: Path, fragments: list[Fragment]
) -> None:
    made = finished_files(root, fragments, 6)
    loop = asyncio.get_running_loop()
    asked, cancelled = 0, threading.Event()

    def cancel() -> None:
        task.cancel()
        loop.call_soon(cancelled.set)  # comes after the cancelled task's own next step

    def is_writing(_path: str) -> bool:
        nonlocal asked
        asked += 1
        if asked == 3:
            loop.call_soon_threadsafe(cancel)
            cancelled.wait(PATIENCE_S)
        return False

    index = Index(tmp_path / "index.db", root, SystemClock(), is_writing)
    await index.start()
    task = asyncio.create_task(index.reconcile())
    await asyncio.wait([task])
    assert task.cancelled()
    assert asked == 3
    report = await index.reconcile()
    assert report.full
    assert await index.latest("cam0", 100) == made[::-1]
    await index.stop()


async def test_a_newer_index_is_refused_and_recording_goes_on(
    tmp_path: Path, archive: FileArchive, root: Path
) -> None:
    path = tmp_path / "index.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    index = Index(path, root, SystemClock(), archive.is_writing)
    with pytest.raises(LivecamError, match="newer livecam-nvr") as refused:
        await index.start()
    assert refused.value.kind is ErrorKind.CONFLICT
    assert "rebuilt" in refused.value.hint
    index.add(segment(0))
    with pytest.raises(LivecamError) as absent:
        await index.latest("cam0")
    assert absent.value.kind is ErrorKind.UNAVAILABLE
    await index.stop()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    assert path.read_bytes()[:16] == before[:16]


async def test_a_damaged_index_is_set_aside_and_rebuilt(
    tmp_path: Path, root: Path, fragments: list[Fragment]
) -> None:
    made = finished_files(root, fragments, 1)
    path = tmp_path / "index.db"
    path.write_bytes(b"this is no database, however long it may be " * 100)
    index = Index(path, root, SystemClock(), lambda _: False)
    await index.start()
    assert (await index.reconcile()).full
    assert await index.latest("cam0", 10) == made[::-1]
    assert (tmp_path / "index.db.broken").read_bytes().startswith(b"this is no database")
    await index.stop()


async def test_an_index_that_cannot_be_opened_says_so(tmp_path: Path, root: Path) -> None:
    (tmp_path / "data").write_text("a file")
    index = Index(tmp_path / "data" / "index.db", root, SystemClock(), lambda _: False)
    with pytest.raises(LivecamError, match="cannot be opened") as refused:
        await index.start()
    assert refused.value.kind is ErrorKind.DISK
    index.add(segment(0))
    await index.stop()


async def test_what_cannot_be_written_now_is_written_later(
    tmp_path: Path, index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "data" / "index.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        index.add(segment(0))
        await index.flush()  # 5 s: SQLite's own patience
        assert "recording is not affected" in caplog.text
        other.rollback()
    index.add(segment(30))
    await index.flush()
    assert len(await index.latest("cam0", 10)) == 2


def test_a_migration_is_all_or_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    shutil.copytree(next(iter(steps().values())).parent, folder)
    path = tmp_path / "index.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, "index.db", folder)
        newest = max(steps(folder))
        (folder / f"{newest + 1:04}.sql").write_text(
            "ALTER TABLE segment ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1);"
        )
        with pytest.raises(sqlite3.Error):
            migrate(connection, "index.db", folder)
        assert connection.execute("PRAGMA user_version").fetchone() == (newest,)
        assert "note" not in {row[1] for row in connection.execute("PRAGMA table_info(segment)")}
        (folder / f"{newest + 1:04}.sql").write_text("ALTER TABLE segment ADD COLUMN note TEXT;")
        migrate(connection, "index.db", folder)
        migrate(connection, "index.db", folder)
        assert connection.execute("PRAGMA user_version").fetchone() == (newest + 1,)
        assert "note" in {row[1] for row in connection.execute("PRAGMA table_info(segment)")}
