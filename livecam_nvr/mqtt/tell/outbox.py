"""Retained messages as they should be at the broker, and the sending of whatever differs from what it was told."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
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
        self._leaving: set[str] = set()
        self._flying = ""
        self._wake = asyncio.Event()
        self._arrived = asyncio.Event()

    def put(self, message: Message, *, urgent: bool = False) -> None:
        """Wants `message` to be what the broker keeps; `urgent` lets it overtake."""
        self._leaving.discard(message.topic)
        self._want(message, Rank.URGENT if urgent else message.rank)

    def retract(self, topic: str, rank: Rank = Rank.STATE) -> None:
        """Wants the broker to keep nothing there; as soon as it has acknowledged that, the topic is forgotten."""
        self._leaving.add(topic)
        self._want(Message(topic, b"", rank), rank)

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
        self._leaving.discard(topic)
        self._unqueue(topic)

    async def delivered(self, topics: Collection[str]) -> None:
        """Returns when the broker has acknowledged (QoS 1) what it is to keep at all of `topics`; maybe never."""
        while self._flying in topics or any(not q.keys().isdisjoint(topics) for q in self._waiting.values()):
            self._arrived.clear()
            await self._arrived.wait()

    async def deliver(self, send: Callable[[Message], Awaitable[None]]) -> None:
        """Sends what waits, for ever; ends only by cancellation or with what `send` raises."""
        while True:
            message = self._next()
            if message is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._deliver_one(message, send)

    async def _deliver_one(self, message: Message, send: Callable[[Message], Awaitable[None]]) -> None:
        topic = self._flying = message.topic
        # Before the send, so that a newer payload that is put meanwhile counts as a difference.
        self._told[topic] = message.payload
        try:
            await send(message)
        except BaseException:
            self._told.pop(topic, None)
            if (wanted := self._wanted.get(topic)) is not None:
                self._unqueue(topic)
                self._queue(topic, wanted.rank)  # so that nobody takes it for delivered
            raise
        finally:
            self._flying = ""
        if topic in self._leaving and self._wanted.get(topic) is message:
            self.drop(topic)
        self._arrived.set()

    def _want(self, message: Message, rank: Rank) -> None:
        self._wanted[message.topic] = message
        self._unqueue(message.topic)
        if self._told.get(message.topic) != message.payload:
            self._queue(message.topic, rank)

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
