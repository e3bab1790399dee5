"""All cameras' recording switches and modes, remembered over restarts (core.ports.RecordingControl)."""

import logging
from collections.abc import Mapping

from livecam_nvr.core.modes import CameraTriggers, TriggerSettings
from livecam_nvr.core.ports import ModeMemory, Switch, SwitchMemory
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.core.ticker import Ticker
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.status import RecordingMode, RecordingStatus
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)


class RecordingSwitches:
    """Turns recorders on and off for whoever asks, and whenever it is time.

    Args:
        recorders: By camera id.
        settings: What each of them depends on at the start.
        switches: Remembers the switches.
        modes: Remembers the modes.
        clock: For schedules, and for how long an event and what somebody keeps last.
        ticker: Calls the triggers when something is due.
    """

    def __init__(
        self,
        recorders: Mapping[str, Recorder],
        settings: Mapping[str, TriggerSettings],
        *,
        switches: SwitchMemory,
        modes: ModeMemory,
        clock: Clock,
        ticker: Ticker,
    ) -> None:
        self._triggers: dict[str, CameraTriggers] = {}
        self._switches = switches
        self._modes = modes
        self._clock = clock
        self._ticker = ticker
        for camera_id, recorder in recorders.items():
            self.add(camera_id, recorder, settings[camera_id])

    def add(self, camera_id: str, recorder: Recorder, settings: TriggerSettings) -> None:
        """A camera more: its recorder is given its orders from now on."""
        triggers = self._triggers[camera_id] = CameraTriggers(recorder, self._clock, settings)
        self._ticker.add(triggers.look)

    def remove(self, camera_id: str) -> None:
        """A camera less; harmless if there is none."""
        triggers = self._triggers.pop(camera_id, None)
        if triggers is not None:
            self._ticker.remove(triggers.look)

    def configure(self, camera_id: str, settings: TriggerSettings) -> None:
        """Other settings, also another switch and mode. Raises LivecamError NOT_FOUND."""
        self._of(camera_id).configure(settings)
        self._ticker.wake()

    def suspend(self, camera_id: str, by: str | None) -> None:
        """The whole camera was switched off by `by`; None: it is on again. Raises LivecamError NOT_FOUND."""
        self._of(camera_id).suspend(by)
        self._ticker.wake()

    def switched(self, camera_id: str) -> Switch:
        """Who turned the switch, and how. Raises LivecamError NOT_FOUND."""
        return self._of(camera_id).switched

    def mode(self, camera_id: str) -> RecordingMode:
        """What the switch means now. Raises LivecamError NOT_FOUND."""
        return self._of(camera_id).mode

    def ids(self) -> tuple[str, ...]:
        """The cameras that are recorded."""
        return tuple(self._triggers)

    def set_recording(self, camera_id: str, on: bool, by: str) -> RecordingStatus:
        """See core.ports.RecordingControl."""
        triggers = self._of(camera_id)
        if triggers.mode is RecordingMode.ALWAYS and not on:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"{camera_id} is always recorded: it cannot be switched off",
                "choose another mode first: switched, schedule or events",
            )
        if triggers.switched.on is not on:
            _log.info("%s: recording switched %s by %s", camera_id, "on" if on else "off", by)
            triggers.switch(on, by)
            self._switches.save({key: value.switched for key, value in self._triggers.items()})
            self._ticker.wake()
        return triggers.status()

    def set_mode(self, camera_id: str, mode: RecordingMode, by: str) -> RecordingStatus:
        """See core.ports.RecordingControl."""
        triggers = self._of(camera_id)
        if mode is RecordingMode.SCHEDULE and not triggers.has_schedule:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"{camera_id} has no schedule",
                f"write one as `schedule` of {camera_id} in config.yaml",
            )
        if triggers.mode is not mode:
            _log.info("%s: recording mode changed from %s to %s by %s", camera_id, triggers.mode, mode, by)
            triggers.become(mode)
            self._modes.save(camera_id, mode)
            self._ticker.wake()
        return triggers.status()

    def recording(self, camera_id: str) -> RecordingStatus:
        """See core.ports.RecordingControl."""
        return self._of(camera_id).status()

    def event(self, camera_id: str, *, lasts: bool, lasted_s: float = 0.0) -> None:
        """Something happens in front of a camera (`lasts`), or has just ended; `lasted_s` ago it began.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera.
        """
        self._of(camera_id).event(lasts, lasted_s=lasted_s)
        self._ticker.wake()

    def keep(self, camera_id: str, before_s: float, after_s: float) -> None:
        """Records for `after_s` in any mode; if it begins for that, from `before_s` ago on. Raises as `event`."""
        self._of(camera_id).keep(before_s, after_s)
        self._ticker.wake()

    def _of(self, camera_id: str) -> CameraTriggers:
        try:
            return self._triggers[camera_id]
        except KeyError:
            raise unknown_camera(camera_id, self._triggers) from None
