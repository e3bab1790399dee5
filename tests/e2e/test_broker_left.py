"""A broker that is taken out of the config of a running service, with a real broker."""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from support.mqtt import listen
from support.service import Service, small_camera
from support.waiting import until

if TYPE_CHECKING:
    from support.broker import Broker

ROOT = "livecam-nvr/livecam"


async def test_a_broker_that_is_taken_out_keeps_nothing(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port}, cameras=[small_camera("cam0")])
    async with listen(broker.port) as listener:
        await service.start()
        await listener.until_topic(f"{ROOT}/cam0/availability", b"online")
        assert sorted(listener.discovered()) == ["livecam-nvr_livecam", "livecam-nvr_livecam_cam0"]

        del service.config["mqtt"]
        config = service.folder / "config.yaml"
        await asyncio.to_thread(config.write_text, json.dumps(service.config))
        service.process.send_signal(signal.SIGHUP)
        await listener.until_topic(f"{ROOT}/instance", b"")  # goes last
        assert not (await service.status())["broker"]["configured"]
    async with listen(broker.port) as listener:
        await listener.client.publish("mark", b"behind all that is kept", qos=1)
        await until(lambda: "mark" in listener.newest, "all that is kept")
        assert set(listener.newest) == {"mark"}
    assert (await service.camera("cam0"))["state"] == "LIVE"
