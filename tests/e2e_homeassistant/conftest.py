"""A real Home Assistant for all tests in turn, and for each of them a broker and services of its own."""

import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from support.broker import Broker
from support.home_assistant import INTEGRATION, HomeAssistant, Impossible
from support.service import Service


@pytest.fixture(params=["gstreamer", pytest.param("mediamtx", marks=pytest.mark.mediamtx)])
def server(request: pytest.FixtureRequest) -> str:
    """Which media server the service runs."""
    return str(request.param)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HomeAssistant]:
    """Home Assistant, freshly installed."""
    home = HomeAssistant(tmp_path_factory.mktemp("home"))
    try:
        await home.start()
    except Impossible as why:
        pytest.skip(str(why))
    yield home
    await home.kill()


@pytest.fixture
async def home(running_home: HomeAssistant) -> AsyncIterator[HomeAssistant]:
    """Home Assistant with neither a broker nor us; its log is shown where a test failed."""
    home = running_home
    if not home.runs:
        await home.start()
    for domain in (INTEGRATION, "mqtt"):
        await home.remove_entries(domain)
    for flow in await home.flows():
        await home.delete(f"/api/config/config_entries/flow/{flow['flow_id']}")
    home.forget_log()
    yield home
    print(home.read_log())


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker that runs."""
    made = Broker(tmp_path)
    await made.start()
    yield made
    made.kill()


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
