"""The ledger: its files are the truth, the index follows them, and no disk trouble loses what was said."""

import asyncio
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import write_file
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.runtime.timesync import boot_id
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.ledger.entries import ledger_path
from livecam_nvr.storage.ledger.ledger import FileLedger
from livecam_nvr.storage.ledger.ledger_files import ledger_files, read_all

AT = 1_790_000_000 * NS  # 2026-09-21 14:13:20 UTC
ALL = tuple(EntryKind)
FAR = 1 << 62


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


@pytest.fixture
async def index(tmp_path: Path, root: Path) -> AsyncIterator[Index]:
    index = Index(tmp_path / "index.db", root, SystemClock(), lambda _path: False)
    await index.start()
    yield index
    await index.stop()


@pytest.fixture
async def ledger(root: Path, index: Index) -> AsyncIterator[FileLedger]:
    ledger = FileLedger(root, index, 0.2, SystemClock())
    await ledger.start()
    yield ledger
    await ledger.stop()


def entry(kind: EntryKind = EntryKind.STATE, at_s: float = 0, end_s: float | None = None, **data: str) -> Entry:
    end = None if end_s is None else AT + round(end_s * NS)
    return Entry("cam0", kind, AT + round(at_s * NS), end, data)


async def everything(ledger: FileLedger) -> list[Entry]:
    await ledger.flush()
    return await ledger.find("cam0", ALL, 0, FAR)


async def reborn(root: Path, database: Path) -> list[Entry]:
    """What a service with a new index finds."""
    index = Index(database, root, SystemClock(), lambda _path: False)
    await index.start()
    ledger = FileLedger(root, index, 1, FakeClock(AT))
    await ledger.start()
    found = await everything(ledger)
    await ledger.stop()
    await index.stop()
    assert sorted(found, key=lambda e: e.id) == sorted(
        {e.id: e for e in read_all(root)}.values(), key=lambda e: e.id
    )
    return found


async def test_what_was_put_is_found_and_lies_in_the_files(ledger: FileLedger, root: Path, tmp_path: Path) -> None:
    state = entry(cause="camera", words='Grüße "x"\n🙂 \udce4')
    clip = entry(EntryKind.CLIP, 5, 65, title="the fox")
    for item in (state, clip):
        ledger.put(item)
    found = await everything(ledger)
    assert found[1] == clip
    assert found[0].id == state.id
    assert await ledger.get(clip.id) == clip
    assert await ledger.get("nothing") is None
    assert ledger_files(root) == ["cam0/cam0_202609.ledger"]
    ledger.put(replace(clip, end_utc_ns=AT + 90 * NS))
    ledger.remove(state)
    found = await everything(ledger)
    assert found == [replace(clip, end_utc_ns=AT + 90 * NS)]
    assert await reborn(root, tmp_path / "other.db") == found


async def test_a_torn_and_a_rotten_line_cost_only_themselves(
    ledger: FileLedger, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = [entry(at_s=at, words=str(at)) for at in range(6)]
    for item in made[:4]:
        ledger.put(item)
    await ledger.flush()
    path = root / "cam0/cam0_202609.ledger"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"words":"1"', b'"words":"7"')
    path.write_bytes(b"".join(lines)[:-20])
    ledger.put(made[4])
    ledger.put(made[5])
    await ledger.flush()
    with caplog.at_level(logging.WARNING):
        found = await reborn(root, tmp_path / "other.db")
    assert found == [made[0], made[2], made[4], made[5]]
    assert "2 of 6 lines are damaged" in caplog.text


async def test_the_index_reads_on_where_it_stopped(root: Path, tmp_path: Path) -> None:
    database = tmp_path / "one.db"
    first, second = entry(at_s=1), entry(at_s=2)
    for item in (first, second):
        index = Index(database, root, SystemClock(), lambda _path: False)
        ledger = FileLedger(root, index, 1, FakeClock(AT))  # without an index: only the files get it
        if item is second:
            await ledger.start()
            ledger.put(item)
            await ledger.stop()
            await index.start()
            again = FileLedger(root, index, 1, FakeClock(AT))
            await again.start()
            assert await everything(again) == [first, second]
            await again.stop()
        else:
            await index.start()
            await ledger.start()
            ledger.put(item)
            assert await everything(ledger) == [first]
            await ledger.stop()
        await index.stop()
    with closing(sqlite3.connect(database)) as db:
        (size,) = db.execute("SELECT value FROM fact WHERE name LIKE 'ledger %'").fetchone()
    assert int(size) == (root / "cam0/cam0_202609.ledger").stat().st_size


async def test_a_deleted_or_replaced_file_is_forgotten(root: Path, tmp_path: Path, ledger: FileLedger) -> None:
    old, new = entry(at_s=0), entry(at_s=40 * 86_400)
    ledger.put(old)
    ledger.put(entry(at_s=1, words="x" * 500))
    ledger.put(new)
    await ledger.flush()
    first, second = (root / path for path in ledger_files(root))
    second.unlink()
    first.write_bytes(first.read_bytes().splitlines(keepends=True)[0])
    await ledger.catch_up()
    assert await everything(ledger) == [old]


async def test_an_index_that_is_lost_while_running_gets_everything_again(
    ledger: FileLedger, index: Index, tmp_path: Path
) -> None:
    made = [entry(at_s=at) for at in range(3)]
    for item in made:
        ledger.put(item)
    await ledger.flush()
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"index.db{suffix}").unlink(missing_ok=True)
    ledger.mark_alive(AT)  # writing notices it

    async def back() -> bool:
        try:
            return await ledger.find("cam0", ALL, 0, FAR) == made
        except LivecamError:
            return False

    await until(back, "the entries are in the new index")
    assert await ledger.last_alive() == AT


async def test_what_the_disk_refuses_waits(root: Path, index: Index, caplog: pytest.LogCaptureFixture) -> None:
    there = False
    ledger = FileLedger(root, index, 0.2, SystemClock(), lambda: there)
    await ledger.start()
    made = [entry(at_s=at) for at in range(3)]
    for item in made:
        ledger.put(item)
    assert await everything(ledger) == made, "the index has it at once"
    assert ledger_files(root) == [], "nothing is written into a folder that is not the archive"
    there = True
    await until(lambda: len(list(read_all(root))) == 3)
    await ledger.flush()
    (root / "cam0").rename(root / "moved")
    (root / "cam0").write_text("a file is in the way")
    ledger.put(entry(at_s=9))
    await ledger.flush()
    (root / "cam0").unlink()
    (root / "moved").rename(root / "cam0")
    await until(lambda: len(list(read_all(root))) == 4)
    await ledger.stop()
    said = [record for record in caplog.records if "cannot be written now" in record.message]
    assert len(said) == 2, "each trouble is said once"


async def test_a_disk_that_comes_back_is_read_then(root: Path, index: Index, ledger: FileLedger) -> None:
    old, new = entry(at_s=0), entry(at_s=9)
    ledger.put(old)
    await ledger.stop()
    there = False

    def look() -> bool:
        if not there:
            raise LivecamError(ErrorKind.DISK, "what is there is not the archive")
        return True

    index.apply((("DELETE FROM entry", ()), ("DELETE FROM fact", ())))
    again = FileLedger(root, index, 0.2, SystemClock(), look)
    await again.start()
    again.put(new)
    assert await everything(again) == [new]
    there = True

    async def complete() -> bool:
        return await again.find("cam0", ALL, 0, FAR) == [old, new]

    await until(complete)
    await again.stop()


async def test_when_the_service_was_last_alive(ledger: FileLedger, index: Index) -> None:
    assert await ledger.last_alive() is None
    made = Segment("cam0", "cam0/a.mp4", AT, NS, 0, 1, 1, 1, 0, EndCause.CLOCK, "avc1", 640, 360)
    index.add(made)
    await index.flush()
    assert await ledger.last_alive() == AT, "a new index has no mark, but files"
    for at in (AT + 5, AT + 7):
        ledger.mark_alive(at)
        await ledger.flush()
        assert await ledger.last_alive() == at


async def test_what_was_being_recorded_tells_when_the_service_was_killed(
    ledger: FileLedger, root: Path, fragments: list[Fragment]
) -> None:
    ledger.mark_alive(AT + 5)
    await ledger.flush()
    written = [
        write_file(root, fragments[at:], cause) for at, cause in ((0, None), (20, None), (40, EndCause.CLOCK))
    ]
    for path, utc_ns in zip(written, (AT + 70, AT + 80, AT + 90), strict=True):
        os.utime(path, ns=(utc_ns, utc_ns))
    assert await ledger.last_alive() == AT + 80, "a finished file may have been touched by anybody"
    (root / "cam1" / "260921").mkdir(parents=True)
    (root / "cam1" / "260921" / "cam1_20260921_141320.mp4").write_bytes(b"torn")
    assert (await ledger.last_alive() or 0) > AT + 90
    for path in root.rglob("*.mp4"):
        os.utime(path, ns=(1 << 62, 1 << 62))
    assert (await ledger.last_alive() or 0) <= SystemClock().utc_ns(), "not in the future"


async def test_entries_of_a_wrong_clock_are_moved(index: Index, root: Path, tmp_path: Path) -> None:
    clock = FakeClock(AT)
    ledger = FileLedger(root, index, 0.2, clock)
    await ledger.start()
    shift = 70 * 86_400 * NS
    earlier = [entry(EntryKind.STATE, 3, cause="disk"), entry(EntryKind.EVENT, 4, 5, label="cat")]
    for item in earlier:
        ledger.put(item)
    # The machine is started again: its clock goes on where it was last written down, before what was told then.
    clock = FakeClock(AT)
    clock.is_synchronised = False
    clock.look()
    clock.advance(10)
    await ledger.stop()
    ledger = FileLedger(root, index, 0.2, clock)
    await ledger.start()
    moving = [
        entry(EntryKind.STATE, 0, cause=""),
        entry(EntryKind.PAUSE, 1, 3),
        entry(EntryKind.EVENT, 2, None, label="dog"),
        entry(EntryKind.CLIP, 4, 50, title="t"),
    ]
    staying = [entry(EntryKind.STATE, -5, cause="camera"), entry(EntryKind.REDATED, 0, 9)]
    for item in (*moving, *staying):
        ledger.put(item)
    staying += earlier
    assert await ledger.move("cam0", AT, AT + 10 * NS, shift, boot_id()) == 4
    found = await everything(ledger)
    assert [(e.kind, e.begin_utc_ns - AT) for e in found if e.id in {m.id for m in moving}] == [
        (m.kind, m.begin_utc_ns - AT + shift) for m in moving
    ]
    clip = next(e for e in found if e.kind is EntryKind.CLIP)
    assert clip.end_utc_ns == AT + 50 * NS + shift, "its end was told by the wrong clock, too"
    assert {(e.id, e.begin_utc_ns) for e in found} >= {(e.id, e.begin_utc_ns) for e in staying}
    assert await reborn(root, tmp_path / "other.db") == found
    # Whoever holds the event still knows its old begin.
    ledger.put(replace(moving[2], end_utc_ns=AT + shift + 30 * NS))
    event = await ledger.get(moving[2].id) if await everything(ledger) else None
    assert event is not None
    assert (event.begin_utc_ns, event.end_utc_ns) == (moving[2].begin_utc_ns + shift, AT + shift + 30 * NS)
    # An end that the right clock has told stays.
    await ledger.move("cam0", AT + shift + 2 * NS, AT + shift + 3 * NS, 5 * NS, boot_id())
    await ledger.move("cam0", AT + shift + 7 * NS, AT + shift + 8 * NS, -5 * NS, boot_id())
    await ledger.flush()
    assert await ledger.get(event.id) == event
    back = await ledger.move("cam0", AT + shift, AT + shift + 10 * NS, -shift, boot_id())
    assert back == 4, "into the earlier month"
    assert next(e for e in await everything(ledger) if e.id == moving[0].id).begin_utc_ns == AT
    assert await reborn(root, tmp_path / "third.db") == await everything(ledger)
    assert await ledger.move("cam0", AT, AT + 10 * NS, shift, "another start") == 0
    await ledger.stop()


async def test_old_files_go_unless_a_clip_is_in_them(root: Path, index: Index) -> None:
    clock = FakeClock(AT)
    ledger = FileLedger(root, index, 0.2, clock)
    await ledger.start()
    old, kept = entry(at_s=0), entry(EntryKind.CLIP, 31 * 86_400, 31 * 86_400 + 60)
    for item in (old, kept, entry(at_s=31 * 86_400)):
        ledger.put(item)
    await ledger.stop()
    clock.advance(396 * 86_400)
    assert len(ledger_files(root)) == 2
    again = FileLedger(root, index, 0.2, clock)
    await again.start()
    assert ledger_files(root) == [ledger_path("cam0", AT), ledger_path("cam0", kept.begin_utc_ns)]
    await again.stop()
    clock.advance(60 * 86_400)
    third = FileLedger(root, index, 0.2, clock)
    await third.start()
    assert ledger_files(root) == [ledger_path("cam0", kept.begin_utc_ns)]
    assert old not in await everything(third)
    assert kept in await everything(third)
    await third.stop()


async def test_foreign_files_are_none_of_ours(root: Path, ledger: FileLedger) -> None:
    for name in (".trash/x_202609.ledger", "cam0/other_202609.ledger", "cam0/cam0_209913.ledger", "cam0/a.ledger"):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0\xffgarbage\n" * 9)
    (root / "cam0/cam0_202611.ledger").write_bytes(bytes(range(256)) * 50)
    (root / "file").write_text("x")
    await ledger.catch_up()
    assert await everything(ledger) == []


async def test_clips_are_synced_at_once_and_the_rest_on_the_cadence(root: Path, index: Index) -> None:
    clock = FakeClock(AT)
    ledger = FileLedger(root, index, 3600, clock)
    await ledger.start()
    thread = ledger._thread
    ledger.put(entry())
    await until(lambda: thread._unsynced)
    ledger.put(entry(EntryKind.CLIP, 0, 9))
    await until(lambda: not thread._unsynced and len(list(read_all(root))) == 2)
    ledger.put(entry(at_s=1))
    await until(lambda: thread._unsynced)
    async with asyncio.timeout(PATIENCE_S):
        await ledger.stop()
    assert not thread._unsynced, "a stop syncs"


async def test_without_an_index_the_files_get_it_and_questions_say_so(root: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "never.db", root, SystemClock(), lambda _path: False)
    ledger = FileLedger(root, index, 1, SystemClock())
    await ledger.start()
    ledger.put(entry())
    await ledger.stop()
    assert len(list(read_all(root))) == 1
    with pytest.raises(LivecamError) as caught:
        await ledger.find("cam0", ALL, 0, FAR)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert await ledger.last_alive() is None
    text = (root / "cam0/cam0_202609.ledger").read_text()
    assert json.loads(text.partition(" ")[2])["camera"] == "cam0"
