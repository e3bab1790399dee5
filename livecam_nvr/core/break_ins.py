"""Remembers the newest attempt to break in, for the status."""

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import BreakInAttempt
from livecam_nvr.domain.status import BreakIn
from livecam_nvr.runtime.clock import Clock


class BreakInWatch:
    """Listens from the beginning until `close`.

    Attributes:
        newest: None until there is one.
    """

    def __init__(self, bus: EventBus, clock: Clock) -> None:
        self.newest: BreakIn | None = None
        self._clock = clock
        self._unsubscribe = bus.subscribe(BreakInAttempt, self._happened)

    def close(self) -> None:
        """Listens no longer; idempotent."""
        self._unsubscribe()

    def _happened(self, event: BreakInAttempt) -> None:
        self.newest = BreakIn(self._clock.utc_ns(), event.name, event.address, event.failures, event.door)
