"""Puts a track's times right where a camera's timestamps cannot be true. Pure.

Cameras are seen whose RTP timestamps stand still, run back, leap by hours when somebody sets their clock, or count
in another rate than the 90 kHz of RFC 6184. ffmpeg loses no frame for that, but gives each frame that would run
back a time one tick after the one before it, and takes a leap for one frame that lasts for hours. Both show in the
durations, and the arrivals say how long it really was.
"""

_SHORTEST_S = 1e-3  # no camera takes a thousand frames a second
# No frame of a running stream lies on the way for longer: what claims to is not late but of another clock.
_MOST_LATE_S = 10.0
_STRAY = 5  # so many wrong frames in a row are no stray timestamps any more: from then on the arrivals count
_WRONG_RATE = 0.05
_SETTLED_S = 5.0  # what a camera keeps in store it has sent by then
_MADE_UP_S = 0.5  # a pause of the arrivals that is longer is made up for at once, else jitter would follow jitter


class Timeline:
    """One track of one run: every sample's time and duration, in ticks; untouched while they can be true.

    Args:
        timescale: Ticks per second.
        sound: Whether its samples are sound, which may be as short as they claim.
    """

    def __init__(self, timescale: int, *, sound: bool = False) -> None:
        self._scale = timescale
        # ffmpeg squeezes sound whose times run back into single ticks until it is where it was. Were that given
        # time of its own, all that follows would be late, and out of step with the pictures.
        self._shortest = 0 if sound else max(1, round(timescale * _SHORTEST_S))
        self._arrived_s: float | None = None
        self._next: int | None = None
        """What the next sample's time should be."""
        self._usual = 0.0
        """Average duration as claimed, ticks."""
        self._shift = 0
        """Ticks by which the times that go out are later than those that come in."""
        self._debt = 0
        """The part of it that comes back if the next frame claims more than usual."""
        self._wrong = 0
        """Wrong samples in a row."""
        self._pace: _Pace | None = None
        self._rate = _RateWatch()
        self._by_arrival = False

    def place(self, time: int, duration: int, arrived_s: float) -> tuple[int, int]:
        """The true time and duration of the sample that has arrived now (monotonic s) and claims these."""
        if self._next is not None and abs(time - self._next) > _MOST_LATE_S * self._scale:
            self._shift += self._next - time  # with sound, a leap stands between two samples and not in a duration
        self._next = time + duration
        if not duration:  # the end of a file, where the last sample has nothing behind it
            return time + self._shift, 0
        before_s = arrived_s if self._arrived_s is None else self._arrived_s
        self._arrived_s = arrived_s
        begin = time + self._shift
        claimed_s = duration / self._scale
        believed = (
            not self._by_arrival and self._shortest < duration and claimed_s <= arrived_s - before_s + _MOST_LATE_S
        )
        # The second frame after PLAY is to be believed: it is the first to which ffmpeg gives a time.
        if believed and (self._pace is None or (self._wrong == 1 and not self._usual)):
            taken = self._believed(duration) if self._wrong else duration
            # What a stray one lacked, the next one claims.
            self._learn(duration / (1 + self._wrong) if self._debt else duration)
            self._debt, self._wrong, self._pace = 0, 0, None
        else:
            taken = self._guessed(begin / self._scale, before_s, arrived_s, too_long=duration > self._shortest)
            if believed:  # it claims the time that the wrong ones before it have got by their arrivals
                self._wrong, self._pace = 0, None
        self._shift += taken - duration
        if self._rate.wrong((begin + taken) / self._scale, arrived_s):
            self._by_arrival = True
        return begin, taken

    def _learn(self, duration: float) -> None:
        self._usual += (duration - self._usual) * (0.05 if self._usual else 1.0)

    def _believed(self, duration: int) -> int:
        """A sample that can be true again: it may reach back over a stray one, which got its time on trust."""
        return duration - min(self._debt, max(0, duration - round(self._usual)))

    def _guessed(self, begin_s: float, before_s: float, arrived_s: float, *, too_long: bool) -> int:
        """How long a sample really lasted whose claim cannot be true, ticks."""
        self._wrong += 1
        if self._usual and self._wrong <= _STRAY and not self._by_arrival:
            taken = round(self._usual)
            self._debt = 0 if too_long else self._debt + taken
            return max(self._shortest, taken)
        self._debt = 0
        if self._pace is None:
            self._pace = _Pace(begin_s, before_s, self._usual / self._scale)
        return max(self._shortest, round(self._pace.lasted_s(begin_s, before_s, arrived_s) * self._scale))


class _Pace:
    """The arrivals' own pace, freed of most of their jitter; begins where the stream is at `begin_s`."""

    def __init__(self, begin_s: float, arrived_s: float, usual_s: float) -> None:
        self._begin_s = begin_s
        self._arrived_s = arrived_s
        self._mean_s = usual_s
        self._count = 20 if usual_s else 0

    def lasted_s(self, begin_s: float, before_s: float, arrived_s: float) -> float:
        """How long a sample lasted that begins at `begin_s` and arrived now, after the one before."""
        if arrived_s > before_s or self._count:
            self._count += 1
            self._mean_s += (arrived_s - before_s - self._mean_s) / min(self._count, 20)
        behind_s = arrived_s - self._arrived_s - (begin_s - self._begin_s) - self._mean_s
        return self._mean_s + behind_s * (0.1 if abs(behind_s) < _MADE_UP_S else 1.0)


class _RateWatch:
    """Tells when a stream runs so much faster or slower than time that no delay explains it."""

    def __init__(self) -> None:
        self._first_s: float | None = None
        self._base: tuple[float, float] | None = None

    def wrong(self, time_s: float, arrived_s: float) -> bool:
        """Takes where the stream is now."""
        if self._base is None:
            if self._first_s is None:
                self._first_s = arrived_s
            if arrived_s - self._first_s >= _SETTLED_S:
                self._base = time_s, arrived_s
            return False
        elapsed_s = arrived_s - self._base[1]
        return abs(time_s - self._base[0] - elapsed_s) > _MOST_LATE_S + _WRONG_RATE * elapsed_s
