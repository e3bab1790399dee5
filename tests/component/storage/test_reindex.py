"""Rebuilding the index from the files alone."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fakes.storage_fragments import BEGAN_UTC_NS, taken_at, write_file

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.index.reindex import reindex
from livecam_nvr.storage.ledger.entries import Change, ledger_path, to_line

TABLES = ("segment", "day", "entry", "fact")


def nothing(_done: int, _total: int) -> None:
    """No progress."""


def contents(database: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(database)) as db:
        return {
            table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608
            for table in TABLES
        }


def make(root: Path, fragments: list[Fragment], days: int = 3) -> list[Path]:
    return [
        write_file(
            root, [taken_at(f, BEGAN_UTC_NS + (day * 86_400 + n * 60) * NS) for f in fragments[:4]], EndCause.CLOCK
        )
        for day in range(days)
        for n in range(3)
    ]


async def test_it_is_what_the_service_would_have_made(
    tmp_path: Path, root: Path, fragments: list[Fragment]
) -> None:
    make(root, fragments)
    left = write_file(root, [taken_at(f, BEGAN_UTC_NS + 400_000 * NS) for f in fragments[:7]])
    os.truncate(left, left.stat().st_size - 1)
    (left.parent / "cam0_20260926_000000.mp4").write_bytes(b"")
    (left.parent / "holiday.mp4").write_bytes(b"a film")
    database = tmp_path / "data" / "index.sqlite3"
    progress: list[tuple[int, int]] = []
    report = reindex(root, database, lambda done, total: progress.append((done, total)))
    assert (report.files, report.indexed, report.repaired, report.set_aside) == (11, 10, 1, 1)
    assert report.errors == ()
    assert progress[0] == (0, 12)
    assert progress[-1] == (11, 11)
    assert sorted(path.name for path in database.parent.iterdir()) == ["archives.json", "index.sqlite3"]
    by_service = tmp_path / "other" / "index.sqlite3"
    index = Index(by_service, root, SystemClock(), lambda _: False)
    await index.start()
    assert (await index.reconcile()).added == 10
    await index.stop()
    assert contents(database) == contents(by_service)
    index = Index(database, root, SystemClock(), lambda _: False)
    await index.start()
    again = await index.reconcile()
    assert (again.full, again.in_words) == (False, "")
    await index.stop()


def test_ledgers_come_back(tmp_path: Path, root: Path, fragments: list[Fragment]) -> None:
    make(root, fragments, 1)
    entry = Entry("cam0", EntryKind.EVENT, BEGAN_UTC_NS, BEGAN_UTC_NS + 5, {"label": "door"}, "a1")
    other = Entry("cam0", EntryKind.EVENT, BEGAN_UTC_NS + 9, None, {"label": "person"}, "b2")
    lines = [Change(entry), Change(other), Change(other, removed=True)]
    path = root / ledger_path("cam0", BEGAN_UTC_NS)
    path.write_bytes(b"".join(map(to_line, lines)) + b"00000000 torn")
    report = reindex(root, tmp_path / "index.sqlite3", nothing)
    assert (report.entries, report.damaged_lines) == (1, 1)
    assert [row[0] for row in contents(tmp_path / "index.sqlite3")["entry"]] == ["a1"]


def test_a_log_of_the_old_index_is_not_played_into_the_new_one(
    tmp_path: Path, root: Path, fragments: list[Fragment]
) -> None:
    make(root, fragments)
    database = tmp_path / "index.sqlite3"
    reindex(root, database, nothing)
    fresh = contents(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as killed:
        killed.execute("PRAGMA journal_mode = WAL")
        killed.execute("DELETE FROM segment")
        kept = {suffix: Path(f"{database}{suffix}").read_bytes() for suffix in ("", "-wal", "-shm")}
    for suffix, data in kept.items():  # as a SIGKILL leaves them: the log holds what the file does not
        Path(f"{database}{suffix}").write_bytes(data)
    assert contents(database)["segment"] == []
    for suffix, data in kept.items():
        Path(f"{database}{suffix}").write_bytes(data)
    reindex(root, database, nothing)
    assert contents(database) == fresh


@pytest.mark.parametrize("old", [b"", b"this is no database " * 500, None])
def test_whatever_the_old_one_was(
    tmp_path: Path, root: Path, fragments: list[Fragment], old: bytes | None
) -> None:
    make(root, fragments, 1)
    database = tmp_path / "index.sqlite3"
    if old is not None:
        database.write_bytes(old)
    (tmp_path / "index.sqlite3.new").write_bytes(b"left by one that was killed")
    assert reindex(root, database, nothing).indexed == 3
    assert len(contents(database)["segment"]) == 3


async def test_it_is_refused_while_a_service_records(tmp_path: Path, root: Path, archive: FileArchive) -> None:
    database = tmp_path / "index.sqlite3"
    with pytest.raises(LivecamError, match="cannot be rebuilt while a service records") as refused:
        reindex(root, database, nothing)
    assert refused.value.kind is ErrorKind.CONFLICT
    assert not database.exists()


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(LivecamError, match="no recordings folder"):
        reindex(tmp_path / "nowhere", tmp_path / "index.sqlite3", nothing)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_the_old_one(tmp_path: Path, root: Path, fragments: list[Fragment]) -> None:
    make(root, fragments)
    database = tmp_path / "index.sqlite3"
    reindex(root, database, nothing)
    before = database.read_bytes()

    def interrupt(done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindex(root, database, interrupt)
    assert database.read_bytes() == before
    assert [path.name for path in tmp_path.glob("index*")] == ["index.sqlite3"]
