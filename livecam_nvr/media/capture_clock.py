"""Tells when a frame was taken, from when it arrived and what the camera's own clock says."""

import math
from collections import deque
from collections.abc import Iterable

from livecam_nvr.domain.media import Fragment
from livecam_nvr.runtime.clock import Clock

# ffmpeg hands a frame on when the next one comes, to know how long it lasts; over RTP, its parser holds two more.
_HELD_BY_PARSER = 2
# A camera's quartz is allowed to run so much slower than ours before the mapping follows.
_DRIFT = 300e-6
# A lag that lasts this long is no delay: the camera's clock has been set, or the source has paused.
_LAG_LASTS_S = 3.0
_LAG_S = 1.5
# A difference that grows by the same in each of so many looks is a clock that runs slow, and no delay: delays end.
_LOOK_EVERY_S = 5.0
_LOOKS = 5
_EVEN_S = 0.03
_MOST_SLOW = 0.05
_HOLD_S = 0.5
_PACED = 0.5
NS = 1_000_000_000


class CaptureClock:
    """Maps one run's stream time to this machine's clocks.

    The frame that arrives soonest after its timestamp says how the two clocks stand to each other; all others
    were delayed by the network or the scheduler. So the smallest difference counts, and may only rise slowly.

    Args:
        clock: The service's.
        remote: An IP camera: its clock is its own, and may run slow.
    """

    def __init__(self, clock: Clock, *, remote: bool = False) -> None:
        self._clock = clock
        self._held = _HELD_BY_PARSER if remote else 0
        self._usual_s = 0.0
        self._slowness = _Slowness() if remote else None
        self._offset: float | None = None
        self._updated_s = 0.0
        self._late_since: float | None = None
        self.lag_s = 0.0
        """How much later the newest frame came than the soonest ones do."""

    def stamp(self, time_s: float, duration_s: float | None) -> tuple[float, int]:
        """Arrival (monotonic s) and UTC (ns) at which the frame at `time_s` was taken, which lasts `duration_s`.

        None: it is not a frame but sound, which is placed by what the frames have told.
        """
        now = self._clock.monotonic()
        if duration_s is None:
            return now, self.taken_utc_ns(time_s)
        self._usual_s += (duration_s - self._usual_s) * (0.1 if self._usual_s else 1.0)
        offset = now - (time_s + duration_s + self._held * self._usual_s)
        if self._offset is None:
            self._offset = offset
        else:
            self._offset = min(offset, self._offset + (now - self._updated_s) * _DRIFT)
            if self._slowness is not None:
                self._offset = min(offset, max(self._offset, self._slowness.bound(offset, now)))
        self._updated_s = now
        self.lag_s = offset - self._offset
        if self.lag_s < _LAG_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since > _LAG_LASTS_S:
            self._offset, self._late_since = offset, None
        return now, self.taken_utc_ns(time_s)

    def taken_utc_ns(self, time_s: float) -> int:
        """UTC (ns) at which the frame at `time_s` was taken, as well as that is known by now."""
        age_s = self._clock.monotonic() - (time_s + (self._offset or 0.0))
        return self._clock.utc_ns() - int(age_s * NS)


class _Slowness:
    """Tells by how much a camera's clock is behind because it runs slow: evenly, as no delay grows for long."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, float]] = deque(maxlen=_LOOKS)
        self._soonest = (0.0, math.inf)
        self._look_s = 0.0
        self._slope = 0.0

    def bound(self, offset: float, now: float) -> float:
        """The smallest difference that can be; takes that of the newest frame."""
        if offset < self._soonest[1]:
            self._soonest = now, offset
        if not self._looks or now - self._look_s >= _LOOK_EVERY_S:
            self._looks.append(self._soonest)
            self._soonest, self._look_s = (now, math.inf), now
            self._slope = self._even_slope()
        last_s, last = self._looks[-1]
        return last + self._slope * (now - last_s) - _EVEN_S if self._slope else -math.inf

    def _even_slope(self) -> float:
        """Seconds a second; 0 if it is not the same all the time, or no clock could be so wrong."""
        if len(self._looks) < _LOOKS:
            return 0.0
        (first_s, first), (last_s, last) = self._looks[0], self._looks[-1]
        slope = (last - first) / (last_s - first_s)
        even = all(abs(at - first - slope * (at_s - first_s)) < _EVEN_S for at_s, at in self._looks)
        return slope if even and 0 < slope < _MOST_SLOW else 0.0


class Beginning:
    """Holds the first fragments of a run back until they come at the stream's own pace.

    ffmpeg looks at a stream for some frames before it hands them on, all at once: only when it has caught up can
    be told when they were taken.
    """

    def __init__(self, clock: CaptureClock) -> None:
        self._clock = clock
        self._held: list[Fragment] = []
        self._first_s: float | None = None
        self._last_s: float | None = None
        self._over = False

    def take(self, fragments: Iterable[Fragment]) -> list[Fragment]:
        """What can be handed on, now that these have come."""
        if self._over:
            return list(fragments)
        for fragment in fragments:
            self._held.append(fragment)
            if fragment.frames and not self._over:
                self._over = self._caught_up(fragment)
        return self.rest() if self._over else []

    def _caught_up(self, frame: Fragment) -> bool:
        first_s, last_s = self._first_s, self._last_s
        self._first_s, self._last_s = first_s or frame.arrived_s, frame.arrived_s
        if first_s is None or last_s is None:
            return False
        pace_s = _PACED * frame.duration / frame.init.video.timescale
        return frame.arrived_s - last_s >= pace_s or frame.arrived_s - first_s > _HOLD_S

    def rest(self) -> list[Fragment]:
        """What is still held back."""
        held, self._held = self._held, []
        return [fragment._replace(utc_ns=self._clock.taken_utc_ns(fragment.time_s)) for fragment in held]
