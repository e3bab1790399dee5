"""What is not right about a camera although it may run, judged by its fragments. Pure but for the clock."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import Complaint
from livecam_nvr.runtime.clock import Clock

_MANY = 8  # with the growing pauses between them: about a minute of failing
_WITHIN_S = 600.0
_CALM_S = 300.0  # without a failure for so long, the restarts are history
_WINDOW_S = 10.0
_SLOW = 0.6  # of the frames that should come
_BEHIND = 0.9  # seconds of pictures in a second of ours; clocks differ by less than a thousandth
_HEALED = 0.97

RESTARTS, SLOW, LATE, BLACK, FROZEN = "restarts", "slow", "late", "black", "frozen"
_HINTS = {
    RESTARTS: "check its power supply, cable and network, and that no other program uses it",
    SLOW: "check the light (in the dark, cameras expose longer), the camera's settings, and this machine's load",
    LATE: "the network or this machine is too slow for this stream; try a smaller size or bit rate, or a cable",
    BLACK: "check the lens cover, the light, and the camera's exposure",
    FROZEN: "the camera sends the same picture again and again: restart the camera itself",
}
_OF_SETTINGS = {ErrorKind.CONFIG, ErrorKind.INVALID}


@dataclass(frozen=True, slots=True)
class PaceMark:
    """How far a run has come, as looked at about twice a second."""

    at_s: float
    """Our monotonic clock at the newest frame."""
    stream_s: float
    """The stream's clock at the newest frame."""
    frames: int
    """Frames so far."""


class CameraHealth:
    """Gathers complaints; each comes once, with the time since when, and goes when its cause is gone."""

    def __init__(self, clock: Clock, on_change: Callable[[tuple[Complaint, ...]], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._complaints: dict[str, Complaint] = {}
        self._failures: deque[float] = deque()
        self._last_failure: LivecamError | None = None
        self._window: deque[PaceMark] = deque()
        self._usual_fps = 0.0

    @property
    def complaints(self) -> tuple[Complaint, ...]:
        """Those there are now, the oldest first."""
        return tuple(self._complaints.values())

    def clear(self) -> None:
        """The camera was stopped on purpose: nothing is wrong with it any more."""
        self._window.clear()
        self._failures.clear()
        self._withdraw(*self._complaints)

    def began(self) -> None:
        """A run showed its first frame."""
        self._window.clear()
        self._usual_fps = 0.0

    def ended(self) -> None:
        """The run is over: what was said of its pace is not true any more."""
        self._window.clear()
        self._withdraw(SLOW, LATE)

    def failed(self, error: LivecamError) -> None:
        """A run failed, or could not begin."""
        self._failures.append(self._clock.monotonic())
        self._last_failure = error
        self._judge_restarts()

    def look(self, progress: PaceMark, wanted_fps: float | None) -> None:
        """Judges the pace; `wanted_fps` is what was asked of the camera, None where it chooses itself."""
        self._judge_restarts()
        window = self._window
        if window and progress.at_s <= window[-1].at_s:
            return
        window.append(progress)
        while len(window) > 2 and progress.at_s - window[1].at_s >= _WINDOW_S:  # noqa: PLR2004 - both ends stay
            window.popleft()
        elapsed = progress.at_s - window[0].at_s
        if elapsed < _WINDOW_S:
            return
        fps = (progress.frames - window[0].frames) / elapsed
        self._judge_rate(fps, wanted_fps)
        pace = (progress.stream_s - window[0].stream_s) / elapsed
        if 0 < pace < _BEHIND:
            behind = (1 - pace) * elapsed
            self._complain(LATE, f"its pictures come later and later: {behind:.1f} s in {elapsed:.0f} s")
        elif pace >= _HEALED:
            self._withdraw(LATE)

    def picture(self, *, black: bool, frozen_s: float) -> None:
        """What a look at the picture told; `frozen_s`: for how long it has not changed at all, 0 if it has."""
        if black:
            self._complain(BLACK, "its picture is black")
        else:
            self._withdraw(BLACK)
        if frozen_s and not black:
            self._complain(FROZEN, f"its picture has not changed at all for {frozen_s:.0f} s")
        else:
            self._withdraw(FROZEN)

    def _judge_rate(self, fps: float, wanted_fps: float | None) -> None:
        if wanted_fps is None:
            self._usual_fps = max(self._usual_fps, fps)
            wanted_fps = self._usual_fps
        if fps < _SLOW * wanted_fps:
            self._complain(SLOW, f"it sends {fps:.0f} frames a second instead of {wanted_fps:.0f}")
        elif fps > (_SLOW + 0.1) * wanted_fps:
            self._withdraw(SLOW)

    def _judge_restarts(self) -> None:
        now = self._clock.monotonic()
        while self._failures and now - self._failures[0] > _WITHIN_S:
            self._failures.popleft()
        if len(self._failures) >= _MANY:
            minutes = _WITHIN_S / 60
            last = self._last_failure
            said = f"it failed {len(self._failures)} times within {minutes:.0f} minutes, last: {last}"
            # What is wrong in the settings is mended there, whatever cable is checked.
            mend = last.hint if last is not None and last.kind in _OF_SETTINGS else ""
            self._complain(RESTARTS, said, mend)
        elif not self._failures or now - self._failures[-1] > _CALM_S:
            self._withdraw(RESTARTS)

    def _complain(self, kind: str, message: str, hint: str = "") -> None:
        known = self._complaints.get(kind)
        since = known.since_utc_ns if known else self._clock.utc_ns()
        self._complaints[kind] = Complaint(kind, message, hint or _HINTS[kind], since)
        if known is None:
            self._on_change(self.complaints)

    def _withdraw(self, *kinds: str) -> None:
        gone = [self._complaints.pop(kind, None) for kind in kinds]
        if any(gone):
            self._on_change(self.complaints)
