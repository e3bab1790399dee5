"""Brings a camera's frames onto a grid in time by making each a little longer or shorter. Pure.

The grid is the same for every camera of the machine: multiples of the frame period on the clock that the sensors'
times are in. So each comes to it on its own, and two cameras line up without knowing of each other. libcamera's
`rpi.SyncMode` does the like between machines, with one camera as the server that the others follow.
"""

from __future__ import annotations

# Sensors take a new frame length some frames after it was ordered: what comes before says nothing.
_SETTLE_FRAMES = 8
_WATCHED_FRAMES = 8
_GAIN = 0.6
_DRIFT_GAIN = 0.2
# More than this, and movements would visibly run faster or slower.
_MOST_CHANGE = 0.03
# Nearer than this part of a period, what remains is drift.
_NEAR = 0.1


class LineUp:
    """One camera's control loop. Feed it every frame; it says how long frames are to be from now on."""

    def __init__(self, period_us: float) -> None:
        self.period_us = period_us
        self.phase_us: float | None = None
        """Of the last frames: how much later than the grid they came (negative: earlier)."""
        self._drift_us = 0.0
        self._seen: list[float] = []
        self._skip = 0

    def frame(self, sensor_us: int) -> int | None:
        """Takes a frame's time; returns the microseconds that frames are to take where that has to change."""
        if self._skip:
            self._skip -= 1
            return None
        self._seen.append(self._wrapped(sensor_us))
        if len(self._seen) < _WATCHED_FRAMES:
            return None
        first = self._seen[0]
        # Around the first one: half a period away from the grid, neighbours would stand at opposite ends.
        near = sorted(self._wrapped(phase - first) for phase in self._seen)
        phase = self.phase_us = self._wrapped(first + near[len(near) // 2])
        self._seen.clear()
        self._skip = _SETTLE_FRAMES
        change = -phase / (_SETTLE_FRAMES + _WATCHED_FRAMES)
        # A sensor's quartz is off by some millionths, and it rounds to whole lines.
        if abs(phase) < self.period_us * _NEAR:
            self._drift_us += change * _DRIFT_GAIN
        most = self.period_us * _MOST_CHANGE
        return round(self.period_us + max(-most, min(most, self._drift_us + change * _GAIN)))

    def _wrapped(self, phase_us: float) -> float:
        half = self.period_us / 2
        return (phase_us + half) % self.period_us - half
