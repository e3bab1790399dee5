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
from support.waiting import until

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
    await service.start()
    live_ns = time.monotonic_ns()
    await until(lambda: all(len(service.segments(c)) >= 2 for c in ("cam0", "cam1")), "a border", within_s=40)
    assert all(
        path.name.startswith(f"{path.parents[1].name}_19700101_0005") for path in service.recordings.rglob("*.mp4")
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

    await until(redated, "everything re-dated", within_s=40)
    assert (await service.status())["clock"] == {"synchronised": True, "warning": ""}
    answer = json.loads(await service.get("/api/cameras/cam0/recordings"))
    assert await service.stop() == 0

    assert "1970" not in json.dumps(answer)
    assert not list(service.recordings.glob("*/7001*"))
    for camera in ("cam0", "cam1"):
        found = rows(service, camera)
        assert sorted(row["path"] for row in found) == [
            path.relative_to(service.recordings).as_posix() for path in service.segments(camera)
        ]
        moved = [row for row in found if row["shift_ns"]]
        assert len(moved) >= 2
        assert {round(row["shift_ns"] / NS, 1) for row in moved} == {round(moved[0]["shift_ns"] / NS, 1)}
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
                    earlier["start_utc_ns"] + earlier["duration_ns"], abs=NS // 2
                )
            numbers = numbers_of(service, [row["path"] for row in run])
            assert numbers == list(range(len(numbers)))
        # The test picture's first frame was made when the service said that it was LIVE.
        first_live = clock.now_ns() - (time.monotonic_ns() - live_ns)
        assert found[0]["start_utc_ns"] == pytest.approx(first_live, abs=NS)


async def test_summer_time_begins_and_ends_and_nothing_is_lost_or_overwritten(
    make_service: MakeService, shim: Path
) -> None:
    async def record(begin: str, leap: str | None, end: str) -> list[dict[str, Any]]:
        """The index of what was recorded from `begin` on; the clock is set on to `leap` after the first border."""
        service = make_service(cameras=[small_camera("cam0")])
        clock = ClockShim(service.folder, shim, utc(begin), zone="Europe/Berlin")
        clock.set(utc(begin), synchronised=True)
        service.env = clock.env
        await service.start()
        if leap:
            await until(lambda: len(service.segments("cam0")) >= 2, "a border", within_s=30)
            clock.set(utc(leap), synchronised=True)
        await until(
            lambda: clock.now_ns() > utc(end) * NS and len(rows(service, "cam0")) >= 2, "the end", within_s=60
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
        record("2026-03-29 00:59:52", None, "2026-03-29 01:00:12"),
        record("2026-10-25 00:00:03", "2026-10-25 00:59:57", "2026-10-25 01:00:22"),
    )
    assert [row["utc_offset_s"] for row in spring] == [3600, *[7200] * (len(spring) - 1)]
    assert len(spring) >= 2
    assert "_20260329_030000" in spring[1]["path"]
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
    assert await asyncio.to_thread(second.process.wait, 20) not in (0, None)
    assert first.process is not None
    said = second.read_log()
    assert f"another livecam-nvr service already records into {first.recordings}" in said
    assert str(first.process.pid) in said
    assert "recording.path" in said
    assert "Traceback" not in said
    assert (await first.camera("cam0"))["recording"]["active"]
