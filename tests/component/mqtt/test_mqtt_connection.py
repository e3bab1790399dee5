"""The client of one connection, where it differs from the library's."""

import asyncio

import pytest

from livecam_nvr.config.models import MqttConfig
from livecam_nvr.mqtt.broker.connection import connected


async def test_a_cancellation_that_comes_with_an_answer_is_not_lost(broker):
    async with connected(MqttConfig(host="127.0.0.1", port=broker.port), "test") as client:
        answer = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(client._wait_for(answer, None))
        await asyncio.sleep(0)
        answer.set_result(None)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
