"""What one camera's recording depends on: mode, switch, schedule, events, and what somebody keeps."""

from dataclasses import dataclass

from livecam_nvr.core.ports import Switch
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.core.ticker import NEVER_S
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.recording import Demand, idle_cause
from livecam_nvr.domain.schedule import Schedule, has
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingMode, RecordingStatus
from livecam_nvr.runtime.clock import Clock

# Frames come late by what the camera and the network need: those of the last moment are to be there, too.
_LATE_S = 1.0
# The wall clock may be set meanwhile; so late at most that is noticed.
_LOOK_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class TriggerSettings:
    """What a camera's recording depends on at the start."""

    switch: Switch
    mode: RecordingMode = RecordingMode.SWITCHED
    schedule: Schedule = ()
    event_pre_roll_s: float = 0.0
    event_post_roll_s: float = 0.0


class CameraTriggers:
    """Weighs all that a camera's recording depends on, and orders its recorder accordingly.

    Each change takes effect at once. `look` has to be called when time alone changes something.
    """

    def __init__(self, recorder: Recorder, clock: Clock, settings: TriggerSettings) -> None:
        self.switched = settings.switch
        self.mode = settings.mode
        self.has_schedule = bool(settings.schedule)
        self._recorder = recorder
        self._clock = clock
        self._settings = settings
        self._scheduled = False
        self._scheduled_from_ns = self._scheduled_until_ns = 0
        self._event_lasts = False
        self._eventful_until_s = self._keeping_until_s = float("-inf")
        self._keeping_until_utc_ns: int | None = None
        self._off_by: str | None = None
        self._weigh()

    def status(self) -> RecordingStatus:
        """What was asked for, and what the recorder really does."""
        return self._recorder.status()

    def switch(self, on: bool, by: str) -> None:
        """Turns the switch."""
        self.switched = Switch(on, by)
        self._weigh()

    def become(self, mode: RecordingMode) -> None:
        """Changes the mode."""
        self.mode = mode
        self._weigh(self._settings.event_pre_roll_s if mode is RecordingMode.EVENTS else None)

    def configure(self, settings: TriggerSettings) -> None:
        """Other settings, also another switch and mode."""
        self.switched, self.mode = settings.switch, settings.mode
        self.has_schedule = bool(settings.schedule)
        self._settings = settings
        self._scheduled_until_ns = 0
        self._weigh()

    def suspend(self, by: str | None) -> None:
        """The whole camera was switched off by somebody, so nothing is recorded; None: it is on again."""
        self._off_by = by
        self._weigh()

    def event(self, lasts: bool, *, lasted_s: float = 0.0) -> None:
        """Something happens now (`lasts`), or has just ended; `lasted_s` ago it began."""
        self._event_lasts = lasts
        self._eventful_until_s = self._clock.monotonic() + self._settings.event_post_roll_s
        self._weigh(self._settings.event_pre_roll_s + lasted_s)

    def keep(self, before_s: float, after_s: float) -> None:
        """Records for `after_s` from now on, in any mode; if nothing is recorded now, from `before_s` ago on."""
        until_s = self._clock.monotonic() + after_s
        if until_s >= self._keeping_until_s:
            self._keeping_until_s = until_s
            self._keeping_until_utc_ns = self._clock.utc_ns() + round(after_s * NS)
        self._weigh(before_s)

    def look(self) -> float:
        """Does what is due; returns after how many seconds something may be due again."""
        self._weigh()
        now_s = self._clock.monotonic()
        due = [
            end_s - now_s for end_s in (self._keeping_until_s + _LATE_S, self._eventful_until_s) if end_s > now_s
        ]
        if self.mode is RecordingMode.SCHEDULE:
            due += [_LOOK_AGAIN_S, (self._scheduled_until_ns - self._clock.utc_ns()) / NS]
        return min(due, default=NEVER_S)

    def _weigh(self, reach_s: float | None = None) -> None:
        now_s = self._clock.monotonic()
        keeping = now_s < self._keeping_until_s + _LATE_S
        if not keeping:
            self._keeping_until_utc_ns = None
        idle = idle_cause(
            self.mode,
            on=self.switched.on,
            scheduled=self._is_scheduled(),
            eventful=self._event_lasts or now_s < self._eventful_until_s,
            keeping=keeping,
        )
        by = self.switched.by if idle is GapCause.SWITCHED_OFF else ""
        if self._off_by is not None:
            idle, by = GapCause.SWITCHED_OFF, self._off_by
        demand = Demand(
            self.switched.on or self.mode is RecordingMode.ALWAYS,
            self.mode,
            idle,
            by,
            self._keeping_until_utc_ns,
            tuple(mode for mode in RecordingMode if self.has_schedule or mode is not RecordingMode.SCHEDULE),
        )
        self._recorder.ask(demand, reach_s=reach_s)

    def _is_scheduled(self) -> bool:
        now_ns = self._clock.utc_ns()
        if not self._scheduled_from_ns <= now_ns < self._scheduled_until_ns:
            self._scheduled_from_ns = now_ns
            self._scheduled, self._scheduled_until_ns = has(
                self._settings.schedule, now_ns, self._clock.utc_offset_s
            )
        return self._scheduled
