"""Recording switched over MQTT, and everything told to Home Assistant again when the broker comes back."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from support import clips
from support.mqtt import Listener, listen
from support.service import Service, small_camera
from support.waiting import until

if TYPE_CHECKING:
    from support.broker import Broker

JPEG = b"\xff\xd8\xff"


async def switch_of(listener: Listener, camera_id: str, timeout_s: float = 10) -> dict[str, str]:
    """The announced recording switch, once it is there."""
    await until(lambda: camera_id in str(listener.discovered()), "discovery", within_s=timeout_s)
    return listener.component(camera_id, "switch")


async def test_files_begin_and_end_where_the_switch_was_turned(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(
        cameras=[small_camera("cam0", record=False)],
        mqtt={"host": "127.0.0.1", "port": broker.port},
        recording={"segment_seconds": 3600},  # files end on the clock: a border within this test is rare
    )
    async with listen(broker.port) as listener:
        await service.start()
        switch = await switch_of(listener, "cam0")
        await listener.until_topic(switch["state_topic"], b"OFF")
        await until_frames(service, 60)
        assert service.segments("cam0") == []

        on_frame = (await service.camera("cam0"))["frames"]
        asked = time.monotonic()
        await listener.client.publish(switch["command_topic"], b"ON", qos=1)
        await listener.until_topic(switch["state_topic"], b"ON", 2)
        assert time.monotonic() - asked < 0.5
        await until_frames(service, on_frame + 60)
        off_frame = (await service.camera("cam0"))["frames"]
        await listener.client.publish(switch["command_topic"], b"OFF", qos=1)
        await listener.until_topic(switch["state_topic"], b"OFF", 2)

        async def finished() -> bool:
            return (await service.camera("cam0"))["recording"]["last_segment"] is not None

        await until(finished)
        (path,) = service.segments("cam0")
        size = path.stat().st_size
        numbers = clips.frame_numbers(path)
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        # It begins with the newest keyframe that was in memory (a keyframe comes every second: 15 frames) ...
        assert on_frame - 16 <= numbers[0] <= on_frame + 5
        assert numbers[0] % 15 == 0
        # ... and ends at once.
        assert off_frame - 2 <= numbers[-1] <= off_frame + 8
        await until_frames(service, off_frame + 30)
        assert path.stat().st_size == size
        assert service.segments("cam0") == [path]


async def test_pre_roll_reaches_back_into_memory(make_service: Callable[..., Service], broker: "Broker") -> None:
    service = make_service(
        cameras=[small_camera("cam0", record=False)],
        mqtt={"host": "127.0.0.1", "port": broker.port},
        recording={"segment_seconds": 60, "pre_roll_seconds": 4},
    )
    async with listen(broker.port) as listener:
        await service.start()
        switch = await switch_of(listener, "cam0")
        await until_frames(service, 100)
        at = (await service.camera("cam0"))["frames"]
        await listener.client.publish(switch["command_topic"], b"ON", qos=1)
        await listener.until_topic(switch["state_topic"], b"ON", 2)
        await until_frames(service, at + 15)
        await service.stop()
        numbers = clips.frame_numbers(service.segments("cam0")[0])
        assert at - 4 * 15 - 16 <= numbers[0] <= at - 4 * 15 + 3
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_the_switch_survives_a_restart_of_the_service(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port})
    async with listen(broker.port) as listener:
        await service.start()
        switch = await switch_of(listener, "cam1")
        await listener.until_topic(switch["state_topic"], b"ON")
        await listener.client.publish(switch["command_topic"], b"OFF", qos=1)
        await listener.until_topic(switch["state_topic"], b"OFF", 2)
        await service.stop()
        before = service.segments("cam1")
        await service.start()
        await until_frames(service, 30)
        recording = (await service.camera("cam1"))["recording"]
        assert recording["wanted"] is recording["active"] is False
        assert (await service.camera("cam0"))["recording"]["active"] is True
        assert service.segments("cam1") == before
        assert listener.newest[switch["state_topic"]] == b"OFF"


async def test_a_broker_that_comes_late_and_comes_back_hears_everything(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    broker.kill()
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port})
    await service.start()
    assert (await service.status())["broker"]["connected"] is False
    for _ in range(2):
        await broker.start()
        async with listen(broker.port) as listener:
            switch = await switch_of(listener, "cam0", 40)
            await listener.until_topic(switch["state_topic"], b"ON", 10)
            assert len(listener.discovered()) == 3
            await until(lambda: any(p[:3] == JPEG for p in listener.newest.values()), "a picture")
        broker.kill()
    assert await service.stop() == 0


async def until_frames(service: Service, count: int) -> None:
    """Waits until cam0 has delivered so many frames."""

    async def there() -> bool:
        return bool((await service.camera("cam0"))["frames"] >= count)

    await until(there, f"{count} frames")
