"""What goes on while the broker is connected: what is read, what is sent, and what the broker is rid of."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from livecam_nvr.mqtt.announcer import Announcer
from livecam_nvr.mqtt.commands import CommandDesk
from livecam_nvr.mqtt.discovery import is_ours
from livecam_nvr.mqtt.entities import OFFLINE, ONLINE
from livecam_nvr.mqtt.incidents import Incidents
from livecam_nvr.mqtt.outbox import Message, Outbox
from livecam_nvr.mqtt.past import PastTeller
from livecam_nvr.mqtt.snapshots import Snapshots
from livecam_nvr.mqtt.topics import Topics

_log = logging.getLogger(__name__)

_LOOK_S = 10.0
_LISTEN_S = 3.0
_BIRTH_S = (0.2, 1.0)
_GOODBYE_S = 0.5
_LARGEST_DISCOVERY = 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Who takes part in a session; they live longer than it."""

    topics: Topics
    camera_ids: Sequence[str]
    announcer: Announcer
    outbox: Outbox
    desk: CommandDesk
    snapshots: Snapshots
    past: PastTeller
    incidents: Incidents


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

    async def run(self) -> None:
        """Announces everything at once, then keeps it true."""
        self._parts.announcer.everything()
        cameras = self._parts.camera_ids
        try:
            await _together(
                {
                    "reader": self._read(),
                    "writer": self._parts.outbox.deliver(self._send),
                    "subscriptions": self._subscribe(),
                    "look": self._look(),
                    "births": self._answer_births(),
                    "coverage": self._parts.past.keep(),
                    "incidents": self._parts.incidents.deliver(self._tell_incident),
                    **{
                        f"pictures of {camera}": self._parts.snapshots.keep(camera, at, len(cameras))
                        for at, camera in enumerate(cameras)
                    },
                }
            )
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise

    async def _send(self, message: Message) -> None:
        await self._client.publish(message.topic, message.payload, qos=message.qos, retain=True)

    async def _tell_incident(self, payload: bytes) -> None:
        await self._client.publish(self._topics.break_in, payload, qos=1)

    async def _say_goodbye(self) -> None:
        """A clean disconnection suppresses the will, so what it would say is said here."""
        try:
            await self._client.publish(self._topics.service, OFFLINE, qos=1, retain=True, timeout=_GOODBYE_S)
        except aiomqtt.MqttError:
            _log.info("the broker did not take the goodbye")

    async def _subscribe(self) -> None:
        """Commands first; then whatever discovery messages the broker keeps, for a moment."""
        topics = self._topics
        await self._listen_to(topics.commands, qos=1)
        await self._listen_to(topics.birth)
        for topic in sorted(self._parts.announcer.announced):
            await self._listen_to(topic)
        await self._listen_to(topics.all_discovery)
        await asyncio.sleep(_LISTEN_S)
        await self._client.unsubscribe(topics.all_discovery)
        await asyncio.Event().wait()

    async def _listen_to(self, topic: str, qos: int = 0) -> None:
        granted = await self._client.subscribe(topic, qos=qos)
        if any(isinstance(code, ReasonCode) and code.is_failure for code in granted):
            self._on_refused(topic)

    async def _read(self) -> None:
        async for message in self._client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            self._received(str(message.topic), payload, retained=bool(message.retain))
            stale = self._stale_camera(message) if message.retain else None
            if stale is not None:
                await self._clear(stale)

    def _received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        answer = self._parts.desk.handle(topic, payload, retained=retained)
        if answer is not None:
            self._parts.announcer.answer(answer)
        elif topic == self._topics.birth:
            # A kept "online" may be days old, and we have just announced everything anyway.
            if payload == ONLINE.encode() and not retained:
                self._birth.set()
        elif not payload and not retained and topic in self._parts.announcer.announced:
            _log.info("%s was deleted in Home Assistant; it comes back when either of us restarts", topic)
            self._parts.announcer.withhold(topic)

    def _stale_camera(self, message: aiomqtt.Message) -> str | None:
        camera_id = self._topics.announced_camera(str(message.topic))
        if camera_id is None or camera_id in self._parts.camera_ids or not isinstance(message.payload, bytes):
            return None
        return camera_id if len(message.payload) <= _LARGEST_DISCOVERY and is_ours(message.payload) else None

    async def _clear(self, camera_id: str) -> None:
        _log.info("%s is no camera of ours any more: removed from the broker and Home Assistant", camera_id)
        for topic in self._topics.retained_of(camera_id):
            await self._client.publish(topic, b"", qos=1, retain=True)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._parts.announcer.look()

    async def _answer_births(self) -> None:
        while True:
            await self._birth.wait()
            # Everybody on the broker answers a birth: a random moment spreads that, and several births are one.
            await asyncio.sleep(random.uniform(*_BIRTH_S))  # noqa: S311 - not a secret
            self._birth.clear()
            _log.info("Home Assistant has started: everything is announced again")
            self._parts.announcer.born()


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
