"""A real Home Assistant for all tests in turn, and for each of them a broker and services of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.fixtures import broker, make_service, server
from support.home_assistant import INTEGRATION, HomeAssistant, Impossible

__all__ = ["broker", "home", "make_service", "running_home", "server"]


# What takes a minute on a quiet machine is not hanging when it takes ten on another one.
_HANGS_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each of these tests more time than others."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(_HANGS_S))


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
