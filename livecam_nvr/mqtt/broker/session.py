"""What goes on while the broker is connected: what is read, what is sent, and what the broker is rid of."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from livecam_nvr.core.home_assistant import Carrier
from livecam_nvr.core.ports import StatusSource
from livecam_nvr.mqtt.broker.connection import payload_of
from livecam_nvr.mqtt.discovery.announcements import MIGRATE
from livecam_nvr.mqtt.discovery.devices import Devices
from livecam_nvr.mqtt.discovery.entities import OFFLINE, ONLINE
from livecam_nvr.mqtt.former.leftovers import Announcement, Gone, Leftover, leftover
from livecam_nvr.mqtt.obey.commands import CommandDesk
from livecam_nvr.mqtt.tell.announcer import Announcer
from livecam_nvr.mqtt.tell.outbox import Message, Outbox
from livecam_nvr.mqtt.tell.past import PastTeller
from livecam_nvr.mqtt.tell.snapshots import Snapshots
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics

_log = logging.getLogger(__name__)

_LOOK_S = 10.0
_LISTEN_S = 3.0
_BIRTH_S = (0.2, 1.0)
_GOODBYE_S = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """Who takes part in a session; they live longer than it."""

    topics: Topics
    devices: Devices
    announcer: Announcer
    outbox: Outbox
    desk: CommandDesk
    snapshots: Snapshots
    past: PastTeller
    telegrams: Telegrams
    source: StatusSource


class Session:
    """One connection's life. `run` ends only by cancellation (then it says goodbye) or with aiomqtt's error.

    `on_refused` is told each topic that the broker does not let us read.
    """

    def __init__(self, client: aiomqtt.Client, parts: Parts, on_refused: Callable[[str], None]) -> None:
        self._client = client
        self._on_refused = on_refused
        self._parts = parts
        self._topics = parts.topics
        self._birth = asyncio.Event()
        self._echoes: set[str] = set()
        self._cleared: set[str] = set()

    async def run(self, move_out: Callable[[], Awaitable[None]]) -> None:
        """Announces everything at once, then keeps it true. `move_out` removes what we have left elsewhere."""
        self._parts.announcer.everything()
        try:
            await _together(
                {
                    "reader": self._read(),
                    "writer": self._parts.outbox.deliver(self._send),
                    "subscriptions": self._subscribe(),
                    "leftovers": self._look_for_leftovers(),
                    "moving out": _and_rest(move_out),
                    "look": self._look(),
                    "births": self._answer_births(),
                    "coverage": self._parts.past.keep(),
                    "telegrams": self._parts.telegrams.deliver(self._tell_once),
                    "pictures": self._parts.snapshots.keep(),
                }
            )
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise

    async def _send(self, message: Message) -> None:
        if not message.payload:
            self._echoes.add(message.topic)
        await self._client.publish(message.topic, message.payload, qos=message.qos, retain=True)

    async def _tell_once(self, topic: str, payload: bytes) -> None:
        await self._client.publish(topic, payload, qos=1)

    async def _say_goodbye(self) -> None:
        """A clean disconnection suppresses the will, so what it would say is said here."""
        try:
            await self._client.publish(self._topics.service, OFFLINE, qos=1, retain=True, timeout=_GOODBYE_S)
        except aiomqtt.MqttError:
            _log.info("the broker did not take the goodbye")

    async def _subscribe(self) -> None:
        """Commands first; then whatever is said about us."""
        await self._listen_to(self._topics.commands, qos=1)
        await self._listen_to(self._topics.birth)
        await self._listen_to(self._topics.service)
        heard: frozenset[str] = frozenset()
        while True:
            announced = await self._parts.devices.announced_other_than(heard)
            for topic in sorted(announced - heard):
                await self._listen_to(topic)
            if heard - announced:
                await self._client.unsubscribe(sorted(heard - announced))
            heard = announced

    async def _look_for_leftovers(self) -> None:
        """Listens for a moment to what the broker keeps of cameras that are gone."""
        filters = [self._topics.all_discovery, self._topics.all_states]
        for topic in filters:
            await self._listen_to(topic)
        await asyncio.sleep(_LISTEN_S)
        await self._client.unsubscribe(filters)
        await asyncio.Event().wait()

    async def _listen_to(self, topic: str, qos: int = 0) -> None:
        granted = await self._client.subscribe(topic, qos=qos)
        if any(isinstance(code, ReasonCode) and code.is_failure for code in granted):
            self._on_refused(topic)

    async def _read(self) -> None:
        async for message in self._client.messages:
            topic = str(message.topic)
            payload = payload_of(message)
            self._received(topic, payload, retained=bool(message.retain))
            if message.retain and payload:
                await self._rid_of(leftover(self._parts.devices, self._topics, topic, payload), topic)

    def _received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        announcer = self._parts.announcer
        answer = self._parts.desk.handle(topic, payload, retained=retained)
        if answer is not None:
            announcer.answer(answer)
        elif retained:
            return  # it may be days old, and we have just said everything
        elif topic == self._topics.birth:
            if payload == ONLINE.encode():
                self._birth.set()
        elif topic == self._topics.service:
            if payload == OFFLINE.encode():
                announcer.still_here()
        elif topic in self._parts.devices.announced:
            self._announced(topic, payload)

    def _announced(self, topic: str, payload: bytes) -> None:
        """What was said on one of our discovery topics: mostly our own words come back."""
        if payload == MIGRATE:
            return
        if payload:
            self._echoes.discard(topic)
        elif topic not in self._echoes and self._parts.devices.carrier is Carrier.MQTT:
            _log.info("%s was deleted in Home Assistant; it comes back when either of us restarts", topic)
            self._parts.devices.withhold(topic)

    async def _rid_of(self, found: Leftover | None, topic: str) -> None:
        match found:
            case Gone(camera_id):
                _log.info(
                    "%s is no camera of ours any more: removed from the broker and Home Assistant", camera_id
                )
                self._parts.announcer.forget(camera_id)
            case Announcement() if topic not in self._cleared:
                self._cleared.add(topic)  # two filters match it, and some brokers hand it out for each
                # Without this, Home Assistant would delete what the integration may not have taken over yet.
                await self._client.publish(topic, MIGRATE, qos=1, retain=True)
                self._parts.devices.remove(topic)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._parts.announcer.look()
            self._parts.snapshots.watched([c.id for c in self._parts.source.status().cameras if c.viewers])

    async def _answer_births(self) -> None:
        while True:
            await self._birth.wait()
            # Everybody on the broker answers a birth: a random moment spreads that, and several births are one.
            await asyncio.sleep(random.uniform(*_BIRTH_S))  # noqa: S311 - not a secret
            self._birth.clear()
            _log.info("Home Assistant has started: everything is announced again")
            self._parts.announcer.born()


async def _and_rest(job: Callable[[], Awaitable[None]]) -> None:
    await job()
    await asyncio.Event().wait()


async def _together(jobs: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Runs all until one ends or fails; ends the others and raises what that one raised."""
    tasks = [asyncio.create_task(job, name=f"MQTT {name}") for name, job in jobs.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
