"""The audit log as the service keeps it: what is noted is there, also after a kill, a full disk, a broken file."""

import asyncio
import logging
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from support.faults import LoopDisk
from support.waiting import until

from livecam_nvr.access import audit, audit_file
from livecam_nvr.access.audit import FileAuditLog, read_entries, write_entry
from livecam_nvr.core.access import AuditEntry, Client, Deed, Door
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

HOME = Client("192.168.1.2", Door.PAGE)
STRANGER = Client("203.0.113.7", Door.RTSP)
CHILD = Path(__file__).parents[2] / "child_scripts" / "audit_writer.py"
DAY_NS = 86_400 * NS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access" / "audit.sqlite"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@asynccontextmanager
async def running(path: Path, clock: FakeClock) -> AsyncIterator[FileAuditLog]:
    log = FileAuditLog(path, clock)
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        return int(number)


def count_routine(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM entry WHERE routine = 1").fetchone()
        return int(number)


def fill_up(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def fill(path: Path, number: int, *, routine: bool, utc_ns: int = NOON_UTC_NS - DAY_NS) -> None:
    """So many old lines."""
    write_entry(path, AuditEntry(utc_ns, Deed.SIGN_IN, "first", HOME))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO entry (utc_ns, deed, who, address, door, target, ok, detail, times, routine)"
            " SELECT ? + i, 'refused', 'x', '', 'http', '', ?, '', 1, ? FROM n",
            (number, utc_ns, not routine, routine),
        )


async def test_what_was_noted_is_read_at_once_and_newest_first(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
        clock.advance(5)
        log.note(Deed.EXPORT, "token homeassistant", HOME, target="cam0", detail="2 min, 30 MB")
        clock.advance(5)
        log.note(Deed.REFUSED, "unknown user", STRANGER, ok=False)
        assert await log.read() == [
            AuditEntry(NOON_UTC_NS + 10 * NS, Deed.REFUSED, "unknown user", STRANGER, ok=False),
            AuditEntry(
                NOON_UTC_NS + 5 * NS, Deed.EXPORT, "token homeassistant", HOME, "cam0", True, "2 min, 30 MB"
            ),
            AuditEntry(NOON_UTC_NS, Deed.SIGN_IN, "anna", HOME),
        ]
        assert [entry.who for entry in await log.read(limit=1)] == ["unknown user"]
        assert [entry.who for entry in await log.read(who="anna")] == ["anna"]
        assert [entry.who for entry in await log.read(deed=Deed.EXPORT)] == ["token homeassistant"]
        assert [entry.who for entry in await log.read(before_utc_ns=NOON_UTC_NS + 5 * NS)] == ["anna"]
        assert await log.read(limit=0) == await log.read(limit=-1) == []


async def test_it_is_in_the_file_within_a_second(path: Path, clock: FakeClock) -> None:
    """At one time of several at least: a machine that is busy with other things may hold it up."""
    number = 0

    async with running(path, clock) as log:

        async def soon() -> bool:
            nonlocal number
            number += 1
            began_s = time.monotonic()
            log.note(Deed.SIGN_IN, "anna", HOME, detail=str(number))
            await until(lambda: str(number) in [entry.detail for entry in read_entries(path, limit=99_999)])
            return time.monotonic() - began_s < 1

        await until(soon, "a line that is in the file within a second")


async def test_a_normal_stop_loses_nothing(path: Path, clock: FakeClock) -> None:
    log = FileAuditLog(path, clock)
    await log.start()
    thread = log._thread
    assert thread is not None
    for number in range(3000):
        log.note(Deed.MOVE, "anna", HOME, detail=str(number))
    began_s = time.monotonic()
    await log.stop()
    assert not thread.is_alive() or time.monotonic() - began_s >= audit._STOP_S, "only a slow disk is left alone"
    await asyncio.to_thread(thread.join)
    assert [entry.detail for entry in read_entries(path, limit=9999)] == [str(number) for number in range(3000)][
        ::-1
    ]
    await log.stop()


async def test_it_is_nobody_elses(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
        await log.read()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.chmod(0o644)
        log.note(Deed.SIGN_OUT, "anna", HOME)
        await log.read()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_same_again_within_a_minute_counts_up(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        for number in range(100):
            log.note(Deed.REFUSED, "anna", STRANGER, ok=False)
            if number % 30 == 0:
                await log.read()  # in the file already, and counted up there
            clock.advance(0.5)
        log.note(Deed.REFUSED, "anna", HOME, ok=False)
        log.note(Deed.REFUSED, "bert", STRANGER, ok=False)
        log.note(Deed.REFUSED, "anna", STRANGER, ok=False, detail="too weak")
        clock.advance(10)
        log.note(Deed.REFUSED, "anna", STRANGER, ok=False)
    entries = read_entries(path, limit=99)
    assert [(entry.times, entry.who, entry.client, entry.detail) for entry in entries] == [
        (1, "anna", STRANGER, ""),
        (1, "anna", STRANGER, "too weak"),
        (1, "bert", STRANGER, ""),
        (1, "anna", HOME, ""),
        (100, "anna", STRANGER, ""),
    ]


async def test_what_comes_while_it_is_being_written_counts_too(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "bert", HOME)
        await log.read()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            log.note(Deed.REFUSED, "anna", STRANGER, ok=False)
            reading = asyncio.create_task(log.read())
            await until(log._writing.locked)
            await asyncio.sleep(0.05)  # it waits for the other one now
            log.note(Deed.REFUSED, "anna", STRANGER, ok=False)
            other.execute("COMMIT")
        await reading
    assert [(entry.who, entry.times) for entry in read_entries(path, limit=9)] == [("anna", 2), ("bert", 1)]


async def test_a_line_is_counted_up_nowhere_else(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
        await log.read()
        path.unlink()
        clock.advance(1)
        log.note(Deed.SIGN_IN, "bert", HOME)
        await log.read()
        log.note(Deed.SIGN_IN, "anna", HOME)
        found = await log.read()
    assert [(entry.who, entry.times) for entry in found] == [("bert", 1), ("anna", 2)]


async def test_what_strangers_send_is_made_harmless(path: Path, clock: FakeClock) -> None:
    token = "lnv_" + "A" * 43
    async with running(path, clock) as log:
        log.note(
            Deed.REFUSED,
            "anna\n2025-01-01 sign_in\x1b[2J\x00\u202e\ud800",
            Client("1.2.3.4\r\n", Door.HTTP),
            target=f"/api/status?ticket=abc&x={token}",
            detail="x" * 5000,
        )
        (entry,) = await log.read()
    assert entry.who == "anna?2025-01-01 sign_in?[2J???"
    assert entry.client.address == "1.2.3.4??"
    assert entry.target == "/api/status?ticket=***&x=lnv_***"
    assert entry.detail == "x" * 199 + "…"
    assert b"AAAAAAAA" not in path.read_bytes()


async def test_a_kill_costs_only_what_is_not_in_the_file_yet(path: Path) -> None:
    with subprocess.Popen([sys.executable, str(CHILD), str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = 0
        for _ in range(2):  # what it has noted gets there while it goes on noting
            for _ in range(50):
                told = int(await asyncio.to_thread(child.stdout.readline))
            await until(
                lambda told=str(told): told in {entry.detail for entry in read_entries(path, limit=100_000)}
            )
        child.kill()
    entries = read_entries(path, limit=100_000)
    kept = {entry.detail for entry in entries}
    assert entries[-1].deed is Deed.SIGN_IN
    assert {str(number) for number in range(1, told + 1)} <= kept
    write_entry(path, AuditEntry(1, Deed.USER, "after", HOME))
    assert read_entries(path, limit=100_000)[-1].who == "after"


async def test_the_command_line_reads_and_writes_beside_the_service(path: Path, clock: FakeClock) -> None:
    failures: list[Exception] = []
    ended = threading.Event()

    def command_line() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            try:
                write_entry(path, AuditEntry(NOON_UTC_NS - number, Deed.USER, "root", Client("", Door.CLI)))
                read_entries(path, limit=10)
            except LivecamError as error:
                failures.append(error)

    async with running(path, clock) as log:
        thread = threading.Thread(target=command_line)
        thread.start()
        for number in range(40):
            log.note(Deed.MOVE, "anna", HOME, detail=str(number))
            found = await log.read(limit=9999, who="anna")
            assert len(found) == number + 1
        ended.set()
        await asyncio.to_thread(thread.join)
    assert failures == []
    assert read_entries(path, limit=1, who="root")


@pytest.mark.parametrize("damage", ["other", "cut", "page"])
async def test_a_damaged_file_is_set_aside(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    fill(path, 5000, routine=False)
    raw = path.read_bytes()
    if damage == "other":
        path.write_bytes(b"this is no database, whatever it is called" * 100)
    elif damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        path.write_bytes(raw[:8192] + b"\xff" * 16384 + raw[24576:])
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
        await until(lambda: path.with_name("audit.sqlite.broken").exists())
        assert [entry.who for entry in await log.read()] == ["anna"]
    assert [entry.who for entry in read_entries(path, limit=9)] == ["anna"]
    assert "is damaged" in caplog.text


async def test_a_file_that_is_damaged_while_it_runs(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
        await log.read()
        path.write_bytes(b"nonsense" * 4096)
        log.note(Deed.SIGN_IN, "bert", HOME)
        assert [entry.who for entry in await log.read()] == ["bert"]
        path.unlink()
        log.note(Deed.SIGN_IN, "anna", HOME)
        assert "anna" in [entry.who for entry in await log.read()], "counted up, but the line was gone"
        path.write_bytes(b"nonsense" * 4096)
        assert await log.read() == []
        assert path.with_name("audit.sqlite.broken").exists()


async def test_a_full_disk(tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    disk = LoopDisk(tmp_path, size_mb=4)
    disk.mount()
    try:
        path = disk.point / "access" / "audit.sqlite"
        async with running(path, clock) as log:
            log.note(Deed.SIGN_IN, "anna", HOME)
            await log.read()
            filler = disk.point / "filler"
            with pytest.raises(OSError, match="No space"):
                fill_up(filler)
            for number in range(2000):
                log.note(Deed.MOVE, "anna", HOME, detail=f"{number} " + "x" * 150)
            assert [entry.detail[:5] for entry in await log.read(limit=1, deed=Deed.MOVE)] == ["0 xxx"], (
                "from memory"
            )
            assert len(await log.read(limit=9999)) == 2001
            assert caplog.text.count("cannot be written") == 1
            filler.unlink()
        assert len(read_entries(path, limit=9999)) == 2001
        assert "can be written again; 0 lines were lost" in caplog.text
    finally:
        disk.close()


async def test_what_cannot_be_written_takes_bounded_memory_and_deeds_before_refusals(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.write_text("not a folder")
    async with running(path, clock) as log:
        log.note(Deed.RECORDING, "anna", HOME, target="cam0", detail="on")
        for number in range(12_000):
            log.note(Deed.REFUSED, "unknown user", Client(f"2a00::{number:x}", Door.HTTP), ok=False)
        log.note(Deed.RECORDING, "anna", HOME, target="cam0", detail="off")
        await until(lambda: "cannot be written now" in caplog.text)
        path.parent.unlink()
        entries = await log.read(limit=99_999)
    assert len(entries) == 10_000
    assert sorted(entry.detail for entry in entries if entry.deed is Deed.RECORDING) == ["off", "on"]
    assert "2002 lines were lost" in caplog.text
    assert caplog.text.count("cannot be written") == 1


async def test_lines_that_never_got_there_are_told_at_the_end(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.write_text("not a folder")
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
    assert "1 lines could not be written" in caplog.text


async def test_refusals_have_half_of_the_room_and_go_in_small_steps(path: Path, clock: FakeClock) -> None:
    fill(path, audit_file.MOST_ROUTINE + 3000, routine=True)
    async with running(path, clock) as log:
        log.note(Deed.REFUSED, "anna", STRANGER, ok=False)
        await log.read()
        left = count_routine(path)
        assert audit_file.MOST_ROUTINE + 1500 < left < audit_file.MOST_ROUTINE + 2500
        for number in range(400):
            log.note(Deed.REFUSED, "bert", STRANGER, ok=False, detail=str(number))
            if number % 100 == 0:
                await log.read()
        await log.read()
        assert count_routine(path) < left - 500
    assert [entry.who for entry in read_entries(path, limit=9, deed=Deed.SIGN_IN)] == ["first"], "older than all"


async def test_the_oldest_go_when_there_are_too_many(path: Path, clock: FakeClock) -> None:
    fill(path, audit_file.MOST_LINES, routine=False)
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "last", HOME)
    assert count(path) == audit_file.MOST_LINES
    assert [entry.who for entry in read_entries(path, limit=9, deed=Deed.SIGN_IN)] == ["last"]


@pytest.mark.parametrize("synchronised", [True, False])
async def test_what_is_older_than_400_days_goes_if_the_clock_is_right(
    path: Path, clock: FakeClock, synchronised: bool
) -> None:
    write_entry(path, AuditEntry(NOON_UTC_NS - 401 * DAY_NS, Deed.SIGN_IN, "long ago", HOME))
    write_entry(path, AuditEntry(NOON_UTC_NS - 399 * DAY_NS, Deed.SIGN_IN, "last year", HOME))
    clock.is_synchronised = synchronised
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "anna", HOME)
    left = [entry.who for entry in read_entries(path, limit=9)]
    assert left == (["anna", "last year"] if synchronised else ["anna", "last year", "long ago"])


async def test_noting_costs_the_event_loop_nothing(path: Path, clock: FakeClock) -> None:
    async with running(path, clock) as log:
        # Of this thread's own time: what else the machine has to do must not count.
        began_s = time.thread_time()
        with blockbuster_ctx("livecam_nvr"):
            for number in range(2000):
                log.note(Deed.REFUSED, "unknown user", STRANGER, target=f"/api/{number}", ok=False)
        assert (time.thread_time() - began_s) / 2000 < 0.001


async def test_a_file_of_a_newer_program_is_left_alone(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    write_entry(path, AuditEntry(1, Deed.SIGN_IN, "anna", HOME))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    async with running(path, clock) as log:
        log.note(Deed.SIGN_IN, "bert", HOME)
        await until(lambda: "newer" in caplog.text)
    assert count(path) == 1
    with pytest.raises(LivecamError) as caught:
        write_entry(path, AuditEntry(1, Deed.SIGN_IN, "bert", HOME))
    assert caught.value.kind is ErrorKind.CONFLICT


async def test_lines_of_a_newer_program_are_passed_over(path: Path) -> None:
    fill(path, 1, routine=False)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE entry SET deed = 'flown' WHERE deed = 'refused'")
    assert [entry.who for entry in read_entries(path, limit=9)] == ["first"]


def test_reading_without_a_file_is_not_making_one(path: Path) -> None:
    assert read_entries(path, limit=9) == []
    assert not path.parent.exists()


def test_what_cannot_be_read_or_written_is_said(path: Path) -> None:
    path.parent.mkdir()
    path.mkdir()
    with pytest.raises(LivecamError, match="cannot be written") as caught:
        write_entry(path, AuditEntry(1, Deed.USER, "root", HOME))
    assert caught.value.kind is ErrorKind.DISK
    with pytest.raises(LivecamError, match="cannot be read") as caught:
        read_entries(path, limit=9)
    assert caught.value.kind is ErrorKind.UNAVAILABLE


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
