"""Steps through the dialog in which a service is set up."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from fake_service import FakeService

DOMAIN = "livecam_nvr"


async def begin(hass: HomeAssistant, source: str = SOURCE_USER, data: Any = None) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=data)


async def go_on(hass: HomeAssistant, result: ConfigFlowResult, typed: Mapping[str, Any]) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_configure(result["flow_id"], dict(typed))


def where(service: FakeService, host: str = "127.0.0.1") -> dict[str, Any]:
    return {"host": host, "port": service.port, "ssl": False, "verify_ssl": True}


async def at_access(hass: HomeAssistant, service: FakeService) -> ConfigFlowResult:
    result = await go_on(hass, await begin(hass), where(service))
    assert result["type"] is FlowResultType.MENU
    return result
