"""Attempts to break in, as events: told once and never kept by the broker."""

from collections.abc import Callable

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import BreakInAttempt
from livecam_nvr.mqtt.tell import occurrences
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime.clock import Clock

_MOST = 16


class Incidents:
    """The newest few wait for a broker that is away; each says when it was."""

    def __init__(self, topics: Topics, telegrams: Telegrams, clock: Clock) -> None:
        self._topics = topics
        self._telegrams = telegrams
        self._clock = clock

    def listen(self, bus: EventBus) -> Callable[[], None]:
        """Subscribes; returns what ends that."""
        return bus.subscribe(BreakInAttempt, self._take)

    def _take(self, event: BreakInAttempt) -> None:
        payload = occurrences.break_in(event, self._clock.utc_ns())
        self._telegrams.put(self._topics.break_in, payload, most=_MOST)
