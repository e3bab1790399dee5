"""Recording on events, and keeping what has just happened, with the whole service."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from support import clips
from support.service import Service, small_camera
from support.waiting import until

FPS = 15


async def until_frames(service: Service, count: int) -> None:
    """Waits until cam0 has delivered so many frames."""

    async def there() -> bool:
        return bool((await service.camera("cam0"))["frames"] >= count)

    await until(there, f"{count} frames")


async def frames(service: Service) -> int:
    return int((await service.camera("cam0"))["frames"])


async def until_finished(service: Service) -> None:
    async def finished() -> bool:
        recording = (await service.camera("cam0"))["recording"]
        return recording["last_segment"] is not None and not recording["active"]

    await until(finished, "a finished file and no other")


async def get(service: Service, path: str) -> dict[str, Any]:
    return dict(json.loads(await service.get(path)))


async def test_an_event_becomes_a_file_that_began_before_it(make_service: Callable[..., Service]) -> None:
    service = make_service(
        cameras=[small_camera("cam0")],
        # Files end on the clock: a border within this test is rare.
        recording={"segment_seconds": 3600, "event_pre_roll_seconds": 3, "event_post_roll_seconds": 2},
    )
    await service.start()
    chosen = await service.post("/api/cameras/cam0/mode", {"mode": "events"})
    assert (chosen["mode"], chosen["idle"], chosen["active"]) == ("events", "no_event", False)
    await service.stop()
    before = set(service.segments("cam0"))
    await service.start()
    recording = (await service.camera("cam0"))["recording"]
    assert (recording["mode"], recording["idle"]) == ("events", "no_event"), "it is remembered"
    await until_frames(service, 6 * FPS)
    assert set(service.segments("cam0")) == before

    begin = await frames(service)
    event = {"label": "motion"}
    first = await service.post("/api/cameras/cam0/events", {**event, "state": "begin"})
    await until_frames(service, begin + FPS)
    await service.post("/api/cameras/cam0/events", {**event, "state": "end"})
    await until_frames(service, begin + 2 * FPS)  # closer than the post-roll: the same file goes on
    await service.post("/api/cameras/cam0/events", {**event, "state": "begin"})
    await until_frames(service, begin + 3 * FPS)
    end = await frames(service)
    await service.post("/api/cameras/cam0/events", {**event, "state": "end"})
    await until_finished(service)
    (path,) = set(service.segments("cam0")) - before
    numbers = clips.frame_numbers(path)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    # A keyframe comes each second.
    assert begin - 4 * FPS - 3 <= numbers[0] <= begin - 3 * FPS + 5
    assert end + 2 * FPS - 5 <= numbers[-1] <= end + 2 * FPS + 10

    cut_off = await service.post("/api/cameras/cam0/events", {"label": "person", "state": "begin"})
    await until_frames(service, await frames(service) + FPS)
    await service.kill()
    await service.start()

    async def over() -> bool:
        found = {e["id"]: e for e in (await get(service, "/api/cameras/cam0/events"))["events"]}
        return (
            len(found) == 3
            and found[first["event"]["id"]]["label"] == "motion"
            and found[cut_off["event"]["id"]]["end_utc_s"] is not None
            and found[cut_off["event"]["id"]]["end_utc_s"] >= cut_off["event"]["begin_utc_s"] + 0.5
        )

    await until(over, "the event that the kill cut off is over")


async def test_what_has_just_happened_is_kept_although_nothing_is_recorded(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(
        cameras=[small_camera("cam0", record=False)],
        recording={"segment_seconds": 60, "event_pre_roll_seconds": 4},
    )
    await service.start()
    await until_frames(service, 7 * FPS)
    assert service.segments("cam0") == []
    at = await frames(service)
    clip = await service.post("/api/cameras/cam0/keep", {"before_s": 4, "after_s": 2, "title": "a fox"})
    recording = (await service.camera("cam0"))["recording"]
    assert (recording["wanted"], recording["active"], recording["idle"]) == (False, True, None)
    assert recording["keeping_until_utc_s"] == pytest.approx(clip["end_utc_s"], abs=0.01)
    await until_finished(service)
    recording = (await service.camera("cam0"))["recording"]
    assert (recording["idle"], recording["idle_by"]) == ("switched_off", "the config")
    numbers = [number for path in service.segments("cam0") for number in clips.frame_numbers(path)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert at - 5 * FPS - 3 <= numbers[0] <= at - 4 * FPS + 5
    assert at + 2 * FPS <= numbers[-1] <= at + 3 * FPS + 12
    files = (await get(service, f"/api/cameras/cam0/segments?from={clip['begin_utc_s'] - 60}"))["segments"]
    assert files[0]["start_utc_s"] <= clip["begin_utc_s"] + 0.1
    assert files[-1]["start_utc_s"] + files[-1]["duration_s"] >= clip["end_utc_s"]

    await service.stop()
    await service.start()
    assert (await get(service, "/api/clips"))["clips"] == [clip]
    removal = urllib.request.Request(
        f"{service.url}/api/clips/{clip['id']}", method="DELETE", headers=service.bearer
    )
    with urllib.request.urlopen(removal, timeout=10) as answer:
        assert json.load(answer) == clip
    assert (await get(service, "/api/clips?camera=cam0"))["clips"] == []
    with pytest.raises(urllib.error.HTTPError, match="404"), urllib.request.urlopen(removal, timeout=10):
        pass
