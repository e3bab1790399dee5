"""A real MQTT client that remembers what it saw."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
from support.waiting import PATIENCE_S, until


class Listener:
    """The newest payload of every topic, and all of them in order."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.newest: dict[str, bytes] = {}
        self.seen: list[tuple[str, bytes]] = []

    def json(self, topic: str) -> Any:
        """A topic's newest payload as JSON."""
        return json.loads(self.newest[topic])

    def discovered(self) -> dict[str, Any]:
        """Discovery messages by object id."""
        return {
            topic.split("/")[2]: json.loads(payload)
            for topic, payload in self.newest.items()
            if topic.startswith("homeassistant/device/") and payload
        }

    def component(self, camera_id: str, platform: str, needle: str = "") -> dict[str, Any]:
        """A camera's announced component of `platform` whose unique id holds `needle`."""
        for device in self.discovered().values():
            for component in device["components"].values():
                unique = component.get("unique_id", "")
                if component.get("platform") == platform and f"_{camera_id}_" in unique and needle in unique:
                    return dict(component)
        raise AssertionError(f"no {platform} {needle} of {camera_id} among {self.discovered()}")

    async def until_topic(self, topic: str, payload: bytes, timeout_s: float = PATIENCE_S) -> None:
        """Waits until the newest payload of `topic` is `payload`."""
        await until(lambda: self.newest.get(topic) == payload, f"{topic} = {payload!r}", within_s=timeout_s)


@asynccontextmanager
async def listen(port: int, *topics: str) -> AsyncIterator[Listener]:
    """Subscribes to `topics` (everything if none) at a broker on loopback."""
    async with aiomqtt.Client("127.0.0.1", port, timeout=PATIENCE_S) as client:
        for topic in topics or ("#",):
            await client.subscribe(topic, qos=1)
        listener = Listener(client)

        async def take() -> None:
            async for message in client.messages:
                payload = bytes(message.payload) if isinstance(message.payload, bytes | bytearray) else b""
                listener.newest[message.topic.value] = payload
                listener.seen.append((message.topic.value, payload))

        task = asyncio.create_task(take())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
