"""Real files that began with a wrong clock get their true times, whatever happens in between."""

import asyncio
import itertools
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import frames, from_keyframe, start_of, taken_at
from support import clips
from support.waiting import PATIENCE_S

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.timesync import boot_id
from livecam_nvr.storage.files.label import Redating
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.repair import repair_file
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.files.survey import Head, read_head
from livecam_nvr.storage.index.migrate import migrate
from livecam_nvr.storage.index.rows import BETWEEN, Statement, put, segments
from livecam_nvr.storage.redating.redate import Redater
from livecam_nvr.storage.redating.redate_file import redate_file

WRONG_NS = 1000 * NS  # 1970-01-01 00:16:40
TRUE_NS = 1_790_000_000 * NS  # 2026-09-21 14:13:20
SHIFT_NS = TRUE_NS - WRONG_NS
STEPS = 3


class Machine:
    """A machine that was started with a wrong clock; what it records, and its index."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "recordings"
        self.clock = FakeClock(WRONG_NS)
        self.clock.is_synchronised = False
        self.clock.look()
        self.names = Names()
        self.database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        migrate(self.database, "memory")
        self.journal = folder / "data" / "clock.json"
        self.redater = self.restarted()

    def restarted(self) -> Redater:
        """Another service on the same machine."""
        self.names = Names()
        self.redater = Redater(self.root, self.journal, self.names, clock=self.clock, apply=self.apply)
        return self.redater

    def apply(self, statements: Iterable[Statement]) -> None:
        for sql, values in statements:
            self.database.execute(sql, values)

    @property
    def offset_ns(self) -> int:
        return self.clock.utc_ns() - self.clock.boot_ns()

    async def note(self) -> None:
        await self.redater.note(self.offset_ns, self.clock.boot_ns())

    def begin(self, fragments: list[Fragment], camera_id: str = "cam0", sequence: int = 0) -> SegmentFile:
        """A file that begins now."""
        first = taken_at(fragments[0], self.clock.utc_ns())
        start = replace(start_of(first, camera_id, sequence), utc_offset_s=self.clock.offset_s)
        file = SegmentFile(self.root, start, self.names, self.clock)
        file.create()
        file.write(fragments)
        return file

    def record(self, fragments: list[Fragment], camera_id: str = "cam0", sequence: int = 0) -> Segment:
        """A finished one, as the index knows it."""
        file = self.begin(fragments, camera_id, sequence)
        file.finish(EndCause.CLOCK)
        segment = file.seal()
        self.apply(put(segment))
        self.clock.advance(10)
        return segment

    def set_clock(self, step_ns: int = SHIFT_NS, *, synchronised: bool = True) -> None:
        self.clock.step(step_ns / NS)
        self.clock.wall_ns = round(self.clock.wall_ns / NS) * NS
        self.clock.is_synchronised = synchronised
        self.clock.look()

    def rows(self, camera_id: str = "cam0") -> list[Segment]:
        values = {"camera": camera_id, "begin": 0, "end": 1 << 62, "limit": 1000}
        return segments(self.database, BETWEEN, values)

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.mp4"))

    def labels(self) -> list[Segment]:
        """What the files say of themselves, in the order of time."""
        ours = [path for path in self.files() if (self.root / path).read_bytes()[4:8] == b"ftyp"]
        found = [head(self.root / path).label.segment(path) for path in ours]
        return sorted((s for s in found if s is not None), key=lambda s: (s.camera_id, s.start_utc_ns))


def head(path: Path) -> Head:
    data = path.read_bytes()
    return read_head(lambda at, count: data[at : at + count], len(data))


def creation_time(path: Path) -> str:
    out = clips.run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path))
    found = json.loads(out)
    times = {part["tags"]["creation_time"] for part in (found["format"], *found["streams"])}
    (time,) = times
    return str(time)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def gop(fragments: list[Fragment]) -> list[Fragment]:
    return from_keyframe(fragments, 4)


async def test_files_labels_creation_times_and_rows_are_put_right(machine: Machine, gop: list[Fragment]) -> None:
    machine.clock.offset_s = 3600
    await machine.note()
    before = [machine.record(gop, camera, n) for n in range(3) for camera in ("cam0", "cam1")]
    assert all(segment.unsynced for segment in before)
    media = {s.path: (machine.root / s.path).read_bytes() for s in before}
    machine.clock.offset_s = 7200
    machine.set_clock()
    (redated,) = await machine.redater.redate(machine.offset_ns, final=True)
    assert redated.files == {"cam0": 3, "cam1": 3}
    assert (len(redated.changed), redated.shift_ns, redated.told_ns) == (6, SHIFT_NS, 0)
    assert redated.begin_utc_ns <= before[0].start_utc_ns
    assert redated.end_utc_ns >= before[-1].end_utc_ns

    after = machine.labels()
    assert after == machine.rows("cam0") + machine.rows("cam1")
    assert {m.was_path: m.segment.start_utc_ns for m in redated.changed} == {
        s.path: s.start_utc_ns + SHIFT_NS for s in before
    }
    assert [s.path for s in after] == machine.files()
    for old, new in zip(sorted(before, key=lambda s: s.camera_id), after, strict=True):
        path = new.path
        assert new == replace(
            old,
            path=path,
            start_utc_ns=old.start_utc_ns + SHIFT_NS,
            utc_offset_s=7200,
            unsynced=False,
            shift_ns=SHIFT_NS,
        )
        data = (machine.root / path).read_bytes()
        at = head(machine.root / path).media_at
        assert data[at:] == media[old.path][at:], "not a byte of the pictures was touched"
        assert head(machine.root / path).begin.start_utc_ns == old.start_utc_ns, "the trace"
    assert after[0].path == "cam0/260921/cam0_20260921_161320.mp4"
    assert creation_time(machine.root / after[0].path) == "2026-09-21T14:13:20.000000Z"
    assert clips.probe(machine.root / after[0].path)["packets"] == frames(gop)
    assert not (machine.root / "cam0" / "700101").exists()


async def test_again_changes_nothing(machine: Machine, gop: list[Fragment]) -> None:
    await machine.note()
    machine.record(gop)
    machine.set_clock()
    first = await machine.redater.redate(machine.offset_ns, final=True)
    await machine.redater.told(first)
    files, rows = machine.files(), machine.rows()
    machine.clock.step(0.1)
    for redater in (machine.redater, machine.restarted()):
        (again,) = await redater.redate(machine.offset_ns, final=True)
        assert (len(again.changed), again.told_ns, again.shift_ns, again.files) == (
            0,
            SHIFT_NS,
            SHIFT_NS,
            {"cam0": 1},
        )
        assert (machine.files(), machine.rows()) == (files, rows)


@pytest.mark.parametrize("step", range(STEPS + 1))
async def test_a_crash_after_any_step_is_made_good(machine: Machine, gop: list[Fragment], step: int) -> None:
    await machine.note()
    old = machine.record(gop)
    machine.set_clock()
    # The journal is written first; then the power fails after so many steps of the file.
    other = machine.root.with_name("elsewhere")
    machine.root.rename(other)
    assert await machine.redater.redate(machine.offset_ns, final=True) == []
    other.rename(machine.root)
    redating = Redating(SHIFT_NS, 0, final=True)
    steps = redate_file(machine.root, old.path, head(machine.root / old.path), redating, Names())
    at = [*itertools.islice(steps, step), old.path][max(0, step - 1)]
    if step < STEPS:
        steps.close()  # type: ignore[attr-defined]
    assert clips.probe(machine.root / at)["packets"] == frames(gop), "at every moment it can be played"

    redater = machine.restarted()
    machine.clock.step(0.2)
    await redater.redate(machine.offset_ns, final=True)
    (segment,) = machine.labels()
    assert segment == replace(
        old,
        path="cam0/260921/cam0_20260921_141320.mp4",
        start_utc_ns=TRUE_NS,
        unsynced=False,
        shift_ns=SHIFT_NS,
    )
    assert machine.rows() == [segment]
    assert creation_time(machine.root / segment.path) == "2026-09-21T14:13:20.000000Z"


@pytest.mark.parametrize("torn", [0, 1, 40, 120, 191])
async def test_a_label_torn_by_a_power_cut_is_made_good_at_the_next_start_of_the_machine(
    machine: Machine, gop: list[Fragment], torn: int
) -> None:
    await machine.note()
    old = machine.record(gop)
    machine.set_clock()
    await machine.redater.redate(machine.offset_ns, final=True)
    (path,) = machine.files()
    with (machine.root / path).open("r+b") as file:
        file.seek(head(machine.root / path).label_at + 24 + 552 + torn)
        file.write(b"\0" * (192 - torn))
    # Another start of the machine, as far as the journal can tell; it was not done with the one before.
    text = json.loads(machine.journal.read_text())
    assert text["boots"][0]["id"] == boot_id()
    other = "f" * 32
    text["boots"][0].update(id=other, done=False)
    machine.journal.write_text(json.dumps(text))
    data = (machine.root / path).read_bytes().replace(boot_id().encode(), other.encode())
    (machine.root / path).write_bytes(with_right_checksum(data, machine.root / path))
    repair_file(machine.root, path)
    machine.clock.now_s = 5.0
    await machine.restarted().redate(machine.offset_ns, final=True)
    (segment,) = machine.labels()
    assert (segment.path, segment.start_utc_ns, segment.unsynced) == (path, TRUE_NS, False)
    assert segment.frames == old.frames
    assert machine.rows() == [segment]
    assert json.loads(machine.journal.read_text()) == {"boots": []}


def with_right_checksum(data: bytes, path: Path) -> bytes:

    at = data.index(b"\x00\x20\x60\x83") + 16
    text = data[at + 9 : at + 552].rstrip(b" ")
    assert path.exists()
    return data[:at] + b"%08x" % zlib.crc32(text) + data[at + 8 :]


async def test_what_an_earlier_start_never_got_right_is_left_alone(machine: Machine, gop: list[Fragment]) -> None:
    await machine.note()
    machine.record(gop)
    text = json.loads(machine.journal.read_text())
    text["boots"][0]["id"] = "e" * 32
    machine.journal.write_text(json.dumps(text))
    (path,) = machine.files()
    data = (machine.root / path).read_bytes().replace(boot_id().encode(), b"e" * 32)
    (machine.root / path).write_bytes(with_right_checksum(data, machine.root / path))
    machine.set_clock()
    assert await machine.restarted().redate(machine.offset_ns, final=True) == []
    assert machine.files() == [path]
    assert machine.labels()[0].unsynced


async def test_no_name_is_ever_overwritten(machine: Machine, gop: list[Fragment]) -> None:
    taken = machine.root / "cam0" / "260921" / "cam0_20260921_141320.mp4"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody's")
    await machine.note()
    machine.record(gop)
    machine.record(gop)
    machine.set_clock()
    await machine.redater.redate(machine.offset_ns, final=True)
    assert taken.read_bytes() == b"somebody's"
    assert [Path(s.path).name for s in machine.labels()] == [
        "cam0_20260921_141320-1.mp4",
        "cam0_20260921_141330.mp4",
    ]


async def test_a_file_being_written_waits_and_what_a_killed_service_left_is_repaired(
    machine: Machine, gop: list[Fragment]
) -> None:
    await machine.note()
    left = machine.begin(gop)
    left.close()
    machine.restarted()
    machine.clock.advance(10)
    growing = machine.begin(gop)
    machine.set_clock()
    (redated,) = await machine.redater.redate(machine.offset_ns, final=True)
    assert len(redated.changed) == 1
    assert machine.files() == ["cam0/260921/cam0_20260921_141320.mp4", growing.path]
    growing.write(gop)
    growing.finish(EndCause.CLOCK)
    growing.seal()
    (redated,) = await machine.redater.redate(machine.offset_ns, final=True)
    assert (len(redated.changed), redated.files) == (1, {"cam0": 2})
    assert [s.frames for s in machine.labels()] == [frames(gop), 2 * frames(gop)]
    assert [Path(s.path).name for s in machine.labels()] == [
        "cam0_20260921_141320.mp4",
        "cam0_20260921_141330.mp4",
    ]


async def test_each_stretch_between_two_steps_has_its_own_shift(machine: Machine, gop: list[Fragment]) -> None:
    hour = 3600 * NS
    await machine.note()
    machine.record(gop)
    machine.set_clock(hour, synchronised=False)
    await machine.note()
    (first, second) = await machine.redater.redate(machine.offset_ns, final=False)
    assert (first.shift_ns, len(first.changed), second.shift_ns) == (hour, 1, 0)
    await machine.redater.told([first, second])
    assert machine.labels()[0].unsynced, "it is only a guess so far"
    assert machine.labels()[0].shift_ns == hour
    machine.record(gop)
    machine.set_clock(SHIFT_NS - hour)
    (first, second) = await machine.redater.redate(machine.offset_ns, final=True)
    assert (first.shift_ns, first.told_ns, second.shift_ns) == (SHIFT_NS, hour, SHIFT_NS - hour)
    assert (first.files, second.files) == ({"cam0": 1}, {"cam0": 1})
    found = machine.labels()
    assert [s.start_utc_ns for s in found] == [TRUE_NS, TRUE_NS + 10 * NS]
    assert not any(s.unsynced for s in found)
    assert machine.rows() == found


async def test_what_was_true_early_need_not_be_true_days_later(machine: Machine, gop: list[Fragment]) -> None:
    await machine.note()
    machine.record(gop)
    machine.set_clock()
    await machine.redater.redate(machine.offset_ns, final=True)
    # Another service; the kernel believes the clock no more, its quartz is 7 s off, and then it is set again.
    machine.clock.advance(3 * 86_400)
    true_ns = machine.clock.utc_ns()
    machine.clock.step(7)
    await machine.restarted().note(machine.offset_ns, machine.clock.boot_ns())
    machine.clock.is_synchronised = False
    machine.clock._history = type(machine.clock._history)()
    machine.record(gop)
    machine.clock.step(-7)
    machine.clock.is_synchronised = True
    machine.clock.look()
    (first, second) = await machine.redater.redate(machine.offset_ns, final=True)
    assert (first.shift_ns, len(first.changed)) == (SHIFT_NS, 0)
    assert (second.shift_ns, len(second.changed)) == (-7 * NS, 1)
    assert [s.start_utc_ns for s in machine.labels()] == [TRUE_NS, true_ns]
    assert machine.rows() == machine.labels()


async def test_a_clock_that_was_right_all_the_time_is_only_confirmed(
    machine: Machine, gop: list[Fragment]
) -> None:
    await machine.note()
    before = machine.record(gop)
    machine.clock.step(0.2)
    machine.clock.is_synchronised = True
    (redated,) = await machine.redater.redate(machine.offset_ns, final=True)
    assert (len(redated.changed), redated.shift_ns) == (1, 0)
    assert machine.labels() == [replace(before, unsynced=False)] == machine.rows()


async def test_a_machine_whose_clock_was_always_right_keeps_no_journal(
    machine: Machine, gop: list[Fragment]
) -> None:
    machine.clock.is_synchronised = True
    machine.clock.look()
    assert not machine.record(gop).unsynced
    assert await machine.redater.redate(machine.offset_ns, final=True) == []
    assert not machine.journal.exists()


async def test_a_disk_that_is_not_there_or_refuses_is_said(
    machine: Machine, gop: list[Fragment], monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.note()
    machine.record(gop)
    machine.set_clock()
    away = Redater(
        machine.root,
        machine.journal,
        machine.names,
        clock=machine.clock,
        apply=machine.apply,
        writable=lambda: False,
    )
    with pytest.raises(LivecamError) as caught:
        await away.redate(machine.offset_ns, final=True)
    assert caught.value.kind is ErrorKind.DISK
    machine.journal.with_name("clock.json.new").mkdir()
    with pytest.raises(LivecamError, match=r"clock\.json"):
        await machine.restarted().note(5, 5)


async def test_it_can_be_interrupted_between_two_files(machine: Machine, gop: list[Fragment]) -> None:
    await machine.note()
    for n in range(5):
        machine.record(gop, sequence=n)
    machine.set_clock()
    task: list[asyncio.Task[object]] = []
    loop = asyncio.get_running_loop()
    cancelled: list[Callable[[], object]] = []

    def apply(statements: Iterable[Statement]) -> None:
        machine.apply(statements)
        if not cancelled:
            cancelled.append(task[0].cancel)
            asyncio.run_coroutine_threadsafe(cancel_and_wait(), loop).result(PATIENCE_S)

    async def cancel_and_wait() -> None:
        task[0].cancel()
        await asyncio.sleep(0)

    redater = Redater(machine.root, machine.journal, machine.names, clock=machine.clock, apply=apply)
    task.append(asyncio.create_task(redater.redate(machine.offset_ns, final=True)))
    with pytest.raises(asyncio.CancelledError):
        await task[0]
    assert len([s for s in machine.labels() if not s.unsynced]) < 5
    await machine.restarted().redate(machine.offset_ns, final=True)
    assert [s.start_utc_ns for s in machine.labels()] == [TRUE_NS + n * 10 * NS for n in range(5)]
    assert machine.rows() == machine.labels()


def test_the_names_of_files_being_redated_count_as_written() -> None:
    names = Names()
    assert names.hold("a")
    assert names.is_writing("a")
    assert not names.hold("a")
    names.release("a")
    assert not names.is_writing("a")
