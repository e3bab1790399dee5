"""Brokers that say no, in ways that mosquitto cannot be made to: a few lines of MQTT 3.1.1 on a real socket."""

import asyncio
import contextlib

import pytest
from support.waiting import until

from livecam_nvr.config.models import MqttConfig, NodeConfig
from livecam_nvr.mqtt.checks import BrokerCheck

CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE = 1, 3, 8, 10
REFUSED_SUBSCRIPTION = 0x80


class Strict:
    """Answers CONNECT with `connack`, refuses every subscription, takes every message."""

    def __init__(self, connack: int) -> None:
        self.connack = connack
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readexactly(1))[0]
        size = shift = 0
        while True:
            byte = (await reader.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        body = await reader.readexactly(size)
        kind, qos = head >> 4, head >> 1 & 3
        if kind == CONNECT:
            writer.write(bytes([0x20, 2, 0, self.connack]))
        elif kind == SUBSCRIBE:
            writer.write(bytes([0x90, 3, *body[:2], REFUSED_SUBSCRIPTION]))
        elif kind == UNSUBSCRIBE:
            writer.write(bytes([0xB0, 2, *body[:2]]))
        elif kind == PUBLISH and qos:
            at = 2 + int.from_bytes(body[:2])
            writer.write(bytes([0x40, 2, *body[at : at + 2]]))


@pytest.fixture
async def strict(request):
    broker = Strict(request.param)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    yield broker
    server.close()


@pytest.mark.parametrize("strict", [0], indirect=True)
async def test_a_refused_subscription_is_a_fault_while_connected_and_doctor_says_it(homes, strict):
    home = homes(strict.port)
    await home.connected()
    await until(lambda: home.service.status().fault, what="a fault")
    assert home.service.status().connected
    assert "does not let us read" in home.service.status().fault.message
    (found,) = await BrokerCheck(
        MqttConfig(host="127.0.0.1", port=strict.port), NodeConfig(id="home", name="x")
    ).check()
    assert not found.ok
    assert "livecam-nvr/home/+/+/set" in found.found
    assert "access rules" in found.mend
    await home.service.stop()


@pytest.mark.parametrize(
    ("strict", "said"),
    [
        (2, "Client identifier not valid"),
        (3, "Server unavailable"),
        (4, "refuses the user 'me' or the password"),
        (5, "refuses the user 'me' or the password"),
    ],
    indirect=["strict"],
)
async def test_every_refusal_is_in_words(homes, strict, said):
    home = homes(strict.port, username="me", password="hunter2")
    await home.service.start()
    await until(lambda: home.service.status().fault, what="a fault")
    assert said in home.service.status().fault.message
    assert home.service.status().fault.hint
    await home.service.stop()
