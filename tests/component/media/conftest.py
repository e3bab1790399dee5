"""Cameras that run."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.live_camera import LiveCamera, MakeCamera, small_test_camera

from livecam_nvr.config import models
from livecam_nvr.core.ports import PublishTarget


@pytest.fixture
async def run_camera() -> AsyncIterator[MakeCamera]:
    """Starts cameras, a small test camera if none is given, and stops them after the test."""
    made: list[LiveCamera] = []

    def start(camera: models.Camera | None = None, target: PublishTarget | None = None, **more: Any) -> LiveCamera:
        made.append(LiveCamera(camera or small_test_camera(**more), target))
        made[-1].pipeline.start()
        return made[-1]

    yield start
    for live in made:
        live.hub.close()
        await live.pipeline.stop()
