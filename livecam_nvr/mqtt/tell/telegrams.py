"""Messages that the broker is not to keep: told once, in order, and bounded while nobody takes them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from livecam_nvr.runtime.clock import Clock

_MOST = 256


class _Telegram(NamedTuple):
    payload: bytes
    until_s: float


class Telegrams:
    """Holds the newest 256 of each topic until the broker takes them. Home Assistant ignores events that are
    retained, as it takes them for old ones; so these are not.

    Topics take turns, so that many messages on one of them do not hold up the others.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, deque[_Telegram]] = {}
        self._wake = asyncio.Event()

    def put(self, topic: str, payload: bytes, *, patience_s: float = float("inf"), most: int = _MOST) -> None:
        """Wants it to be told. After `patience_s` it would only mislead: who has not heard it by then never does.

        Args:
            topic: One of ours: there are never more of them than these.
            payload: What is said.
            patience_s: How long it may wait.
            most: How many may wait for this topic, at most 256; the newest stay.
        """
        queue = self._waiting.setdefault(topic, deque(maxlen=most))
        queue.append(_Telegram(payload, self._clock.monotonic() + patience_s))
        self._wake.set()

    async def deliver(self, send: Callable[[str, bytes], Awaitable[None]]) -> None:
        """Sends what waits, for ever; ends only by cancellation or with what `send` raises."""
        while True:
            self._wake.clear()
            for topic in list(self._waiting):
                await self._deliver_one(topic, send)
            if not self._waiting:
                await self._wake.wait()

    async def _deliver_one(self, topic: str, send: Callable[[str, bytes], Awaitable[None]]) -> None:
        queue = self._waiting[topic]
        telegram = queue[0]
        if self._clock.monotonic() <= telegram.until_s:
            await send(topic, telegram.payload)
        # Unless so many have come meanwhile that it has been pushed out.
        if queue[0] is telegram:
            queue.popleft()
        if not queue:
            del self._waiting[topic]
