"""How long the disk takes for what it is asked, as one thread sees it and others may ask."""

from livecam_nvr.runtime.clock import Clock

_REMEMBERED_S = 10.0


class Gauge:
    """`with gauge:` around each call that waits for the disk; on one thread, `slowest_s` on any.

    A call that was slow is remembered for ten seconds: with a sync every five, one quick answer between two slow
    ones does not make the disk quick.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_s: float | None = None
        self._took_s = 0.0
        self._at_s = 0.0

    def __enter__(self) -> None:
        self._began_s = self._clock.monotonic()

    def __exit__(self, *_: object) -> None:
        began, now = self._began_s, self._clock.monotonic()
        took = now - began if began is not None else 0.0
        if took >= self._took_s or now - self._at_s > _REMEMBERED_S:
            self._took_s, self._at_s = took, now
        self._began_s = None

    def slowest_s(self) -> float:
        """The longest call of late; one under way counts so far. Seconds."""
        now, began = self._clock.monotonic(), self._began_s
        recent = self._took_s if now - self._at_s <= _REMEMBERED_S else 0.0
        return max(recent, now - began if began is not None else 0.0)
