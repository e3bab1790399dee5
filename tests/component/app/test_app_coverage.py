"""What coverage claims is what lies on disk: a real camera, real files, and the causes of what is missing."""

import asyncio
from pathlib import Path

from fakes.web_service import LiveCamera
from support.clips import probe
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.chronicle import Chronicle
from livecam_nvr.core.events import SegmentFinished
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.coverage import Coverage, GapCause, Span
from livecam_nvr.domain.recording import Demand
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.index.database import connect
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.ledger.ledger import FileLedger
from livecam_nvr.storage.ledger.past import IndexedPast
from livecam_nvr.storage.ledger.past_unattended import coverage_of

FPS = 15
FRAME_NS = NS // FPS


class Home:
    """All that records and tells about one camera, put together as the service does it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.database = folder / "recordings", folder / "index.db"
        clock, bus = SystemClock(), EventBus()
        self.archive = FileArchive(self.root, 0.5, clock)
        self.index = Index(self.database, self.root, clock, self.archive.is_writing)
        self.ledger = FileLedger(self.root, self.index, 0.5, clock)
        self.chronicle = Chronicle(["cam0"], self.ledger, self.ledger, bus, clock)
        self.past = IndexedPast(self.index, clock, self.chronicle.growing)
        self.hub = MemoryHub("cam0", 6)
        self.recorder = Recorder(self.hub, self.archive, bus, clock, segment_s=2, pre_roll_s=0, wanted=True)
        self.hub.attach(self.recorder)
        self.hub.attach(self.chronicle.sink("cam0"))
        bus.subscribe(SegmentFinished, lambda event: self.index.add(event.segment))
        self.clock = clock

    async def start(self) -> None:
        await self.archive.start()
        await self.index.start()
        await self.ledger.start()
        await self.chronicle.start(lambda _camera_id: self.recorder.status())
        await self.index.reconcile()

    async def stop(self, *, crash: bool = False) -> None:
        self.recorder.stop()
        if not crash:
            await self.chronicle.stop()
        await self.archive.stop()
        await self.ledger.stop()
        await self.index.stop()

    async def frames(self, count: int) -> None:
        """Returns when so many more frames were recorded."""
        wanted = self.recorder.status().frames + count
        await until(lambda: self.recorder.status().frames >= wanted)

    async def coverage(self, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        await self.ledger.flush()
        return await self.past.coverage("cam0", begin_utc_ns, end_utc_ns)


def on_disk(root: Path) -> int:
    """Frames in the files, as another program counts them."""
    return sum(int(str(probe(path)["packets"])) for path in root.rglob("*.mp4"))


async def test_coverage_is_what_lies_on_disk(tmp_path: Path) -> None:
    home = Home(tmp_path)
    await home.start()
    began = home.clock.utc_ns()
    camera = LiveCamera(home.hub, fps=FPS, steady=True)
    await camera.start()
    await home.frames(45)
    now = home.clock.utc_ns()
    found = await home.coverage(home.recorder.status().since_utc_ns or 0, now)
    assert found.range.end_utc_ns > now - NS, "the file being written counts, too"
    assert not found.gaps
    home.recorder.ask(Demand(on=False, idle=GapCause.SWITCHED_OFF, idle_by="the page"))
    # A file that is switched on begins with the last keyframe, up to a second ago.
    await asyncio.sleep(2)
    home.recorder.ask(Demand(on=True))
    await home.frames(30)
    await camera.kill()
    await asyncio.sleep(1)
    await camera.start()
    await home.frames(30)
    await home.stop(crash=True)
    await camera.kill()
    await asyncio.sleep(1)

    again = Home(tmp_path)
    await again.start()
    camera = LiveCamera(again.hub, fps=FPS, steady=True)
    await camera.start()
    await again.frames(20)
    recording = await again.coverage(began, again.clock.utc_ns())
    await again.stop()
    await camera.kill()
    await asyncio.sleep(1)

    third = Home(tmp_path)
    await third.start()
    end = third.clock.utc_ns()
    found = await third.coverage(began, end)
    causes = [gap.cause for gap in found.gaps]
    assert found.gaps[1].by == "the page"
    expected = [GapCause.NEVER, GapCause.SWITCHED_OFF, GapCause.CAMERA, GapCause.SERVICE_CRASHED]
    assert causes == [*expected, GapCause.SERVICE_STOPPED]
    assert [gap.cause for gap in recording.gaps] == expected
    assert all(gap.duration_ns > NS // 2 for gap in found.gaps[1:])
    frames = on_disk(third.root)
    assert found.frames == frames
    assert abs(found.recorded_ns - frames * FRAME_NS) < 3 * FRAME_NS * len(found.spans)
    assert len(found.spans) == 4
    await third.stop()

    # Another process sees the same, and what a service left that is not there any more.
    for cause in (GapCause.SERVICE_STOPPED, GapCause.SERVICE_CRASHED):
        connection = connect(third.database)
        if cause is GapCause.SERVICE_CRASHED:
            connection.execute("DELETE FROM entry WHERE data LIKE '%service_stopped%'")
            connection.execute("DELETE FROM fact WHERE name = 'alive'")
            connection.execute("DELETE FROM segment WHERE start_utc_ns = (SELECT max(start_utc_ns) FROM segment)")
        seen = coverage_of(connection, third.root, "cam0", Span(began, end), end, running=False)
        connection.close()
        assert [gap.cause for gap in seen.gaps] == [*expected, cause]
        assert abs(seen.recorded_ns - found.recorded_ns) < FRAME_NS
