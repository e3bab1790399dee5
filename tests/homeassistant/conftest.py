"""Home Assistant in one process, and a service on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable

import custom_components  # ours, before the plugin's own package of this name shadows it
import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_service import INSTALL_ID, TOKEN, FakeService

assert custom_components.__path__

Setup = Callable[[], Awaitable[MockConfigEntry]]


@pytest.fixture(autouse=True)
def _ours(enable_custom_integrations: None, socket_enabled: None) -> None:
    """Home Assistant finds the integration, and it may use sockets on loopback."""


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    """A service that runs."""
    async with FakeService() as fake:
        yield fake


@pytest.fixture
def entry(hass: HomeAssistant, service: FakeService) -> MockConfigEntry:
    """Of that service; not set up yet."""
    data = {"url": service.url, "token": TOKEN, "verify_ssl": True}
    one = MockConfigEntry(domain="livecam_nvr", title="Home", unique_id=INSTALL_ID, data=data)
    one.add_to_hass(hass)
    return one


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[MockConfigEntry]:
    """The entry, set up and unloaded again."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry
    if hass.config_entries.async_get_entry(entry.entry_id) and entry.state.recoverable:
        await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
