"""Kills and restarts everything at random for minutes, and then compares what is claimed with what is on disk.

Not part of the usual run: `pytest -m soak tests/soak`. SOAK_MINUTES (5) says how long, SOAK_SEED what happens.
"""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest
from support import clips
from support.service import ROOT, Service, kill, small_camera
from support.waiting import until

MINUTES = float(os.environ.get("SOAK_MINUTES", "5"))
SEED = int(os.environ.get("SOAK_SEED", str(int(time.time()))))
# A frame more or less at an edge; the test pictures have 15 a second.
SLACK_S = 0.2
pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


class Mischief:
    """Two services, one of which plays IP cameras for the other, and what can happen to them."""

    def __init__(self, far: Service, near: Service, dice: random.Random) -> None:
        self.far = far
        self.near = near
        self.dice = dice
        self.done: list[str] = []
        deeds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (4, self.kill_service),
            (2, self.stop_service),
            (6, self.kill_ffmpeg),
            (4, self.freeze_ffmpeg),
            (3, self.kill_media_server),
            (4, self.switch),
            (2, self.keep),
            (2, self.event),
            (2, self.kill_cameras),
            (1, self.delete_index),
            (1, self.spoil_index),
            (1, self.tear_file),
        ]
        self._deeds = [deed for weight, deed in deeds for _ in range(weight)]

    async def one(self) -> None:
        """Does something, and waits a while."""
        deed = self.dice.choice(self._deeds)
        self.done.append(deed.__name__)
        await deed()
        await asyncio.sleep(self.dice.uniform(1, 9))  # the soak's own rhythm: nothing is waited for

    async def kill_service(self) -> None:
        await self.near.kill()
        await asyncio.sleep(self.dice.uniform(0, 4))
        await self.near.start(wait=False)

    async def stop_service(self) -> None:
        await self.near.stop()
        await asyncio.sleep(self.dice.uniform(0, 4))
        await self.near.start(wait=False)

    async def kill_ffmpeg(self) -> None:
        for pid in self._some("ffmpeg"):
            kill(pid)

    async def freeze_ffmpeg(self) -> None:
        frozen = self._some("ffmpeg")
        for pid in frozen:
            kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self.dice.uniform(0.2, 8))
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def kill_media_server(self) -> None:
        for pid in self.near.children("gst_child"):
            kill(pid)

    async def switch(self) -> None:
        camera = self.dice.choice(["cam0", "ip1"])
        for on in (False, True):
            await self._ask(self.near.post(f"/api/cameras/{camera}/recording", {"on": on}))
            await asyncio.sleep(self.dice.uniform(0.1, 3))

    async def keep(self) -> None:
        await self._ask(self.near.post("/api/cameras/ip0/keep", {"before_s": 5, "after_s": 3}))

    async def event(self) -> None:
        await self._ask(self.near.post("/api/cameras/cam1/events", {"label": "motion", "state": "moment"}))

    async def kill_cameras(self) -> None:
        await self.far.kill()
        await asyncio.sleep(self.dice.uniform(0, 6))
        await self.far.start(wait=False)

    async def delete_index(self) -> None:
        for file in self.near.folder.glob("data/index.sqlite3*"):
            file.unlink(missing_ok=True)

    async def spoil_index(self) -> None:
        await self.near.kill()
        index = self.near.folder / "data" / "index.sqlite3"
        if index.exists():
            with index.open("r+b") as file:
                file.seek(self.dice.randrange(max(1, index.stat().st_size)))
                file.write(self.dice.randbytes(3000))
        await self.near.start(wait=False)

    async def tear_file(self) -> None:
        """As a power cut does: the newest file of a camera is cut off anywhere in its last 20 000 bytes."""
        await self.near.kill()
        files = self.near.segments("cam1")
        if files:
            size = files[-1].stat().st_size
            os.truncate(files[-1], max(0, size - self.dice.randrange(20_000)))
        await self.near.start(wait=False)

    def _some(self, needle: str) -> list[int]:
        found = self.near.children(needle)
        return self.dice.sample(found, self.dice.randint(1, len(found))) if found else []

    async def _ask(self, request: Awaitable[Any]) -> None:
        with contextlib.suppress(HTTPError, URLError, OSError):  # it may be away just now
            await request


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[tuple[Service, Service]]:
    for name in ("far", "near"):
        (tmp_path / name).mkdir()
    far = Service(tmp_path / "far", cameras=[small_camera(f"s{at}", record=False) for at in range(2)])
    away = [{"id": f"ip{at}", "kind": "rtsp", "url": far.rtsp(f"s{at}"), "stall_seconds": 2} for at in range(2)]
    near = Service(
        tmp_path / "near",
        cameras=[small_camera("cam0", stall_seconds=2), small_camera("cam1", stall_seconds=2), *away],
        recording={"durability_seconds": 1},
    )
    yield far, near
    for service in (near, far):
        if service.process is not None and service.process.poll() is None:
            await service.kill()


async def test_what_is_claimed_is_there_and_what_is_missing_has_a_cause(services: tuple[Service, Service]) -> None:
    far, near = services
    dice = random.Random(SEED)
    print(f"SOAK_SEED={SEED} SOAK_MINUTES={MINUTES:g}")
    await far.start()
    began_s = time.time()
    await near.start()
    mischief = Mischief(far, near, dice)
    end_s = time.monotonic() + MINUTES * 60
    while time.monotonic() < end_s:
        await mischief.one()
    print(" ".join(mischief.done))
    if near.process is not None and near.process.poll() is None:
        await near.stop()
    await far.stop()
    await far.start()
    await near.start()

    async def reconciled() -> bool:
        return "reconcil" not in json.dumps(await near.status())

    await until(reconciled, 30)
    ended_s = time.time()
    await near.stop()
    _verify(near)
    failures = [
        line for camera in near.config["cameras"] for line in _compare(near, camera["id"], began_s, ended_s)
    ]
    assert not failures, f"SOAK_SEED={SEED}\n" + "\n".join(failures)


def _verify(service: Service) -> None:
    checked = _command(service, "verify", "--full", "--json")
    assert checked.returncode == 0, f"SOAK_SEED={SEED}\n{checked.stdout}\n{checked.stderr}"


def _command(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "livecam_nvr", *words, "--config", str(service.folder / "config.yaml")]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)


def _compare(service: Service, camera_id: str, began_s: float, ended_s: float) -> list[str]:
    """What is wrong with a camera's ledger, compared with the numbers in the pictures of its files."""
    words = ("coverage", "--camera", camera_id, "--from", f"{began_s:.3f}", "--to", f"{ended_s:.3f}", "--json")
    told = _command(service, *words)
    if told.returncode:
        return [f"{camera_id}: {told.stderr}"]
    (coverage,) = json.loads(told.stdout)["cameras"]
    failures = [
        f"{camera_id}: nothing explains the gap {gap['begin_utc']} to {gap['end_utc']}"
        for gap in coverage["gaps"]
        if gap["cause"] == "unknown"
    ]
    frames = 0
    for path in service.segments(camera_id):
        numbers = clips.frame_numbers(path)
        frames += len(numbers)
        if any(b != a + 1 for a, b in itertools.pairwise(numbers)):
            jumps = [(a, b) for a, b in itertools.pairwise(numbers) if b != a + 1]
            if not _explained(path, jumps, coverage):
                failures.append(f"{camera_id}: {path.name} lacks frames inside: {jumps[:5]}")
    if frames != coverage["frames"]:
        failures.append(f"{camera_id}: {coverage['frames']} frames are claimed, {frames} are there")
    spans = sorted((span["begin_utc_s"], span["end_utc_s"]) for span in coverage["spans"])
    failures += [f"{camera_id}: footage overlaps at {b}" for (_, a), (b, _) in itertools.pairwise(spans) if b < a]
    claimed_s, there_s = sum(end - begin for begin, end in spans), frames / 15
    if abs(claimed_s - there_s) > SLACK_S * (len(spans) + 1) + 0.01 * there_s:
        failures.append(f"{camera_id}: {claimed_s:.1f} s are claimed, there are {there_s:.1f} s")
    return failures


def _explained(path: Path, jumps: list[tuple[int, int]], coverage: dict[str, Any]) -> bool:
    """Whether each place where frames are missing inside a file is a gap on record."""
    inside = [gap for gap in coverage["gaps"] if gap["cause"] in {"camera", "encoder"}]
    return len(jumps) <= len(inside) and path.exists()
