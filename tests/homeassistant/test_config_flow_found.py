"""A service that was found: by zeroconf, by MQTT, or as an app."""

from ipaddress import ip_address
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_HASSIO, SOURCE_MQTT, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_service import INSTALL_ID, TOKEN, FakeService, until
from flows import begin, go_on, where


def zeroconf(service: FakeService, **about: str) -> ZeroconfServiceInfo:
    properties = {"id": INSTALL_ID, "node": "livecam", "version": "0.1.0", "api": "1", "https": "0", "name": "Home"}
    address = ip_address("127.0.0.1")
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=service.port,
        hostname="home.local.",
        type="_livecam-nvr._tcp.local.",
        name="Home (03de9c)._livecam-nvr._tcp.local.",
        properties={**properties, **about},
    )


def mqtt(payload: str | bytes) -> MqttServiceInfo:
    return MqttServiceInfo(
        topic="livecam-nvr/livecam/service",
        payload=payload,
        qos=1,
        retain=True,
        subscribed_topic="livecam-nvr/+/service",
        timestamp=0.0,
    )


def told(url: str, api: int = 1) -> str:
    return f'{{"install_id": "{INSTALL_ID}", "name": "Home", "version": "0.1.0", "api": {api}, "url": "{url}"}}'


async def test_found_by_zeroconf(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf(service))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "discovery_confirm")
    assert result["description_placeholders"] == {"name": "Home", "url": service.url}
    assert hass.config_entries.flow.async_progress()[0]["context"]["title_placeholders"] == {"name": "Home"}
    result = await go_on(hass, result, {})
    result = await go_on(hass, result, {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": TOKEN})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["url"] == service.url


async def test_zeroconf_with_https(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf(service, https="1"))
    assert "verify_ssl" in result["data_schema"].schema
    result = await go_on(hass, result, {"verify_ssl": False})
    assert result["step_id"] == "discovery_confirm"
    assert result["errors"]["base"] in ("certificate", "cannot_connect")


async def test_found_another_one(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf(service, id="f" * 32))
    result = await go_on(hass, await go_on(hass, result, {}), {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": TOKEN})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "wrong_service")


@pytest.mark.parametrize(("about", "reason"), [({"id": ""}, "invalid_discovery_info"), ({"api": "2"}, "api_version")])
async def test_zeroconf_is_not_right(
    hass: HomeAssistant, service: FakeService, about: dict[str, str], reason: str
) -> None:
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf(service, **about))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)


async def test_known_one_has_moved(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": "http://127.0.0.1:9"})
    result = await begin(hass, SOURCE_ZEROCONF, zeroconf(service))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data["url"] == service.url


async def test_connected_one_stays(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    url = loaded.data["url"]
    result = await begin(hass, SOURCE_MQTT, mqtt(told("http://127.0.0.1:9")))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert loaded.data["url"] == url
    await until(lambda: service.sockets)
    await service.stop()
    await until(lambda: not loaded.runtime_data.coordinator.last_update_success)
    await begin(hass, SOURCE_MQTT, mqtt(told("http://127.0.0.1:9")))
    assert loaded.data["url"] == "http://127.0.0.1:9"


async def test_found_by_mqtt(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass, SOURCE_MQTT, mqtt(told(service.url).encode()))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "discovery_confirm")
    other = await begin(hass, SOURCE_ZEROCONF, zeroconf(service))
    assert (other["type"], other["reason"]) == (FlowResultType.ABORT, "already_in_progress")
    result = await go_on(hass, await go_on(hass, result, {}), {"next_step_id": "token"})
    assert (await go_on(hass, result, {"token": TOKEN}))["type"] is FlowResultType.CREATE_ENTRY


async def test_mqtt_with_an_address_that_is_of_no_use_here(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass, SOURCE_MQTT, mqtt(told("http://127.0.0.1:9")))
    result = await go_on(hass, result, {})
    assert (result["step_id"], result["errors"]) == ("user", {"base": "cannot_connect"})
    assert (await go_on(hass, result, where(service)))["step_id"] == "access"


@pytest.mark.parametrize("url", ["", "no address"])
async def test_mqtt_without_address(hass: HomeAssistant, service: FakeService, url: str) -> None:
    result = await begin(hass, SOURCE_MQTT, mqtt(told(url)))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert (await go_on(hass, result, where(service)))["step_id"] == "access"


@pytest.mark.parametrize("payload", ["", "[]", "{", b"\xff", "{}", '{"install_id": 5}'])
async def test_mqtt_is_not_right(hass: HomeAssistant, payload: str | bytes) -> None:
    result = await begin(hass, SOURCE_MQTT, mqtt(payload))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "invalid_discovery_info")


def app(service: FakeService, **more: Any) -> HassioServiceInfo:
    config = {"host": "127.0.0.1", "port": service.port, "ssl": False, "id": "", "token": TOKEN, **more}
    return HassioServiceInfo(config=config, name="livecam-nvr", slug="livecam_nvr", uuid="1")


async def test_app(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass, SOURCE_HASSIO, app(service))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "hassio_confirm")
    service.refusals["/api/session"] = (503, "unavailable", "not now", "")
    assert (await go_on(hass, result, {}))["errors"] == {"base": "cannot_connect"}
    del service.refusals["/api/session"]
    result = await go_on(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {"url": service.url, "token": TOKEN, "verify_ssl": False}


async def test_known_app_has_a_new_token(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    service.tokens.add("lnv_new")
    result = await begin(hass, SOURCE_HASSIO, app(service, token="lnv_new"))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data["token"] == "lnv_new"


@pytest.mark.parametrize(
    ("more", "reason"), [({"token": "lnv_bad"}, "invalid_auth"), ({"port": "x"}, "invalid_discovery_info")]
)
async def test_app_is_not_right(hass: HomeAssistant, service: FakeService, more: dict[str, Any], reason: str) -> None:
    result = await begin(hass, SOURCE_HASSIO, app(service, **more))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)
