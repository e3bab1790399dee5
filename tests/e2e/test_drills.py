"""Drills of test cameras, and what the service makes of them: states, gaps with their causes, files."""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from support import clips
from support.service import Service, small_camera
from support.waiting import until


async def recordings(service: Service, camera_id: str) -> list[dict[str, Any]]:
    """Finished recordings, oldest first."""
    found = json.loads(await service.get(f"/api/cameras/{camera_id}/recordings"))
    return list(reversed(found["recordings"]))


async def test_a_pulled_cable_leaves_a_gap_with_its_cause_and_a_jumping_clock_none(
    make_service: Callable[..., Service],
) -> None:
    cable = [{"what": "disconnect", "every_seconds": 12, "for_seconds": 2}]
    clock = [{"what": "clock_jump", "every_seconds": 5, "by_seconds": 3600}]
    cameras = [small_camera("cable", drills=cable), small_camera("clock", drills=clock)]
    service = make_service(cameras=cameras)
    await service.start()

    # It is away for two seconds only, which may pass between two looks: what it said of that lasts.
    await until(lambda: re.search(r"cable: .*drill", service.read_log()), "the cable to be pulled")
    assert re.search(r"cable: \w+ -> OFFLINE", service.read_log())

    async def finished() -> bool:
        cable_files = await recordings(service, "cable")
        both_sides = any(before["cause"] == "camera" for before in cable_files[:-1])
        return both_sides and len(await recordings(service, "clock")) >= 2

    await until(finished, "files on both sides of the gap")
    found = await recordings(service, "cable")
    gaps = [
        (before["cause"], after["start_utc_s"] - before["start_utc_s"] - before["duration_s"])
        for before, after in itertools.pairwise(found)
    ]
    # Where this looks late, it was pulled more than once; and a busy machine needs longer to be back.
    long = [(cause, length) for cause, length in gaps if length > 0.5]
    assert {cause for cause, _ in long} == {"camera"}
    assert min(length for _, length in long) >= 1
    assert [cause for cause, length in gaps if length <= 0.5] == ["clock"] * (len(gaps) - len(long))
    assert await service.stop() == 0

    files = service.segments("clock")
    numbers = [number for path in files for number in clips.frame_numbers(path)]
    assert numbers == list(range(len(numbers)))
    for path in files:
        probed = clips.probe(path)
        assert probed["format_duration"] == pytest.approx(probed["packets"] / 15, abs=0.6)  # type: ignore[operator]
