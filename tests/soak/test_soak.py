"""Kills and restarts everything at random for minutes, and then compares what is claimed with what is on disk.

Not part of the usual run: `pytest -m soak tests/soak`. SOAK_MINUTES (5) says how long, SOAK_SEED what happens;
with an odd one files are merged into archives besides.
"""

import json
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.service import Service, small_camera
from support.soak_deeds import Deeds, Size
from support.soak_findings import command, everything, gaps_left, gaps_told
from support.waiting import until

MINUTES = float(os.environ.get("SOAK_MINUTES", "5"))
SEED = int(os.environ.get("SOAK_SEED", str(int(time.time()))))
# Of a service with four cameras; what it really takes is printed.
MOST_KIB = 120 * 1024
MOST_FDS = 60
MOST_THREADS = 30
# Files of ten seconds that began before are finished.
OVER_S = 15
pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[tuple[Service, Service]]:
    for name in ("far", "near"):
        (tmp_path / name).mkdir()
    far = Service(tmp_path / "far", cameras=[small_camera(f"s{at}", record=False) for at in range(2)])
    try:
        await far.start()  # first of all: its addresses hold a token that it does not have before
    except BaseException:
        await far.kill()
        raise
    away = [{"id": f"ip{at}", "kind": "rtsp", "url": far.rtsp(f"s{at}"), "stall_seconds": 2} for at in range(2)]
    near = Service(
        tmp_path / "near",
        cameras=[
            small_camera("cam0", stall_seconds=2),
            # A minute of it: what it deletes goes on record, and what is kept stays.
            small_camera("cam1", stall_seconds=2, retention={"max_size": 5_000_000}),
            *away,
        ],
        recording={"durability_seconds": 1, "archive_minutes": SEED % 2},
    )
    yield far, near
    for service in (near, far):
        if service.process is not None and service.process.poll() is None:
            await service.kill()


async def test_what_is_claimed_is_there_and_what_is_missing_has_a_cause(
    services: tuple[Service, Service], tmp_path: Path
) -> None:
    far, near = services
    print(f"SOAK_SEED={SEED} SOAK_MINUTES={MINUTES:g} in {tmp_path}")
    deeds = Deeds(far, near, random.Random(SEED))
    began_s = time.time()
    await deeds.start()
    await until(near.all_live)
    end_s = time.monotonic() + MINUTES * 60
    while time.monotonic() < end_s:
        await deeds.one()
    print(" ".join(deed.name for deed in deeds.done))
    await until(near.all_live, "all cameras come back")

    async def at_peace() -> bool:
        """Without a restart, the index has become what the files are."""
        return command(near, "verify", "--json").returncode == 0

    await until(at_peace, "the index is whole again")

    async def exported() -> bool:
        exports = json.loads(await near.get("/api/exports"))["exports"]
        return all(export["state"] in {"done", "failed", "cancelled"} for export in exports)

    await until(exported, "exports come to an end", within_s=120)
    listed = json.loads(await near.get("/api/clips"))["clips"]
    kept = {clip["id"] for clip in listed}
    ended_s = time.time()
    told = {
        camera["id"]: await gaps_told(near, camera["id"], began_s, ended_s - OVER_S) for camera in lasting(near)
    }
    await deeds.stop()
    deeds.save(tmp_path / "deeds.json")
    (tmp_path / "range.txt").write_text(f"{began_s!r} {ended_s!r}")
    wrong = [*deeds.wrong, *everything(near, deeds.done, began_s, ended_s), *_too_large(deeds.sizes)]
    for camera_id, live in told.items():
        left = gaps_left(near, camera_id, began_s, ended_s - OVER_S)
        wrong += [f"{camera_id}: the service tells {live}, what it left {left}"] if live != left else []
    wrong += [f"the clip {clip} is lost" for clip in deeds.clips.values() if clip["id"] not in kept]
    assert not wrong, f"SOAK_SEED={SEED}\n" + "\n".join(wrong)


def lasting(service: Service) -> list[dict[str, Any]]:
    """The cameras of which nothing is deleted meanwhile."""
    return [camera for camera in service.config["cameras"] if "retention" not in camera]


def _too_large(sizes: Sequence[Size]) -> list[str]:
    most = Size(*(max(getattr(size, name) for size in sizes) for name in ("age_s", "kib", "fds", "threads")))
    print(most)
    good = most.kib <= MOST_KIB and most.fds <= MOST_FDS and most.threads <= MOST_THREADS
    return [] if good else [f"it grew too large: {most}"]
