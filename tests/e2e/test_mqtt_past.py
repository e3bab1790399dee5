"""What Home Assistant can ask of the past, and is told about it, with the whole service and a real broker."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from support import clips
from support.mqtt import listen
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from support.broker import Broker

FPS = 15
BASE = "livecam-nvr/livecam/cam0"


async def frames(service: Service) -> int:
    return int((await service.camera("cam0"))["frames"])


async def until_frames(service: Service, count: int) -> None:
    """Waits until cam0 has delivered so many frames."""

    async def there() -> bool:
        return await frames(service) >= count

    await until(there, f"{count} frames")


async def recorded_after(service: Service, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files of cam0 besides those that are known, once none is being written and the index has all; where the
    clock begins a new minute they are two instead of one.
    """

    async def finished() -> list[dict[str, Any]]:
        if (await service.camera("cam0"))["recording"]["active"]:
            return []
        found = (await get(service, "/api/cameras/cam0/segments"))["segments"]
        return [dict(file) for file in found[len(known) :]] if len(found) == len(service.segments("cam0")) else []

    return await until(finished, "finished files")


async def get(service: Service, path: str) -> dict[str, Any]:
    return dict(json.loads(await service.get(path)))


def end_of(file: dict[str, Any]) -> float:
    """When its last picture is over, Unix seconds."""
    return float(file["start_utc_s"] + file["duration_s"])


def would_delete(service: Service) -> list[dict[str, Any]]:
    """What `livecam-nvr retention --dry-run` tells of a limit that leaves room for nothing."""
    argv = [sys.executable, "-m", "livecam_nvr", "retention", "--dry-run", "--json", "--max-size", "1"]
    argv += ["--config", str(service.folder / "config.yaml")]
    return list(json.loads(clips.run(*argv))["deletes"])


async def test_an_event_is_recorded_and_what_was_kept_stays(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(
        cameras=[small_camera("cam0", record_mode="events")],
        mqtt={"host": "127.0.0.1", "port": broker.port},
        recording={
            "segment_seconds": 60,
            "event_pre_roll_seconds": 3,
            "event_post_roll_seconds": 2,
            "keep_before_seconds": 2,
            "keep_after_seconds": 1,
        },
    )
    async with listen(broker.port) as listener:
        await service.start()
        await listener.until_topic(f"{BASE}/recording_mode", b"events")
        await until_frames(service, 5 * FPS)
        assert service.segments("cam0") == []

        await listener.client.publish(f"{BASE}/event/set", b"motion", qos=1)

        async def told() -> list[dict[str, Any]]:
            return list((await get(service, "/api/cameras/cam0/events"))["events"])

        (event,) = await until(told, "the event")
        of_event = await recorded_after(service, [])
        numbers = [number for path in service.segments("cam0") for number in clips.frame_numbers(path)]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert (event["label"], event["source"]) == ("motion", "mqtt")
        # From the keyframe before the pre-roll (one comes each second) to the end of the post-roll.
        assert event["begin_utc_s"] - of_event[0]["start_utc_s"] >= 2.7
        if not service.was_late("cam0"):
            assert event["begin_utc_s"] - of_event[0]["start_utc_s"] <= 5
            assert end_of(of_event[-1]) - event["begin_utc_s"] >= 2 - 1.3

        await until_frames(service, numbers[-1] + 4 * FPS)  # what is kept begins after that file
        button = listener.component("cam0", "button", "keep")
        await listener.client.publish(button["command_topic"], button["payload_press"], qos=1)

        async def clips_kept() -> list[dict[str, Any]]:
            return list((await get(service, "/api/clips"))["clips"])

        (clip,) = await until(clips_kept, "the clip")
        kept = await recorded_after(service, of_event)
        assert (clip["camera_id"], clip["by"]) == ("cam0", "MQTT")
        assert kept[0]["start_utc_s"] <= clip["begin_utc_s"] + 0.1
        (deletion,) = await asyncio.to_thread(would_delete, service)
        # Where the clock began a new minute, a file of what was kept may lie wholly after the clip.
        free = [
            file
            for file in of_event + kept
            if file["start_utc_s"] >= clip["end_utc_s"] or end_of(file) <= clip["begin_utc_s"]
        ]
        assert of_event == free[: len(of_event)]
        assert deletion["files"] == len(free)
        assert deletion["bytes"] == sum(file["bytes"] for file in free)


async def test_a_camera_that_stood_still_is_a_gap_with_its_cause(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(
        cameras=[small_camera("cam0", stall_seconds=8)], mqtt={"host": "127.0.0.1", "port": broker.port}
    )
    await service.start()
    await until_frames(service, 2 * FPS)
    told = await get(service, "/api/cameras/cam0/coverage")
    assert told["share_of_wanted"] == 1
    (child,) = service.children("testsrc2")
    os.kill(child, signal.SIGSTOP)

    await until(lambda: "stalled" in service.read_log(), "the camera given up")
    await until(service.all_live, "the camera back")

    async def gap() -> dict[str, Any] | None:
        gaps = (await get(service, "/api/cameras/cam0/coverage"))["gaps"]
        return next((dict(found) for found in gaps if not found["meant"]), None)

    found = await until(gap, "a gap that nobody meant")
    # What was recorded is looked at each minute, and when the broker is back.
    broker.kill()
    await broker.start()
    async with listen(broker.port, f"{BASE}/coverage") as listener:
        await until(
            lambda: listener.newest and listener.json(f"{BASE}/coverage")["gaps"],
            "what was recorded",
            within_s=2 * PATIENCE_S,
        )
        coverage = listener.json(f"{BASE}/coverage")
    assert max(coverage["hour"], coverage["of_wanted"]) < 100
    assert coverage["gaps"] == 1
    assert coverage["last_gap"]["cause"] == found["cause"] == "camera"
    assert "stalled" in coverage["last_gap"]["words"]
    assert coverage["last_gap"]["words"] == found["text"]
