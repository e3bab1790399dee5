"""Recording switched over MQTT, and everything told to Home Assistant again when the broker comes back."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from support import clips
from support.mqtt import Listener, listen
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from support.broker import Broker

JPEG = b"\xff\xd8\xff"


async def switch_of(listener: Listener, camera_id: str) -> dict[str, str]:
    """The announced recording switch, once it is there; a service tries a broker that was away every 30 s."""
    found: dict[str, str] = {}

    def there() -> bool:
        nonlocal found
        with contextlib.suppress(AssertionError):
            found = listener.component(camera_id, "switch")
        return bool(found)

    await until(there, "discovery", within_s=2 * PATIENCE_S)
    return found


async def test_files_begin_and_end_where_the_switch_was_turned(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(
        cameras=[small_camera("cam0", record=False)],
        mqtt={"host": "127.0.0.1", "port": broker.port},
        recording={"segment_seconds": 3600},
    )
    async with listen(broker.port) as listener:
        await service.start()
        switch = await switch_of(listener, "cam0")
        await listener.until_topic(switch["state_topic"], b"OFF")
        await until_frames(service, 60)
        assert service.segments("cam0") == []

        on_frame = (await service.camera("cam0"))["frames"]
        await listener.client.publish(switch["command_topic"], b"ON", qos=1)
        await listener.until_topic(switch["state_topic"], b"ON")
        on_by_frame = (await service.camera("cam0"))["frames"]
        await until_frames(service, on_frame + 60)
        off_frame = (await service.camera("cam0"))["frames"]
        await listener.client.publish(switch["command_topic"], b"OFF", qos=1)
        await listener.until_topic(switch["state_topic"], b"OFF")
        off_by_frame = (await service.camera("cam0"))["frames"]

        async def finished() -> bool:
            found = await service.get("/api/cameras/cam0/recordings")
            return all(path.name.encode() in found for path in service.segments("cam0"))

        await until(finished)
        # One file; two where an hour ends meanwhile.
        paths = service.segments("cam0")
        sizes = [path.stat().st_size for path in paths]
        numbers = [number for path in paths for number in clips.frame_numbers(path)]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        # It begins with the newest keyframe that was in memory (a keyframe comes every second: 15 frames) ...
        assert on_frame - 16 <= numbers[0] <= on_by_frame
        assert numbers[0] % 15 == 0
        # ... and ends at once.
        assert off_frame - 2 <= numbers[-1] <= off_by_frame
        await until_frames(service, off_by_frame + 30)
        assert service.segments("cam0") == paths
        assert [path.stat().st_size for path in paths] == sizes


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
        await listener.until_topic(switch["state_topic"], b"ON")
        by = (await service.camera("cam0"))["frames"]
        await until_frames(service, at + 15)
        await service.stop()
        numbers = clips.frame_numbers(service.segments("cam0")[0])
        assert numbers[0] >= at - 4 * 15 - 16
        # Of what comes up to a second late, so much less lies in memory.
        assert service.was_late("cam0") or numbers[0] <= by - 3 * 15 + 3
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
        await listener.until_topic(switch["state_topic"], b"OFF")
        await service.stop()
        before = service.segments("cam1")
        await service.start()
        await until_frames(service, 30)
        recording = (await service.camera("cam1"))["recording"]
        assert recording["wanted"] is recording["active"] is False

        async def other_recorded() -> bool:
            return bool((await service.camera("cam0"))["recording"]["active"])

        await until(other_recorded, "the other camera is recorded")
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
            switch = await switch_of(listener, "cam0")
            await listener.until_topic(switch["state_topic"], b"ON")
            await until(lambda: len(listener.discovered()) == 3, "all announcements")
            await until(lambda: any(p[:3] == JPEG for p in listener.newest.values()), "a picture")
        broker.kill()
    assert await service.stop() == 0


async def until_frames(service: Service, count: int) -> None:
    """Waits until cam0 has delivered so many frames."""

    async def there() -> bool:
        return bool((await service.camera("cam0"))["frames"] >= count)

    await until(there, f"{count} frames")
