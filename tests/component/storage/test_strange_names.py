"""What is named like a recording and is none: pipes, links, folders, in every pass over the archive."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fakes.storage_fragments import BEGAN_UTC_NS, write_file
from support.waiting import PATIENCE_S

from livecam_nvr.cli.verify import in_words
from livecam_nvr.domain.coverage import GapCause, Span
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.repair import open_to_read, repair_file
from livecam_nvr.storage.index.database import connect
from livecam_nvr.storage.index.findings import FindingKind
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.index.reindex import reindex
from livecam_nvr.storage.index.verify import Order, verify
from livecam_nvr.storage.ledger.entries import Change, ledger_path, to_line
from livecam_nvr.storage.ledger.past import read_coverage
from livecam_nvr.storage.ledger.past_unattended import unindexed
from livecam_nvr.storage.ledger.sign_of_life import last_written_ns

STRANGE = {
    "cam0_20990101_000000.mp4": "a folder",
    "cam0_20990101_000001.mp4": "a pipe",
    "cam0_20990101_000002.mp4": "a link to a recording",
    "cam0_20990101_000003.mp4": "a link to nothing",
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "index.sqlite3"


@pytest.fixture
def recording(root: Path, fragments: list[Fragment]) -> Path:
    """One recording, and beside it what only looks like one."""
    file: Path = write_file(root, fragments, EndCause.CLOCK)
    folder, pipe, link, dead = (file.parent / name for name in STRANGE)
    folder.mkdir()
    os.mkfifo(pipe)
    link.symlink_to(file)
    dead.symlink_to("nowhere")
    return file


async def in_time(work: Callable[[], object]) -> object:
    """A thread that waits for a pipe's other end would never come back."""
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.to_thread(work)


def release(pipe: Path) -> None:
    """Lets go of whoever waits for the pipe, so that a failing test ends."""
    os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))


def nothing(_done: int, _total: int) -> None:
    """No progress."""


async def test_every_pass_over_the_archive_leaves_them_alone(root: Path, database: Path, recording: Path) -> None:
    pipe = recording.with_name("cam0_20990101_000001.mp4")
    try:
        report = await in_time(lambda: reindex(root, database, nothing))
        assert (report.indexed, report.errors) == (1, ())  # type: ignore[attr-defined]
        assert await in_time(lambda: last_written_ns(root)) == 0
        with closing(sqlite3.connect(database, check_same_thread=False)) as db:
            assert await in_time(lambda: unindexed(db, root, "cam0", EndCause.CLOCK)) == []
        index = Index(database, root, SystemClock(), lambda _: False)
        await index.start()
        async with asyncio.timeout(PATIENCE_S):
            reconciled = await index.reconcile()
        await index.stop()
        assert (reconciled.errors, reconciled.removed, reconciled.added) == (0, 0, 0)
    finally:
        release(pipe)
    checked = verify(Order(root, database, full=True), time.time_ns, nothing)
    assert checked.ok
    assert {found.path.rpartition("/")[2] for found in checked.findings} == STRANGE.keys()
    assert {found.words for found in checked.findings} == {"it is named like a recording, but is no file"}


@pytest.mark.parametrize(("name", "words"), [("000001", "Illegal seek"), ("000002", "symbolic link")])
async def test_none_is_opened_as_a_recording(root: Path, recording: Path, name: str, words: str) -> None:
    strange = recording.with_name(f"cam0_20990101_{name}.mp4")
    before = recording.read_bytes()
    try:
        with pytest.raises(OSError, match=words):
            await in_time(lambda: repair_file(root, str(strange.relative_to(root)), distrust=True))
    finally:
        if strange.is_fifo():
            release(strange)
    assert recording.read_bytes() == before
    os.close(open_to_read(recording))


def test_names_do_not_write_on_the_terminal(root: Path, database: Path, recording: Path) -> None:
    reindex(root, database, nothing)
    for name in (b"a\nb.mp4", b"\x1b[2J.mp4", b"\xff\xfe.mp4", "Öffnung 日本.mp4".encode()):
        (recording.parent / os.fsdecode(name)).touch()
    lines = in_words(verify(Order(root, database), time.time_ns, nothing), repair=False)
    assert all(line.isprintable() for line in lines)
    told = "\n".join(lines)
    for seen in ("a\\nb.mp4", "\\x1b[2J.mp4", "\\udcff\\udcfe.mp4", "Öffnung 日本.mp4"):
        assert f"/{seen}: it is not named like a recording" in told


def test_an_index_that_a_repair_makes_knows_the_ledgers(
    root: Path, database: Path, fragments: list[Fragment]
) -> None:
    file = write_file(root, fragments, EndCause.SERVICE)
    end_ns = BEGAN_UTC_NS + 20 * NS
    entries = [
        Entry("cam0", EntryKind.STATE, BEGAN_UTC_NS, data={"cause": ""}),
        Entry("cam0", EntryKind.STATE, BEGAN_UTC_NS + 8 * NS, data={"cause": "service_crashed"}),
        Entry("cam0", EntryKind.CLIP, BEGAN_UTC_NS, end_ns, {"title": "kept", "by": "test"}),
    ]
    ledger = root / ledger_path("cam0", BEGAN_UTC_NS)
    ledger.write_bytes(b"".join(map(to_line, map(Change, entries))))
    report = verify(Order(root, database, repair=True), time.time_ns, nothing)
    assert report.ok
    assert report.counts == {FindingKind.INDEX: 1, FindingKind.UNKNOWN_FILE: 1}
    assert file.exists()
    with closing(connect(database, read_only=True)) as db:
        assert db.execute("SELECT count(*) FROM entry WHERE kind = 'clip'").fetchone() == (1,)
        found = read_coverage(db, "cam0", Span(BEGAN_UTC_NS, end_ns), end_ns + 60 * NS)
    assert [gap.cause for gap in found.gaps] == [GapCause.SERVICE_CRASHED]
    assert report.findings[0].repaired
