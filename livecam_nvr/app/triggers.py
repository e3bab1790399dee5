"""The parts that decide when a camera is recorded, and how they are joined."""

import asyncio
from collections.abc import Mapping
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

_CONFIG = "the config"


class Triggers:
    """Switches, modes, events and kept clips; `switches`, `events` and `clips` are there once it has started."""

    switches: RecordingSwitches
    events: EventReports
    clips: KeptClips

    def __init__(self, config: Config, bus: EventBus, clock: Clock) -> None:
        self.suspended: dict[str, str] = {}
        """The cameras that are off when the service starts, and who did that."""
        self._recording = config.recording
        self._cameras = {camera.id: camera for camera in config.cameras if camera.enabled}
        self._remembered: dict[str, Switch] = {}
        self._bus = bus
        self._clock = clock
        self._switch_file = SwitchFile(config.data_dir / "switches.json")
        self._mode_file = ModeFile(config.data_dir / "modes.json", _modes(self._cameras))
        self._ticker = Ticker()

    async def start(
        self, recorders: Mapping[str, Recorder], ledger: Ledger, index: SegmentIndex, stack: AsyncExitStack
    ) -> None:
        """Gives the recorders their orders, as remembered. What has to be ended at last is pushed onto `stack`."""
        self._remembered = await asyncio.to_thread(self._switch_file.load)
        stack.push_async_callback(self._switch_file.stop)
        await asyncio.to_thread(self._mode_file.load)
        stack.push_async_callback(self._mode_file.stop)
        clock, ticker = self._clock, self._ticker
        self.switches = RecordingSwitches(
            recorders,
            {camera.id: self._settings(camera) for camera in self._cameras.values()},
            switches=self._switch_file,
            modes=self._mode_file,
            clock=clock,
            ticker=ticker,
        )
        for camera_id, by in self.suspended.items():
            self.switches.suspend(camera_id, by)
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

    def admit(self, camera: Camera, recorder: Recorder) -> None:
        """A camera more: its recorder gets its orders from now on."""
        self._cameras[camera.id] = camera
        self._mode_file.configure(_modes(self._cameras))
        self.switches.add(camera.id, recorder, self._settings(camera))

    def dismiss(self, camera_id: str) -> None:
        """A camera less."""
        self.events.remove(camera_id)
        self._remembered[camera_id] = self.switches.switched(camera_id)
        self.switches.remove(camera_id)
        del self._cameras[camera_id]
        self._mode_file.configure(_modes(self._cameras))

    def configure(self, config: Config) -> None:
        """Takes over what `config` says of the same cameras. What people have switched stays, as at a start."""
        before, self._recording = self._cameras, config.recording
        self._cameras = {camera.id: camera for camera in config.cameras if camera.id in before}
        self._mode_file.configure(_modes(self._cameras))
        for camera in self._cameras.values():
            switch = self.switches.switched(camera.id)
            if switch.by == _CONFIG:
                switch = Switch(camera.record, _CONFIG)
            self._remembered[camera.id] = switch
            self.switches.configure(camera.id, self._settings(camera))
        self.clips.configure(
            before_s=config.recording.keep_before_seconds, after_s=config.recording.keep_after_seconds
        )

    def _settings(self, camera: Camera) -> TriggerSettings:
        mode = self._mode_file.chosen(camera.id) or RecordingMode(camera.record_mode)
        if mode is RecordingMode.SCHEDULE and not camera.schedule:
            # It was chosen, and the schedule has been taken out of the config since: that would mean never.
            mode = RecordingMode(camera.record_mode)
        return TriggerSettings(
            self._remembered.get(camera.id, Switch(camera.record, _CONFIG)),
            mode,
            tuple(week_time(rule.days, rule.begin, rule.end) for rule in camera.schedule),
            self._recording.event_pre_roll_seconds,
            self._recording.event_post_roll_seconds,
        )


def _modes(cameras: Mapping[str, Camera]) -> dict[str, RecordingMode]:
    return {camera.id: RecordingMode(camera.record_mode) for camera in cameras.values()}
