"""Cameras with recorders, hubs and a disk in memory, and everything that can trigger their recording."""

from collections.abc import Iterable, Mapping

from fakes.core_archive import FakeArchive, FakeWriter
from fakes.core_ledger import FakeLedger
from fakes.core_stream import FakeHub
from fakes.runtime_clock import FakeClock

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.control import RecordingSwitches
from livecam_nvr.core.events import ClipChanged, EventChanged, RecordingChanged
from livecam_nvr.core.modes import TriggerSettings
from livecam_nvr.core.ports import Switch
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.core.ticker import Ticker
from livecam_nvr.domain.schedule import Schedule
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import RecordingMode, RecordingStatus


class FakeSwitchMemory:
    """See livecam_nvr.core.ports.SwitchMemory."""

    def __init__(self) -> None:
        self.saved: list[dict[str, Switch]] = []

    def load(self) -> dict[str, Switch]:
        return {}

    def save(self, switches: Mapping[str, Switch]) -> None:
        self.saved.append(dict(switches))


class FakeModeMemory:
    """See livecam_nvr.core.ports.ModeMemory."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, RecordingMode]] = []

    def save(self, camera_id: str, mode: RecordingMode) -> None:
        self.saved.append((camera_id, mode))


class FakeSegments:
    """See livecam_nvr.core.ports.SegmentIndex."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def add(self, segment: Segment) -> None:
        self.segments.append(segment)

    async def latest(self, camera_id: str, limit: int = 1) -> list[Segment]:
        return [s for s in reversed(self.segments) if s.camera_id == camera_id][:limit]

    async def between(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, limit: int = 10_000
    ) -> list[Segment]:
        return [
            s
            for s in self.segments
            if s.camera_id == camera_id and s.start_utc_ns < end_utc_ns and s.end_utc_ns > begin_utc_ns
        ][:limit]


class Cameras:
    """Recorders with real triggers over fake hubs; time passes as the test says."""

    def __init__(
        self,
        mode: RecordingMode = RecordingMode.SWITCHED,
        *,
        on: bool = True,
        schedule: Schedule = (),
        ids: Iterable[str] = ("cam0",),
        pre_roll_s: float = 0.0,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.bus = EventBus()
        self.archive = FakeArchive()
        self.ledger = FakeLedger()
        self.index = FakeSegments()
        self.switch_memory, self.mode_memory = FakeSwitchMemory(), FakeModeMemory()
        self.ticker = Ticker()
        self.hubs: dict[str, FakeHub] = {}
        self.told: list[RecordingStatus] = []
        self.events: list[EventChanged] = []
        self.clips: list[ClipChanged] = []
        self.bus.subscribe(RecordingChanged, lambda event: self.told.append(event.status))
        self.bus.subscribe(EventChanged, self.events.append)
        self.bus.subscribe(ClipChanged, self.clips.append)
        recorders = {}
        for key in ids:
            hub = self.hubs[key] = FakeHub(self.clock, most=800)
            hub.camera_id = key
            recorders[key] = Recorder(
                hub, self.archive, self.bus, self.clock, segment_s=3600, pre_roll_s=pre_roll_s, wanted=False
            )
            hub.sinks.append(recorders[key])
        settings = TriggerSettings(Switch(on, "the config"), mode, schedule, 5.0, 10.0)
        self.switches = RecordingSwitches(
            recorders,
            dict.fromkeys(recorders, settings),
            switches=self.switch_memory,
            modes=self.mode_memory,
            clock=self.clock,
            ticker=self.ticker,
        )

    @property
    def files(self) -> list[FakeWriter]:
        return self.archive.files

    def status(self, camera_id: str = "cam0") -> RecordingStatus:
        return self.switches.recording(camera_id)

    def film(self, seconds: int, camera_id: str = "cam0") -> list[int]:
        """So much passes, with four frames a second, the first of them a keyframe; the numbers of the frames."""
        made: list[int] = []
        for _ in range(seconds):
            made += [fragment.number for fragment in self.hubs[camera_id].gop(frames=4, every_s=0.25)]
            self.ticker.look()
        return made
