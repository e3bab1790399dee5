"""Finds out, beside the door, whether another service has our node id, and waits until it is gone."""

import json
import secrets
from collections.abc import Callable

import aiomqtt

from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.broker.connection import connected, payload_of
from livecam_nvr.mqtt.broker.fence import Kept
from livecam_nvr.mqtt.broker.mark import Mark
from livecam_nvr.mqtt.discovery.entities import ONLINE
from livecam_nvr.mqtt.topics import Topics

_GONE_S = 3.0
_LONGEST_NAME = 64


async def keep_clear(
    config: MqttConfig,
    topics: Topics,
    mark: Mark,
    on_rival: Callable[[LivecamError], None],
    *,
    began: bool,
) -> None:
    """Returns when nobody else holds our place on the broker; at once, if nobody does.

    Two services with one client identifier would throw each other out for ever. So whoever is about to take the
    place looks first, under a name of its own, whose mark the broker keeps. If it is another's who is online, that
    one stays, and `on_rival` is told; the place is free when it has been offline for a few seconds. A service
    whose machine has lost its power counts as online until the broker has sent its last will.

    Args:
        config: The broker.
        topics: The names of our place.
        mark: Ours.
        on_rival: Told once, if the place is taken.
        began: Whether this run has had the place before. If not, a mark of our installation is what an earlier run
            of ours has left, as after a crash. If so, it is that of a copy of us, which has taken the place since.

    Raises:
        LivecamError: If the broker cannot be reached or goes away.
    """
    watcher = f"{topics.client_id}-waits-{secrets.token_hex(4)}"
    async with connected(config, watcher) as client:
        kept = Kept(client)
        place = _Place(topics, mark, began=began)
        for message in await kept.of((topics.instance, topics.service, topics.about)):
            place.take(message)
        told = False
        while place.taken:
            if place.online and not told:
                told = True
                on_rival(place.rivalry(f"{config.host}:{config.port}"))
            word = await kept.next(None if place.online else _GONE_S)
            if word is None:
                return
            place.take(word)


class _Place:
    """Who has it, as far as the broker has told."""

    def __init__(self, topics: Topics, mark: Mark, *, began: bool) -> None:
        self._topics = topics
        self._mark = mark
        self._began = began
        self._about = b""
        self.taken = False
        self.online = False

    def take(self, message: aiomqtt.Message) -> None:
        payload = payload_of(message)
        topic = str(message.topic)
        if topic == self._topics.instance:
            self.taken = bool(payload) and not self._ours(Mark.parse(payload))
        elif topic == self._topics.service:
            self.online = payload == ONLINE.encode()
        elif topic == self._topics.about:
            self._about = payload

    def rivalry(self, where: str) -> LivecamError:
        called, node = _called(self._about), self._topics.node_id
        return LivecamError(
            ErrorKind.CONFLICT,
            f"another service{called} is connected to {where} with the node id {node!r}",
            "give each service a node.id and a data folder of its own; this one waits until the other is gone",
        )

    def _ours(self, other: Mark) -> bool:
        return other.run == self._mark.run or (not self._began and other.same_installation(self._mark))


def _called(about: bytes) -> str:
    """What the other one says of itself, for people: ` ('Barn', http://barn:8000/)`."""
    try:
        found = json.loads(about)
    except (ValueError, RecursionError):
        return ""
    said = (found.get("name"), found.get("url")) if isinstance(found, dict) else ()
    name, url = (text[:_LONGEST_NAME] if isinstance(text, str) else "" for text in (*said, "", "")[:2])
    words = ", ".join(filter(None, (repr(name) if name else "", url if url.isprintable() else "")))
    return f" ({words})" if words else ""
