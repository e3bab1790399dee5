"""Finds out, beside the door, whether another service has taken our node id, and waits until it is gone."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable

import aiomqtt

from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.connection import connected
from livecam_nvr.mqtt.entities import ONLINE
from livecam_nvr.mqtt.topics import Topics

_FIRST_WORD_S = 0.5
_GONE_S = 3.0


async def keep_clear(
    config: MqttConfig, topics: Topics, instance: bytes, on_rival: Callable[[LivecamError], None]
) -> None:
    """Returns when nobody but `instance` holds our place on the broker.

    Two services with one client identifier would throw each other out for ever. So whoever lost its connection
    looks first, under a name of its own, whose mark the broker keeps. If it is another's who is online, that one
    stays, and `on_rival` is told; our place is free again when it has been offline for a few seconds.

    Raises:
        LivecamError: If the broker cannot be reached or goes away.
    """
    watcher = f"{topics.client_id}-waits-{secrets.token_hex(4)}"
    async with connected(config, watcher) as client:
        messages = aiter(client.messages)
        await client.subscribe(topics.instance, qos=1)
        mark = await _next(messages, _FIRST_WORD_S)
        if mark is None or mark.payload == instance:
            return
        await client.subscribe(topics.service, qos=1)
        online = told = False
        while True:
            word = await _next(messages, None if online else _GONE_S)
            if word is None:
                return
            if str(word.topic) == topics.service:
                online = word.payload == ONLINE.encode()
            if online and not told:
                told = True
                on_rival(_rivalry(config, topics))


async def _next(messages: AsyncIterator[aiomqtt.Message], patience_s: float | None) -> aiomqtt.Message | None:
    try:
        async with asyncio.timeout(patience_s):
            return await anext(messages)
    except TimeoutError:
        return None


def _rivalry(config: MqttConfig, topics: Topics) -> LivecamError:
    return LivecamError(
        ErrorKind.CONFLICT,
        f"another service has connected to {config.host}:{config.port} with the node id {topics.node_id!r}",
        "give each service a node.id of its own; this one waits until the other is gone",
    )
