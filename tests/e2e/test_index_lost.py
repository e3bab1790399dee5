"""An index that is deleted or spoilt while the service runs: what it knew comes back without a restart."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from support.service import Service, small_camera
from support.waiting import until


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path, cameras=[small_camera("cam0")])
    await service.start()
    yield service
    await service.kill()


@pytest.mark.parametrize("how", ["deleted", "spoilt"])
async def test_what_was_recorded_and_told_is_there_again(service: Service, how: str) -> None:
    async def recorded(frames: int) -> bool:
        return bool((await service.camera("cam0"))["recording"]["frames"] > frames)

    await until(lambda: recorded(20))
    # Not by when the service was seen to run, which may be a while later: frames count where their file begins.
    began_s = (await service.camera("cam0"))["recording"]["since_utc_s"] - 0.5
    await service.post("/api/cameras/cam0/events", {"label": "motion", "state": "begin"})
    await service.post("/api/cameras/cam0/keep", {"before_s": 2, "after_s": 0})
    await service.post("/api/cameras/cam0/recording", {"on": False})
    seen = (await service.camera("cam0"))["frames"]

    async def more_frames() -> bool:
        return bool((await service.camera("cam0"))["frames"] > seen + 30)

    await until(more_frames, "two seconds that are not recorded")
    await service.post("/api/cameras/cam0/recording", {"on": True})
    await until(lambda: recorded(40))
    await service.post("/api/cameras/cam0/recording", {"on": False})
    await service.post("/api/cameras/cam0/events", {"label": "motion", "state": "end"})

    ended_s = time.time()

    async def timeline() -> dict[str, Any]:
        try:
            text = await service.get(f"/api/cameras/cam0/timeline?from={began_s:.3f}&to={ended_s:.3f}")
        except HTTPError as error:
            if error.code != 503:  # it is being made anew
                raise
            return {}
        return dict(json.loads(text))

    async def complete() -> dict[str, Any]:
        found = await timeline()
        written = (await service.camera("cam0"))["recording"]["frames"]
        # The index hears of everything in the background: of the last file, too.
        if not found or not found["clips"] or found["frames"] != written or len(found["spans"]) < 2:
            return {}
        return found if found["events"] and found["events"][0]["end_utc"] else {}

    before: Any = await until(complete)
    index = service.folder / "data" / "index.sqlite3"
    if how == "deleted":
        for file in index.parent.glob("index.sqlite3*"):
            file.unlink()
    else:
        for file in index.parent.glob("index.sqlite3*"):
            if not file.name.endswith("-shm"):
                with file.open("r+b") as opened:
                    opened.write(b"\xa5" * file.stat().st_size)

    async def as_before() -> bool:
        return await timeline() == before

    await until(as_before)
    assert "Traceback" not in service.read_log()
    # And so it stays: the new index is no empty one that merely has not been looked at.
    fresh = [line for line in service.read_log().splitlines() if "the index is complete again" in line]
    assert fresh, service.read_log()
