"""What an examination of the archive finds, and what it mends: real files, a real index, a real service's lock."""

import asyncio
import os
import sqlite3
import struct
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import BEGAN_UTC_NS, start_of, taken_at, write_file
from support.waiting import PATIENCE_S

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.evidence.keeper import EvidenceKeeper
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.files.repair import repair_file
from livecam_nvr.storage.index.database import connect
from livecam_nvr.storage.index.findings import FindingKind, VerifyReport
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.index.reindex import reindex
from livecam_nvr.storage.index.rows import LATEST, put, segments
from livecam_nvr.storage.index.verify import Order, verify
from livecam_nvr.storage.place.holder import holder

if TYPE_CHECKING:
    from concurrent.futures import Future

Kind = FindingKind


def nothing(_done: int, _total: int) -> None:
    """No progress."""


def look(root: Path, database: Path, **options: bool | str) -> VerifyReport:
    return verify(Order(root, database, **options), time.time_ns, nothing)  # type: ignore[arg-type]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "index.sqlite3"


@pytest.fixture
def files(root: Path, database: Path, fragments: list[Fragment]) -> list[Path]:
    """Six finished files on three days, half a second apart, and the index over them."""
    made = []
    for day in range(3):
        for number in range(2):
            utc_ns = BEGAN_UTC_NS + (day * 86_400 + number * 60) * NS
            moved = [taken_at(f, utc_ns) for f in fragments[:30]]
            made.append(write_file(root, moved, EndCause.CLOCK))
    assert reindex(root, database, nothing).indexed == 6
    return made


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("repair", [False, True])
def test_all_is_well(root: Path, database: Path, files: list[Path], full: bool, repair: bool) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    report = look(root, database, full=full, repair=repair)
    assert report.ok
    assert report.findings == []
    assert (report.files, report.rows, report.frames) == (6, 6, 180)
    assert report.bytes == sum(path.stat().st_size for path in files)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == before


def gone(path: Path, _: Path) -> None:
    path.unlink()


def not_in_the_index(path: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("DELETE FROM segment WHERE path LIKE ?", (f"%{path.name}",))
        db.commit()


def told_otherwise(path: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        row = replace(found) if (found := repair_file(path.parents[2], relative(path)).segment) else None
        assert row is not None
        for sql, values in put(replace(row, frames=row.frames + 1)):
            db.execute(sql, values)
        db.commit()


def cut_short(path: Path, _: Path) -> None:
    os.truncate(path, path.stat().st_size - 5000)


def blanked(path: Path, _: Path) -> None:
    """As a killed service leaves it: without the label's second record."""
    data = bytearray(path.read_bytes())
    at = data.index(b'{"cause"') - 9
    data[at : at + 192] = b" " * 192
    path.write_bytes(data)


def rotten(path: Path, _: Path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into(">I", data, data.index(b"trun", len(data) // 2) + 8, 77)
    path.write_bytes(data)


def without_table(path: Path, _: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"mfra")] ^= 0x20
    path.write_bytes(data)


def relative(path: Path) -> str:
    return path.relative_to(path.parents[2]).as_posix()


QUICK: list[tuple[Callable[[Path, Path], None], FindingKind]] = [
    (gone, Kind.MISSING_FILE),
    (not_in_the_index, Kind.UNKNOWN_FILE),
    (told_otherwise, Kind.WRONG_ROW),
    (cut_short, Kind.DAMAGED),
    (blanked, Kind.UNFINISHED),
]
FULL = [(rotten, Kind.DAMAGED), (without_table, Kind.DAMAGED)]


@pytest.mark.parametrize(("harm", "kind"), [*QUICK, *FULL])
def test_each_harm_is_found_and_mended(
    root: Path, database: Path, files: list[Path], harm: Callable[[Path, Path], None], kind: FindingKind
) -> None:
    full = (harm, kind) in FULL
    harm(files[3], database)
    before = {path: path.read_bytes() for path in files if path.exists()}
    report = look(root, database, full=full)
    assert [(found.kind, found.path) for found in report.findings] == [(kind, relative(files[3]))]
    assert not report.ok
    assert {path: path.read_bytes() for path in files if path.exists()} == before, "it only looked"
    assert look(root, database, full=not full).ok is full, "only a full one walks over the fragments"
    mended = look(root, database, full=full, repair=True)
    assert mended.ok
    assert mended.counts == {kind: 1}
    assert mended.findings[0].repaired
    again = look(root, database, full=True)
    assert again.findings == []
    assert again.files == (5 if harm is gone else 6)


def test_damage_costs_what_it_hit_and_the_rest_is_kept(root: Path, database: Path, files: list[Path]) -> None:
    rotten(files[0], database)
    look(root, database, full=True, repair=True)
    report = look(root, database, full=True)
    assert report.ok
    assert report.frames == 179
    segment = repair_file(root, relative(files[0])).segment
    assert segment is not None
    assert segment.cause is EndCause.CLOCK, "its end is there: nothing is missing after it"


def test_what_cannot_be_used_is_set_aside(root: Path, database: Path, files: list[Path]) -> None:
    os.truncate(files[0], 100)
    report = look(root, database, repair=True)
    assert report.counts == {Kind.UNFINISHED: 1}
    assert files[0].with_name(files[0].name + ".broken").stat().st_size == 100
    report = look(root, database)
    assert report.counts == {Kind.SET_ASIDE: 1}
    assert report.ok, "what was found and told once is harmless"
    assert (report.files, report.rows) == (5, 5)


def test_what_is_not_ours_is_told_and_left_alone(root: Path, database: Path, files: list[Path]) -> None:
    folder = files[0].parent
    (folder / "holiday.mp4").write_bytes(b"a film")
    (folder / "cam0_20260921_000000.mp4").write_bytes(b"#!/bin/sh\necho this is no video\n" * 10)
    part = folder / "cam0_20260921_000001.mp4.part"
    part.write_bytes(b"half")
    os.utime(part, (1_700_000_000, 1_700_000_000))
    (root / "lost+found").mkdir()
    report = look(root, database)
    assert report.ok
    assert report.counts == {Kind.FOREIGN: 2, Kind.TEMPORARY: 1}
    report = look(root, database, repair=True)
    assert report.counts == {Kind.FOREIGN: 2, Kind.TEMPORARY: 1}
    assert (folder / "holiday.mp4").read_bytes() == b"a film"
    assert look(root, database).counts == {Kind.FOREIGN: 2}


def test_more_than_there_was_is_told_and_not_cut_off(root: Path, database: Path, files: list[Path]) -> None:
    with files[0].open("ab") as file:
        file.write(b"a tag")
    report = look(root, database, full=True, repair=True)
    assert report.counts == {Kind.WRONG_SIZE: 1}
    assert not report.ok
    assert files[0].read_bytes().endswith(b"a tag")


def test_two_files_of_the_same_time(root: Path, database: Path, fragments: list[Fragment]) -> None:
    for second in (0, 1, 40):
        write_file(root, [taken_at(f, BEGAN_UTC_NS + second * NS) for f in fragments], EndCause.CLOCK)
    reindex(root, database, nothing)
    report = look(root, database)
    (found,) = report.findings
    assert found.kind is Kind.OVERLAP
    assert "5.0 s of it are in" in found.words


def test_one_camera_and_one_that_is_not_there(root: Path, database: Path, files: list[Path]) -> None:
    gone(files[0], database)
    assert look(root, database, camera="cam0").counts == {Kind.MISSING_FILE: 1}
    with pytest.raises(LivecamError, match="'cam7'") as refused:
        look(root, database, camera="cam7")
    assert refused.value.kind is ErrorKind.NOT_FOUND
    assert "cam0" in refused.value.hint


async def test_a_picture_that_was_changed_and_a_manifest_that_was_cut(
    root: Path, database: Path, files: list[Path]
) -> None:
    with closing(connect(database, read_only=True)) as connection:
        known = [*segments(connection, LATEST, ("cam0", 10))]
    keeper = EvidenceKeeper(root, FakeClock())
    keeper.start()
    keeper.catch_up(known)
    await keeper.stop()
    assert look(root, database, full=True).ok
    with files[2].open("r+b") as file:
        file.seek(-2000, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    path = str(files[2].relative_to(root))
    changed = look(root, database, full=True)
    assert [(found.kind, found.path) for found in changed.findings] == [(Kind.ALTERED, path)]
    assert not changed.ok
    assert look(root, database).ok
    (manifest,) = (root / ".livecam-nvr" / "manifests").glob("*/*.jsonl")
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[:2] + lines[3:]))
    kinds = {found.path: found.kind for found in look(root, database, full=True).findings}
    assert kinds[str(manifest.relative_to(root))] is Kind.ALTERED


def test_no_archive(tmp_path: Path, database: Path) -> None:
    for repair in (False, True):
        with pytest.raises(LivecamError, match="no recordings folder") as refused:
            look(tmp_path / "recordings", database, repair=repair)
        assert refused.value.kind is ErrorKind.NOT_FOUND
    assert not (tmp_path / "recordings").exists()


def test_without_an_index_the_files_are_looked_at_all_the_same(
    root: Path, database: Path, files: list[Path]
) -> None:
    database.unlink()
    blanked(files[1], database)
    report = look(root, database)
    assert report.counts == {Kind.INDEX: 1, Kind.UNFINISHED: 1}
    assert "reindex" in report.findings[0].words
    assert not database.exists()
    assert look(root, database, repair=True).ok
    assert look(root, database, full=True).findings == []


def test_a_damaged_index_is_told(root: Path, database: Path, files: list[Path]) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("r+b") as file:
        for page in range(1, database.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xaa" * 200)
    report = look(root, database)
    assert set(report.counts) >= {Kind.INDEX}
    assert any("reindex" in found.words for found in report.findings)
    assert not report.ok
    reindex(root, database, nothing)
    assert look(root, database, full=True).findings == []


def test_a_newer_index_is_refused(root: Path, database: Path, files: list[Path]) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version = 99")
    for repair in (False, True):
        with pytest.raises(LivecamError, match="newer livecam-nvr") as refused:
            look(root, database, repair=repair)
        assert refused.value.kind is ErrorKind.CONFLICT


def test_sums_that_are_wrong(root: Path, database: Path, files: list[Path]) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("UPDATE day SET frames = frames + 1 WHERE day = (SELECT min(day) FROM day)")
        db.commit()
    assert look(root, database).counts == {Kind.INDEX: 1}
    assert look(root, database, repair=True).ok
    assert look(root, database).findings == []


async def test_while_a_service_records(
    index: Index, archive: FileArchive, root: Path, tmp_path: Path, fragments: list[Fragment]
) -> None:
    """Files that come and go while it looks are no findings; what is really wrong is."""
    database = tmp_path / "data" / "index.db"
    old = write_file(root, [taken_at(f, BEGAN_UTC_NS - 90_000 * NS) for f in fragments[:5]])
    os.utime(old, (1_700_000_000, 1_700_000_000))
    finished: list[Segment] = []
    for number in range(3):
        moved = [taken_at(f, BEGAN_UTC_NS + number * 60 * NS) for f in fragments]
        writer = archive.begin(start_of(moved[0], sequence=number), finished.append, pytest.fail)
        for fragment in moved:
            writer.append(fragment)
        if number < 2:
            writer.finish(EndCause.CLOCK)
    await archive.flush()
    assert len(finished) == 2
    assert holder(root) == f"process {os.getpid()} on {os.uname().nodename}"
    index.add(finished[0])
    await index.flush()

    loop = asyncio.get_running_loop()

    async def add() -> None:
        index.add(finished[1])
        await index.flush()

    def meanwhile(done: int, _total: int) -> None:
        if done == 1 and len(added) == 0:  # the rows of its folder have been read
            added.append(asyncio.run_coroutine_threadsafe(add(), loop))
            added[0].result(PATIENCE_S)

    added: list[Future[None]] = []
    report = await asyncio.to_thread(verify, Order(root, database, full=True), time.time_ns, meanwhile)
    assert len(added) == 1
    assert (report.running, report.writing) == (True, 1)
    assert [(found.kind, found.path) for found in report.findings] == [(Kind.UNFINISHED, relative(old))]
    with pytest.raises(LivecamError, match="nothing can be repaired while a service records") as refused:
        await asyncio.to_thread(look, root, database, repair=True)
    assert refused.value.kind is ErrorKind.CONFLICT
    assert str(os.getpid()) in refused.value.message
    writer.finish(EndCause.SERVICE)
    await archive.stop()
    assert holder(root) is None


async def test_a_service_cannot_start_while_files_are_repaired(
    root: Path, database: Path, files: list[Path]
) -> None:
    blanked(files[0], database)
    tried: list[LivecamError] = []

    def meanwhile(_done: int, _total: int) -> None:
        archive = FileArchive(root, 0.5, SystemClock())
        try:
            asyncio.run(archive.start())
        except LivecamError as error:
            tried.append(error)

    order = Order(root, database, repair=True)
    await asyncio.to_thread(verify, order, time.time_ns, meanwhile)
    assert tried
    assert all(error.kind is ErrorKind.CONFLICT for error in tried)
