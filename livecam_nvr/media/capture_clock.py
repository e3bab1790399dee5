"""Tells when a frame was taken, from when it arrived and what the camera's own clock says."""

from livecam_nvr.runtime.clock import Clock

# A camera's quartz is allowed to run so much slower than ours before the mapping follows.
_DRIFT = 300e-6
# A lag that lasts this long is no delay: the camera's clock has been set, or the source has paused.
_LAG_LASTS_S = 3.0
_LAG_S = 1.5
NS = 1_000_000_000


class CaptureClock:
    """Maps one run's stream time to this machine's clocks.

    The frame that arrives soonest after its timestamp says how the two clocks stand to each other; all others
    were delayed by the network or the scheduler. So the smallest difference counts, and may only rise slowly.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None
        self._updated_s = 0.0
        self._late_since: float | None = None
        self.lag_s = 0.0
        """How much later the newest frame came than the soonest ones do."""

    def stamp(self, time_s: float, duration_s: float) -> tuple[float, int]:
        """Arrival (monotonic s) and UTC (ns) at which the frame at `time_s` was taken.

        ffmpeg hands a frame on when the next one comes, that is `duration_s` after it was taken.
        """
        now = self._clock.monotonic()
        offset = now - (time_s + duration_s)
        if self._offset is None:
            self._offset = offset
        else:
            self._offset = min(offset, self._offset + (now - self._updated_s) * _DRIFT)
        self._updated_s = now
        self.lag_s = offset - self._offset
        if self.lag_s < _LAG_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since > _LAG_LASTS_S:
            self._offset, self._late_since = offset, None
        age_s = now - (time_s + self._offset)
        return now, self._clock.utc_ns() - int(age_s * NS)
