"""Counts one camera's frames and bytes, and tells fps, bitrate and missing frames from them."""

from collections import deque

from livecam_nvr.domain.media import EndCause, Fragment

_WINDOW_S = 4.0
_LEARN = 25  # frames of a run that tell its usual duration; a camera's timestamps may jitter
_MISSING = 1.6  # a frame that lasts so many times the usual duration has swallowed the ones after it


class StreamFigures:
    """A sink that only counts; a few additions a frame (core.ports.FragmentSink)."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self.missing_frames = 0
        """Frames that the timestamps show to be missing within a run."""
        self.last_arrived_s: float | None = None
        self._nominal = 0.0
        self._learned = 0
        self._history: deque[tuple[float, int, int]] = deque()
        self._due_s = 0.0

    def on_fragment(self, fragment: Fragment) -> None:
        """See core.ports.FragmentSink."""
        self.frames += fragment.frames
        self.bytes += len(fragment.data)
        if not fragment.frames:  # sound goes on where the picture stands still
            return
        self.last_arrived_s = fragment.arrived_s
        if fragment.frames == 1:
            self._count_missing(fragment.duration)
        if fragment.arrived_s >= self._due_s:
            self._sample(fragment.arrived_s)

    def on_end(self, cause: EndCause) -> None:  # noqa: ARG002 - the port's signature
        """See core.ports.FragmentSink."""
        self._nominal, self._learned = 0.0, 0
        self._history.clear()

    def rates(self, now_s: float) -> tuple[float, float]:
        """Frames and bits per second over the last seconds; zero when nothing has come for so long."""
        while self._history and now_s - self._history[0][0] > 2 * _WINDOW_S:
            self._history.popleft()
        if not self._history or self.last_arrived_s is None or now_s - self.last_arrived_s > _WINDOW_S:
            return 0.0, 0.0
        since, frames, size = self._history[0]
        elapsed = max(now_s - since, 1e-3)
        # A frame arrives up to one interval after "now" was due: count from frame to frame while all is well.
        if now_s - self.last_arrived_s < 1.0:
            elapsed = max(self.last_arrived_s - since, 1e-3)
        if elapsed < 0.5:  # noqa: PLR2004 - too short to tell anything
            return 0.0, 0.0
        return (self.frames - frames) / elapsed, (self.bytes - size) * 8 / elapsed

    def _sample(self, now_s: float) -> None:
        self._due_s = now_s + 0.5
        self._history.append((now_s, self.frames, self.bytes))
        while now_s - self._history[0][0] > _WINDOW_S:
            self._history.popleft()

    def _count_missing(self, duration: int) -> None:
        if duration <= 0:
            return
        if self._learned < _LEARN:
            self._learned += 1
            self._nominal += (duration - self._nominal) / self._learned
            return
        if duration >= _MISSING * self._nominal:
            self.missing_frames += round(duration / self._nominal) - 1
        # Follows slowly, also to the lower rate of a camera at night; one long gap moves it but little.
        self._nominal += (min(duration, 4 * self._nominal) - self._nominal) * 0.02
