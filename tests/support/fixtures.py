"""What both kinds of end-to-end tests begin with."""

import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.broker import Broker
from support.service import Service


@pytest.fixture(params=["gstreamer", pytest.param("mediamtx", marks=pytest.mark.mediamtx)])
def server(request: pytest.FixtureRequest) -> str:
    """Which media server the service runs."""
    return str(request.param)


@pytest.fixture
async def make_service(tmp_path: Path) -> AsyncIterator[Callable[..., Service]]:
    """Makes services (not started yet) and ends them after the test; shows the log where a test failed."""
    made: list[Service] = []

    def make(server: str = "gstreamer", **config: Any) -> Service:
        folder = tmp_path / f"service{len(made)}"
        folder.mkdir()
        made.append(Service(folder, server, **config))
        return made[-1]

    yield make
    for service in made:
        try:
            await service.stop()
        except subprocess.TimeoutExpired:
            await service.kill()
        print(service.read_log())


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker that runs."""
    made = Broker(tmp_path)
    await made.start()
    yield made
    made.kill()
