"""The service on a machine whose clock is wrong, is set, or passes from summer to winter time."""

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.clock_shim import ClockShim, compiled
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

NS = 1_000_000_000
MakeService = Callable[..., Service]
NAME = re.compile(r"(cam\d)_(\d{8}_\d{6})(?:-(\d+))?\.mp4")


@pytest.fixture
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.getbasetemp())


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def rows(service: Service, camera: str) -> list[dict[str, Any]]:
    """What the index knows of a camera, in the order of time."""
    (path,) = service.folder.rglob("index.sqlite3")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        found = database.execute("SELECT * FROM segment WHERE camera_id = ? ORDER BY start_utc_ns", (camera,))
        return [dict(row) for row in found]


def numbers_of(service: Service, paths: list[str]) -> list[int]:
    """The numbers burnt into the pictures of several files."""
    return [number for path in paths for number in clips.frame_numbers(service.recordings / path)]


async def test_a_machine_without_a_clock_gets_true_times_once_it_is_set(
    make_service: MakeService, shim: Path
) -> None:
    service = make_service()
    clock = ClockShim(service.folder, shim, 300.0)
    service.env = clock.env
    before_ns = time.monotonic_ns()
    await service.start()
    live_ns = time.monotonic_ns()
    await until(lambda: all(len(service.segments(c)) >= 2 for c in ("cam0", "cam1")), "a border")
    assert all(
        path.name.startswith(f"{path.parents[1].name}_19700101_00") for path in service.recordings.rglob("*.mp4")
    )
    status = (await service.status())["clock"]
    assert not status["synchronised"]
    # Whatever the first service has left unfinished is of the same time without a clock.
    await service.kill()
    await service.start()

    async def recorded() -> bool:
        return all([(await service.camera(camera))["recording"]["frames"] > 30 for camera in ("cam0", "cam1")])

    await until(recorded)
    clock.set(utc("2026-11-21 10:00:03.5"), synchronised=True)
    wrong = service.recordings / "cam0" / "700101"

    async def redated() -> bool:
        found = [row for c in ("cam0", "cam1") for row in rows(service, c)]
        return len(found) >= 6 and not any(row["unsynced"] for row in found) and not wrong.exists()

    await until(redated, "everything re-dated", within_s=2 * PATIENCE_S)

    async def is_right() -> bool:
        return bool((await service.status())["clock"] == {"synchronised": True, "warning": ""})

    await until(is_right, "nothing to say of the clock")
    answer = json.loads(await service.get("/api/cameras/cam0/recordings"))
    assert await service.stop() == 0

    # What comes late is found out to be of another time than was thought, but not of another year.
    on_time = not any(service.was_late(camera) for camera in ("cam0", "cam1"))
    assert "1970" not in json.dumps(answer)
    assert not list(service.recordings.glob("*/7001*"))
    for camera in ("cam0", "cam1"):
        found = rows(service, camera)
        assert sorted(row["path"] for row in found) == [
            path.relative_to(service.recordings).as_posix() for path in service.segments(camera)
        ]
        moved = [row for row in found if row["shift_ns"]]
        assert len(moved) >= 2
        shifts = [row["shift_ns"] for row in moved]
        assert max(shifts) - min(shifts) < NS // 10
        for row in found:
            start = datetime.fromtimestamp(row["start_utc_ns"] // NS, UTC)
            assert row["path"].startswith(f"{camera}/{start:%y%m%d}/{camera}_{start:%Y%m%d_%H%M%S}")
            tags = json.loads(
                clips.run(
                    "ffprobe", "-v", "error", "-show_format", "-of", "json", str(service.recordings / row["path"])
                )
            )["format"]["tags"]
            assert tags["creation_time"] == f"{start:%Y-%m-%dT%H:%M:%S}.000000Z"
        runs = [list(group) for _, group in groupby(found, key=lambda row: row["run_id"])]
        assert len(runs) == 2, "they are in order"
        for run in runs:
            # Each file begins where the one before it ended, over the step of 56 years, too.
            for earlier, later in pairwise(run):
                assert later["start_utc_ns"] == pytest.approx(
                    earlier["start_utc_ns"] + earlier["duration_ns"], abs=2 * NS if on_time else 5 * NS
                )
            numbers = numbers_of(service, [row["path"] for row in run])
            assert numbers == list(range(len(numbers)))
        # The test picture's first frame was made when the service said that it was LIVE.
        began, was_live = [clock.now_ns() - (time.monotonic_ns() - at_ns) for at_ns in (before_ns, live_ns)]
        assert began - NS <= found[0]["start_utc_ns"] <= was_live + NS


async def test_summer_time_begins_and_ends_and_nothing_is_lost_or_overwritten(
    make_service: MakeService, shim: Path
) -> None:
    async def record(begin: str, leap: str, *, twice: bool) -> list[dict[str, Any]]:
        """The index of what was recorded from `begin` on. The clock is set on to `leap` after the first border;
        the end is some seconds after the next hour, with `twice` an hour after that border.
        """
        service = make_service(cameras=[small_camera("cam0")])
        clock = ClockShim(service.folder, shim, utc(begin), zone="Europe/Berlin")
        clock.set(utc(begin), synchronised=True)
        service.env = clock.env
        await service.start()
        await until(lambda: len(rows(service, "cam0")) >= 1, "a border")
        first_s = rows(service, "cam0")[-1]
        border_s = (first_s["start_utc_ns"] + first_s["duration_ns"]) / NS
        clock.set(utc(leap), synchronised=True)
        hour_s = utc(leap) // 3600 * 3600 + 3600
        end_s = max(hour_s, border_s + 3600 if twice else 0) + 12
        known = len(rows(service, "cam0"))
        await until(
            lambda: clock.now_ns() > end_s * NS and len(rows(service, "cam0")) > known,
            "the end",
            within_s=2 * PATIENCE_S,
        )
        assert await service.stop() == 0
        found = rows(service, "cam0")
        assert len(found) == len(service.segments("cam0"))
        numbers = numbers_of(service, [row["path"] for row in found])
        assert numbers == list(range(len(numbers)))
        for row in found:
            local = datetime.fromtimestamp(row["start_utc_ns"] // NS, UTC) + timedelta(seconds=row["utc_offset_s"])
            name = NAME.fullmatch(Path(row["path"]).name)
            assert name is not None
            assert name[2] == f"{local:%Y%m%d_%H%M%S}"
        return found

    spring, autumn = await asyncio.gather(
        record("2026-03-29 00:30:03", "2026-03-29 00:59:57", twice=False),
        record("2026-10-25 00:00:03", "2026-10-25 00:59:57", twice=True),
    )
    assert [row["utc_offset_s"] for row in spring] == sorted(row["utc_offset_s"] for row in spring)
    assert {row["utc_offset_s"] for row in spring} == {3600, 7200}
    # The hour from two to three is left out.
    assert {Path(row["path"]).name[14:16] for row in spring} == {"01", "03"}
    assert "_20260329_0300" in next(row for row in spring if row["utc_offset_s"] == 7200)["path"]
    # The hour from two to three comes twice: what was recorded the second time has names of its own.
    offsets = [row["utc_offset_s"] for row in autumn]
    assert offsets == sorted(offsets, reverse=True)
    assert set(offsets) == {7200, 3600}
    names = [Path(row["path"]).name for row in autumn]
    twice = [name for name in names if name.endswith("-1.mp4")]
    assert twice
    for name in twice:
        assert names.index(name.replace("-1.mp4", ".mp4")) < names.index(name)


async def test_a_second_service_on_the_same_folder_is_told_who_has_it(make_service: MakeService) -> None:
    first = make_service(cameras=[small_camera("cam0")])
    await first.start()
    second = make_service(cameras=[small_camera("cam0")], recording={"path": str(first.recordings)})
    await second.start(wait=False)
    assert second.process is not None
    assert await asyncio.to_thread(second.process.wait, PATIENCE_S) not in (0, None)
    assert first.process is not None
    said = second.read_log()
    assert f"another livecam-nvr service already records into {first.recordings}" in said
    assert str(first.process.pid) in said
    assert "recording.path" in said
    assert "Traceback" not in said
    assert (await first.camera("cam0"))["recording"]["active"]
