"""Attempts to break in, as events: told once and never kept by the broker."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import BreakInAttempt
from livecam_nvr.mqtt import states
from livecam_nvr.runtime.clock import Clock

_MOST = 16


class Incidents:
    """Holds the newest few until the broker is there to take them; each says when it was.

    They are not retained, as they are no state: Home Assistant takes a retained event for an old one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[bytes] = deque(maxlen=_MOST)
        self._wake = asyncio.Event()

    def listen(self, bus: EventBus) -> Callable[[], None]:
        """Subscribes; returns what ends that."""
        return bus.subscribe(BreakInAttempt, self._take)

    async def deliver(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Sends what waits, for ever; ends only by cancellation or with what `send` raises."""
        while True:
            while self._waiting:
                payload = self._waiting[0]
                await send(payload)
                # Unless so many have come meanwhile that it has been pushed out.
                if self._waiting and self._waiting[0] is payload:
                    self._waiting.popleft()
            self._wake.clear()
            await self._wake.wait()

    def _take(self, event: BreakInAttempt) -> None:
        self._waiting.append(states.break_in(event, self._clock.utc_ns()))
        self._wake.set()
