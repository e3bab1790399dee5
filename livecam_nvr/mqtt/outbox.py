"""Retained messages as they should be at the broker, and the sending of whatever differs from what it was told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """What goes first when several messages wait."""

    URGENT = 0
    """The answer to a command; an alarm."""
    DISCOVERY = 1
    AVAILABILITY = 2
    STATE = 3
    PICTURE = 4


@dataclass(frozen=True, slots=True)
class Message:
    """A retained message."""

    topic: str
    payload: bytes
    rank: Rank
    qos: int = 1


class Outbox:
    """One entry per topic: the newest payload wins, and what the broker was told already is not sent again."""

    def __init__(self) -> None:
        self._wanted: dict[str, Message] = {}
        self._told: dict[str, bytes] = {}
        self._waiting: dict[Rank, dict[str, None]] = {rank: {} for rank in Rank}
        self._wake = asyncio.Event()

    def put(self, message: Message, *, urgent: bool = False) -> None:
        """Wants `message` to be what the broker keeps; `urgent` lets it overtake."""
        self._wanted[message.topic] = message
        self._unqueue(message.topic)
        if self._told.get(message.topic) != message.payload:
            self._queue(message.topic, Rank.URGENT if urgent else message.rank)

    def repeat(self, topic: str) -> None:
        """Sends a topic once more, at once, even if nothing changed; unknown topics are left alone."""
        self._told.pop(topic, None)
        if topic in self._wanted:
            self._unqueue(topic)
            self._queue(topic, Rank.URGENT)

    def repeat_all(self) -> None:
        """Sends everything once more, by rank and in the order it was first put."""
        self._told.clear()
        for topic, message in self._wanted.items():
            self._unqueue(topic)
            self._queue(topic, message.rank)

    def drop(self, topic: str) -> None:
        """No longer wants anything there; says nothing to the broker."""
        self._wanted.pop(topic, None)
        self._told.pop(topic, None)
        self._unqueue(topic)

    async def deliver(self, send: Callable[[Message], Awaitable[None]]) -> None:
        """Sends what waits, for ever; ends only by cancellation or with what `send` raises."""
        while True:
            message = self._next()
            if message is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            # Before the send, so that a newer payload that is put meanwhile counts as a difference.
            self._told[message.topic] = message.payload
            await send(message)

    def _next(self) -> Message | None:
        for queue in self._waiting.values():
            if queue:
                topic = next(iter(queue))
                del queue[topic]
                return self._wanted[topic]
        return None

    def _queue(self, topic: str, rank: Rank) -> None:
        self._waiting[rank][topic] = None
        self._wake.set()

    def _unqueue(self, topic: str) -> None:
        for queue in self._waiting.values():
            queue.pop(topic, None)
