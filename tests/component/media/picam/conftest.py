"""Virtual Raspberry Pi cameras, opened as the service opens real ones."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support.virtual_cameras import virtual_path

from livecam_nvr.media.picam.process import PicameraChild
from livecam_nvr.runtime.clock import SystemClock

OpenCamera = Callable[..., Awaitable[PicameraChild]]


class SensorLog:
    """What the sensors have sent and the controls that they got."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self, model: str) -> list[dict[str, Any]]:
        """All lines about one camera."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["model"] == model]

    def frames_us(self, model: str) -> list[int]:
        """The sensor's times of all frames that the child got."""
        return [entry["frame"] // 1000 for entry in self.entries(model) if "frame" in entry]

    def control(self, model: str, name: str) -> Any:
        """The value that a control was set to last; None if never."""
        values = [entry["value"] for entry in self.entries(model) if entry.get("control") == name]
        return values[-1] if values else None


@pytest.fixture
def sensor_log(tmp_path: Path) -> SensorLog:
    return SensorLog(tmp_path / "sensors.jsonl")


@pytest.fixture
def virtual_cameras(tmp_path: Path, sensor_log: SensorLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on `python3` has picamera2, and there are two cameras."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", virtual_path(folder, sensor_log.path))


@pytest.fixture
async def open_camera(virtual_cameras: None) -> AsyncIterator[OpenCamera]:
    """Opens a camera; stops it after the test."""
    made: list[PicameraChild] = []

    async def open_it(selector: int | str, **more: Any) -> PicameraChild:
        made.append(PicameraChild(f"cam-{selector}", selector, None, SystemClock(), **more))
        await made[-1].open()
        return made[-1]

    yield open_it
    for child in made:
        await child.stop()
