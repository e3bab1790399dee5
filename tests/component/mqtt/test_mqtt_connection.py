"""The client of one connection, where it differs from the library's; and what the broker keeps."""

import asyncio
import contextlib
import gc
import time

import aiomqtt
import pytest
from paho.mqtt import publish
from support.waiting import until

from livecam_nvr.config.models import MqttConfig
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.mqtt.broker.connection import connected
from livecam_nvr.mqtt.broker.fence import Kept


def config(port: int) -> MqttConfig:
    return MqttConfig(host="127.0.0.1", port=port)


async def test_a_cancellation_that_comes_with_an_answer_is_not_lost(broker):
    async with connected(config(broker.port), "test") as client:
        answer = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(client._wait_for(answer, None))
        await asyncio.sleep(0)
        answer.set_result(None)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


@pytest.mark.parametrize("ask", ["subscribe", "unsubscribe"])
async def test_an_answer_to_somebody_who_has_left_is_no_error(broker, caplog, ask):
    async with connected(config(broker.port), "test") as client:
        asking = asyncio.create_task(getattr(client, ask)("livecam-nvr/1"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await client.subscribe("livecam-nvr/2")  # the broker's answers come in order
    assert caplog.messages == []


@pytest.mark.parametrize("used", [False, True])
async def test_a_connection_that_ends_unseen_ends_in_silence(broker, used):
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["message"]))
    with contextlib.suppress(LivecamError):
        async with connected(config(broker.port), "test") as client:
            broker.kill()
            await until(client._disconnected.done, "the loss noticed")
            if used:
                await client.subscribe("livecam-nvr/1")
    del client
    gc.collect()
    assert told == []


async def test_what_the_broker_keeps_is_found_however_slow_this_machine_is(broker, ear):
    for number in range(5):
        await ear.say(f"kept/{number}", "x", retain=True)

    async def hold_up() -> None:
        """Each turn of the loop takes longer than what is waited for messages that come late."""
        while True:
            time.sleep(0.06)
            await asyncio.sleep(0)

    async with connected(config(broker.port), "test") as client:
        slow = asyncio.create_task(hold_up())
        found = await Kept(client).of(("kept/#",))
        slow.cancel()
    assert {str(message.topic) for message in found} == {f"kept/{number}" for number in range(5)}


async def test_a_message_that_came_before_the_patience_was_over_is_not_overlooked(broker):
    async with connected(config(broker.port), "test") as client:
        kept = Kept(client)
        assert await kept.of(("news/#",)) == []
        waiting = asyncio.create_task(kept.next(0.3))
        await asyncio.sleep(0.01)  # it waits
        publish.single("news/1", "x", hostname="127.0.0.1", port=broker.port)  # the loop stands still meanwhile
        time.sleep(0.5)  # and longer than it was to wait
        message = await waiting
        assert message is not None
        assert await kept.next(0.01) is None
        broker.kill()
        with pytest.raises(aiomqtt.MqttError):
            await kept.next(0.01)
