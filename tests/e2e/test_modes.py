"""Recording on events, and keeping what has just happened, with the whole service."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from support import clips
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

FPS = 15
POST_ROLL_S = 4
"""Longer than a busy machine mostly stands still between the end of an event and the next one."""


async def until_frames(service: Service, count: int) -> None:
    """Waits until cam0 has delivered so many frames."""

    async def there() -> bool:
        return bool((await service.camera("cam0"))["frames"] >= count)

    await until(there, f"{count} frames")


async def frames(service: Service) -> int:
    return int((await service.camera("cam0"))["frames"])


async def until_finished(service: Service, known: int = 0) -> list[dict[str, Any]]:
    """The files beside the first ones, which are known, once nothing is recorded and the index has them all; they
    are one more where the clock has begun another slot.
    """

    async def finished() -> list[dict[str, Any]]:
        if (await service.camera("cam0"))["recording"]["active"]:
            return []
        found = (await get(service, "/api/cameras/cam0/segments"))["segments"]
        return [dict(file) for file in found[known:]] if len(found) == len(service.segments("cam0")) else []

    found: Any = await until(finished, "finished files and no other")
    return list(found)


async def get(service: Service, path: str) -> dict[str, Any]:
    return dict(json.loads(await service.get(path)))


async def test_an_event_becomes_a_file_that_began_before_it(make_service: Callable[..., Service]) -> None:
    service = make_service(
        cameras=[small_camera("cam0")],
        recording={"segment_seconds": 3600, "event_pre_roll_seconds": 3, "event_post_roll_seconds": POST_ROLL_S},
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

    async def event(state: str) -> dict[str, Any]:
        answer = await service.post("/api/cameras/cam0/events", {"label": "motion", "state": state})
        return dict(answer["event"])

    first = await event("begin")
    await until_frames(service, begin + FPS)
    first = await event("end")
    await until_frames(service, begin + 2 * FPS)  # closer than the post-roll: the same file goes on
    second = await event("begin")
    await until_frames(service, begin + 3 * FPS)
    second = await event("end")
    files = await until_finished(service, len(before))
    if second["begin_utc_s"] - first["end_utc_s"] < POST_ROLL_S - 0.5:
        numbers = [n for path in service.segments("cam0") if path not in before for n in clips.frame_numbers(path)]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert {file["cause"] for file in files[:-1]} <= {"clock"}, "one file, but at the end of an hour"
    # From the keyframe before the pre-roll on; one comes each second.
    assert files[0]["start_utc_s"] <= first["begin_utc_s"] - 3 + 0.1
    if not service.was_late("cam0"):
        assert files[0]["start_utc_s"] >= first["begin_utc_s"] - 3 - 1.5
        assert files[-1]["start_utc_s"] + files[-1]["duration_s"] >= second["end_utc_s"] + POST_ROLL_S - 1.5

    cut_off = await service.post("/api/cameras/cam0/events", {"label": "person", "state": "begin"})
    await until_frames(service, await frames(service) + FPS)
    await service.kill()
    await service.start()

    async def over() -> bool:
        found = {e["id"]: e for e in (await get(service, "/api/cameras/cam0/events"))["events"]}
        return (
            len(found) == 3
            and found[first["id"]]["label"] == "motion"
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
    clip = await service.post("/api/cameras/cam0/keep", {"before_s": 4, "after_s": 2, "title": "a fox"})
    recording = (await service.camera("cam0"))["recording"]
    if time.time() < clip["end_utc_s"]:  # else the machine has stood still for so long
        assert (recording["wanted"], recording["active"], recording["idle"]) == (False, True, None)
        assert recording["keeping_until_utc_s"] == pytest.approx(clip["end_utc_s"], abs=0.01)
    files = await until_finished(service)
    recording = (await service.camera("cam0"))["recording"]
    assert (recording["idle"], recording["idle_by"]) == ("switched_off", "the config")
    numbers = [number for path in service.segments("cam0") for number in clips.frame_numbers(path)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert files[0]["start_utc_s"] <= clip["begin_utc_s"] + 0.1
    if not service.was_late("cam0"):
        assert files[0]["start_utc_s"] >= clip["begin_utc_s"] - 1.5
        assert files[-1]["start_utc_s"] + files[-1]["duration_s"] >= clip["end_utc_s"] - 0.1

    await service.stop()
    await service.start()
    assert (await get(service, "/api/clips"))["clips"] == [clip]
    removal = urllib.request.Request(
        f"{service.url}/api/clips/{clip['id']}", method="DELETE", headers=service.bearer
    )
    with urllib.request.urlopen(removal, timeout=PATIENCE_S) as answer:
        assert json.load(answer) == clip
    assert (await get(service, "/api/clips?camera=cam0"))["clips"] == []
    with pytest.raises(urllib.error.HTTPError, match="404"), urllib.request.urlopen(removal, timeout=PATIENCE_S):
        pass
