"""The time keeper with real index, ledger and files: what was recorded and what is told of it move together."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import from_keyframe, start_of, taken_at
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import SegmentFinished, SegmentRedated
from livecam_nvr.core.timekeeper import TimeKeeper
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.ledger.ledger import FileLedger
from livecam_nvr.storage.redating.redate import Redater

WRONG_NS = 1000 * NS
TRUE_NS = 1_790_000_000 * NS


class Service:
    """As much of the service as has to do with time."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.root = folder / "recordings"
        self.root.mkdir(exist_ok=True)
        self.clock = clock
        self.bus = EventBus()
        self.names = Names()
        self.index = Index(folder / "data" / "index.sqlite3", self.root, clock, self.names.is_writing)
        self.ledger = FileLedger(self.root, self.index, 0.5, clock)
        redater = Redater(
            self.root, folder / "data" / "clock.json", self.names, clock=clock, apply=self.index.apply
        )
        self.keeper = TimeKeeper(
            clock,
            self.bus,
            redating=redater,
            ledger=self.ledger,
            index=self.index,
            cameras=["cam0"],
            every_s=0.01,
        )
        self.moved: list[SegmentRedated] = []
        self.bus.subscribe(SegmentFinished, lambda event: self.index.add(event.segment))
        self.bus.subscribe(SegmentRedated, self.moved.append)

    async def start(self) -> None:
        await self.index.start()
        await self.ledger.start()
        await self.keeper.start()
        await self.index.reconcile()
        await self.keeper.begin_redating()

    async def stop(self) -> None:
        await self.keeper.stop()
        await self.ledger.stop()
        await self.index.stop()

    def record(self, gop: list[Fragment]) -> Segment:
        start = replace(start_of(taken_at(gop[0], self.clock.utc_ns())), utc_offset_s=0)
        file = SegmentFile(self.root, start, self.names, self.clock)
        file.create()
        file.write(gop)
        file.finish(EndCause.CLOCK)
        segment = file.seal()
        self.bus.publish(SegmentFinished(segment))
        self.clock.advance(10)
        return segment

    def set_clock(self) -> None:
        """A time server answers; the machine was started when TRUE_NS was 1000 s ago."""
        self.clock.wall_ns = TRUE_NS + round((self.clock.now_s - 1000.0) * NS)
        self.clock.is_synchronised = True


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    clock = FakeClock(WRONG_NS)
    clock.is_synchronised = False
    made = Service(tmp_path, clock)
    await made.start()
    yield made
    await made.stop()


async def test_files_and_ledger_move_together_and_leave_a_trace(
    service: Service, fragments: list[Fragment]
) -> None:
    gop = from_keyframe(fragments, 4)
    service.ledger.put(Entry("cam0", EntryKind.STATE, service.clock.utc_ns(), None, {"cause": ""}))
    for _ in range(3):
        service.record(gop)
    ended = service.clock.utc_ns()
    service.ledger.put(
        Entry("cam0", EntryKind.EVENT, ended - 15 * NS, ended - 5 * NS, {"label": "cat", "source": "t"})
    )
    await service.ledger.flush()
    service.set_clock()
    await until(lambda: len(service.moved) == 3, "all three re-dated")

    async def told() -> list[Entry]:
        await service.ledger.flush()
        return await service.ledger.find("cam0", [EntryKind.REDATED], 0, 1 << 61)

    (trace,) = await until(told)  # type: ignore[misc, attr-defined]
    assert trace.begin_utc_ns <= TRUE_NS
    assert trace.end_utc_ns is not None
    assert trace.end_utc_ns >= ended + TRUE_NS - WRONG_NS
    assert trace.data == {"shift_ns": TRUE_NS - WRONG_NS, "files": 3}
    (event,) = await service.ledger.find("cam0", [EntryKind.EVENT], 0, 1 << 61)
    assert (event.begin_utc_ns, event.end_utc_ns) == (TRUE_NS + 15 * NS, TRUE_NS + 25 * NS)
    (state,) = await service.ledger.find("cam0", [EntryKind.STATE], 0, 1 << 61)
    assert state.begin_utc_ns == TRUE_NS
    found = await service.index.between("cam0", 0, 1 << 61)
    assert [segment.start_utc_ns for segment in found] == [TRUE_NS + n * 10 * NS for n in range(3)]
    assert found == [moved.segment for moved in service.moved]
    assert {segment.path for segment in found} == {
        path.relative_to(service.root).as_posix() for path in service.root.rglob("*.mp4")
    }


async def test_the_next_service_finds_it_done(service: Service, fragments: list[Fragment], tmp_path: Path) -> None:
    gop = from_keyframe(fragments, 4)
    service.record(gop)
    await service.index.flush()
    await service.stop()
    service.set_clock()
    second = Service(tmp_path, service.clock)
    await second.start()
    await until(lambda: len(second.moved) == 1, "what the first one left")
    await until(lambda: second.keeper.settled)
    (segment,) = await second.index.latest("cam0")
    assert (segment.start_utc_ns, segment.unsynced) == (TRUE_NS, False)
    await second.stop()
    third = Service(tmp_path, service.clock)
    await third.start()
    await until(lambda: third.keeper.settled)
    assert third.moved == []
    traces = await third.ledger.find("cam0", [EntryKind.REDATED], 0, 1 << 61)
    assert len(traces) == 1
    await third.stop()
