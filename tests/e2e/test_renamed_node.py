"""A service that is killed, gets another name, or meets another one with its name, with a real broker."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from support.mqtt import listen
from support.service import Service, small_camera
from support.waiting import until

if TYPE_CHECKING:
    from support.broker import Broker

OLD, NEW = "livecam-nvr/livecam", "nvr/attic"


async def test_a_killed_service_that_comes_back_with_another_name_leaves_nothing_behind(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    mqtt = {"host": "127.0.0.1", "port": broker.port}
    service = make_service(mqtt=mqtt, cameras=[small_camera("cam0")])
    async with listen(broker.port) as listener:
        await service.start()
        await listener.until_topic(f"{OLD}/cam0/availability", b"online")
        await service.kill()
        await listener.until_topic(f"{OLD}/status", b"offline")  # its last will

        service.config["node"] = {"id": "attic"}
        service.config["mqtt"] = {**mqtt, "base_topic": "nvr"}
        await service.start()
        await listener.until_topic(f"{NEW}/cam0/availability", b"online")
        await listener.until_topic(f"{OLD}/instance", b"")  # goes last
    async with listen(broker.port) as listener:
        await listener.until_topic(f"{NEW}/cam0/availability", b"online")
        await listener.client.publish("mark", b"behind all that is kept", qos=1)
        await until(lambda: "mark" in listener.newest, "all that is kept")
        assert sorted(listener.discovered()) == ["livecam-nvr_attic", "livecam-nvr_attic_cam0"]
        assert not [topic for topic in listener.newest if topic.startswith(OLD)]


async def test_the_second_service_with_one_name_says_so_and_takes_over_when_the_first_is_gone(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    mqtt = {"host": "127.0.0.1", "port": broker.port}
    first, second = (
        make_service(mqtt=mqtt, cameras=[small_camera("cam0")], node={"name": name}) for name in ("House", "Barn")
    )
    async with listen(broker.port) as listener:
        await first.start()
        await listener.until_topic(f"{OLD}/status", b"online")
        await until(lambda: f"{OLD}/service" in listener.newest, "the first one's word")
        assert listener.json(f"{OLD}/service")["name"] == "House"
        await second.start()

        async def alarmed() -> bool:
            return any(alarm["kind"] == "broker" for alarm in (await second.status())["alarms"])

        await until(alarmed, "the alarm")
        status = await second.status()
        assert not status["broker"]["connected"]
        assert "another service ('House'" in status["broker"]["fault"]["message"]
        assert listener.json(f"{OLD}/service")["name"] == "House"
        await first.stop()
        await until(lambda: listener.json(f"{OLD}/service")["name"] == "Barn", "the second in its place")
        await listener.until_topic(f"{OLD}/status", b"online")

        async def calm() -> bool:
            return not any(alarm["kind"] == "broker" for alarm in (await second.status())["alarms"])

        await until(calm, "no alarm")
