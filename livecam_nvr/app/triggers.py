"""The parts that decide when a camera is recorded, and how they are joined."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from livecam_nvr.config.models import Camera, Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.clip_desk import KeptClips
from livecam_nvr.core.control import RecordingSwitches
from livecam_nvr.core.event_desk import EventReports
from livecam_nvr.core.modes import TriggerSettings
from livecam_nvr.core.past import Ledger
from livecam_nvr.core.ports import SegmentIndex, Switch
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.core.ticker import Ticker
from livecam_nvr.domain.schedule import week_time
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.remembered.modes import ModeFile
from livecam_nvr.storage.remembered.switches import SwitchFile


class Triggers:
    """Switches, modes, events and kept clips; `switches`, `events` and `clips` are there once it has started."""

    switches: RecordingSwitches
    events: EventReports
    clips: KeptClips

    def __init__(self, config: Config, cameras: Sequence[Camera], bus: EventBus, clock: Clock) -> None:
        self._recording = config.recording
        self._cameras = cameras
        self._bus = bus
        self._clock = clock
        self._switch_file = SwitchFile(config.data_dir / "switches.json")
        self._mode_file = ModeFile(
            config.data_dir / "modes.json", {camera.id: RecordingMode(camera.record_mode) for camera in cameras}
        )
        self._ticker = Ticker()

    async def start(
        self, recorders: Mapping[str, Recorder], ledger: Ledger, index: SegmentIndex, stack: AsyncExitStack
    ) -> None:
        """Gives the recorders their orders, as remembered. What has to be ended at last is pushed onto `stack`."""
        switches = await asyncio.to_thread(self._switch_file.load)
        stack.push_async_callback(self._switch_file.stop)
        modes = await asyncio.to_thread(self._mode_file.load)
        stack.push_async_callback(self._mode_file.stop)
        clock, ticker = self._clock, self._ticker
        self.switches = RecordingSwitches(
            recorders,
            {camera.id: self._settings(camera, switches, modes) for camera in self._cameras},
            switches=self._switch_file,
            modes=self._mode_file,
            clock=clock,
            ticker=ticker,
        )
        self.events = EventReports(self.switches, ledger, index, bus=self._bus, clock=clock, ticker=ticker)
        self.clips = KeptClips(
            self.switches,
            ledger,
            index,
            bus=self._bus,
            clock=clock,
            before_s=self._recording.keep_before_seconds,
            after_s=self._recording.keep_after_seconds,
        )
        ticker.start()
        stack.push_async_callback(ticker.stop)

    def _settings(
        self, camera: Camera, switches: Mapping[str, Switch], modes: Mapping[str, RecordingMode]
    ) -> TriggerSettings:
        mode = modes[camera.id]
        if mode is RecordingMode.SCHEDULE and not camera.schedule:
            # It was chosen, and the schedule has been taken out of the config since: that would mean never.
            mode = RecordingMode(camera.record_mode)
        return TriggerSettings(
            switches.get(camera.id, Switch(camera.record, "the config")),
            mode,
            tuple(week_time(rule.days, rule.begin, rule.end) for rule in camera.schedule),
            self._recording.event_pre_roll_seconds,
            self._recording.event_post_roll_seconds,
        )
