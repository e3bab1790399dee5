"""The dialog in which a service is set up by hand, all its ways and all its refusals."""

from typing import Any

import pytest
from custom_components.livecam_nvr.config_flow import _typed_url as typed_url
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_service import ADMIN, ADMIN_PASSWORD, INSTALL_ID, TOKEN, FakeService
from flows import at_access, begin, go_on, where


async def test_with_a_token(hass: HomeAssistant, service: FakeService) -> None:
    result = await begin(hass)
    assert (result["type"], result["step_id"], result["errors"]) == (FlowResultType.FORM, "user", {})
    result = await go_on(hass, result, where(service))
    assert result["menu_options"] == ["password", "token"]
    result = await go_on(hass, result, {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": f" {TOKEN} "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Home"
    assert result["data"] == {"url": service.url, "token": TOKEN, "verify_ssl": True}
    assert result["result"].unique_id == INSTALL_ID
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


async def test_with_name_and_password(hass: HomeAssistant, service: FakeService) -> None:
    service.token_names.append("homeassistant")
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "password"})
    result = await go_on(hass, result, {"username": ADMIN, "password": "wrong"})
    assert result["errors"] == {"base": "invalid_auth"}
    assert not service.ordered("/api/tokens")
    result = await go_on(hass, result, {"username": ADMIN, "password": ADMIN_PASSWORD})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["token"] == "lnv_homeassistant-2"
    assert ADMIN_PASSWORD not in str(result["data"])
    assert service.ordered("/api/tokens")[-1] == {"name": "homeassistant-2", "role": "operator"}


async def test_too_many_tokens(hass: HomeAssistant, service: FakeService) -> None:
    service.token_names += ["homeassistant", *(f"homeassistant-{number}" for number in range(2, 51))]
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "password"})
    result = await go_on(hass, result, {"username": ADMIN, "password": ADMIN_PASSWORD})
    assert result["errors"] == {"base": "unknown"}


async def test_no_user_yet(hass: HomeAssistant, service: FakeService) -> None:
    service.session["setup"] = True
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "password"})
    result = await go_on(hass, result, {"username": ADMIN, "password": ADMIN_PASSWORD})
    assert result["errors"] == {"base": "needs_setup"}


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ((403, "forbidden", "the role is too weak", ""), "not_admin"),
        ((429, "throttled", "too many wrong passwords", ""), "throttled"),
        ((500, "internal", "oh", "see the log"), "unknown"),
    ],
)
async def test_password_is_refused(
    hass: HomeAssistant, service: FakeService, refusal: tuple[int, str, str, str], error: str
) -> None:
    service.refusals["/api/tokens"] = refusal
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "password"})
    typed = {"username": ADMIN, "password": ADMIN_PASSWORD}
    result = await go_on(hass, result, typed)
    assert result["errors"] == {"base": error}
    del service.refusals["/api/tokens"]
    assert (await go_on(hass, result, typed))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("rights", [{"role": "watcher"}, {"cameras": ["cam0"]}])
async def test_weak_token(hass: HomeAssistant, service: FakeService, rights: dict[str, Any]) -> None:
    good = dict(service.session)
    service.session.update(rights)
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": TOKEN})
    assert result["errors"] == {"base": "not_operator"}
    service.session = good
    assert (await go_on(hass, result, {"token": TOKEN}))["type"] is FlowResultType.CREATE_ENTRY


async def test_wrong_token(hass: HomeAssistant, service: FakeService) -> None:
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": "lnv_bad"})
    assert result["errors"] == {"base": "invalid_auth"}
    assert (await go_on(hass, result, {"token": TOKEN}))["type"] is FlowResultType.CREATE_ENTRY


async def test_older_service(hass: HomeAssistant, service: FakeService) -> None:
    service.refusals["/api/home-assistant"] = (404, "not_found", "there is nothing here", "")
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "token"})
    assert (await go_on(hass, result, {"token": TOKEN}))["errors"] == {"base": "api_version"}


@pytest.mark.parametrize("way", ["token", "password"])
async def test_other_version(hass: HomeAssistant, service: FakeService, way: str) -> None:
    service.info["api"] = 2
    typed = {"token": TOKEN} if way == "token" else {"username": ADMIN, "password": ADMIN_PASSWORD}
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": way})
    result = await go_on(hass, result, typed)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "api_version")
    assert not service.ordered("/api/tokens")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}"),
        ("http://127.0.0.1:{port}/#cam0", "http://127.0.0.1:{port}"),
        (" 127.0.0.1 ", "http://127.0.0.1:{port}"),
        ("http://127.0.0.1:{port}/?a=b", "http://127.0.0.1:{port}"),
    ],
)
async def test_addresses(hass: HomeAssistant, service: FakeService, host: str, url: str) -> None:
    result = await go_on(hass, await begin(hass), where(service, host.format(port=service.port)))
    assert result["description_placeholders"]["url"] == url.format(port=service.port)


@pytest.mark.parametrize(
    "host",
    [
        "http://",
        "ftp://127.0.0.1",
        "http://anna:secret@127.0.0.1",
        "a b",
        "127.0.0.1:99999",
        "http://h:99999",
        "[::1",
        "",
    ],
)
async def test_no_addresses(hass: HomeAssistant, service: FakeService, host: str) -> None:
    result = await go_on(hass, await begin(hass), where(service, host))
    assert result["errors"] == {"host": "invalid_host"}
    result = await go_on(hass, result, where(service))
    assert result["step_id"] == "access"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (("::1", 9, False), "http://[::1]:9"),
        (("[::1]", 9, True), "https://[::1]:9"),
        (("[::1]:8", 9, True), "https://[::1]:8"),
        (("nvr.local", 8001, False), "http://nvr.local:8001"),
        (("https://nvr.example/home/", 8001, False), "https://nvr.example/home"),
    ],
)
def test_typed_addresses(typed: tuple[str, int, bool], url: str) -> None:
    assert typed_url(*typed) == url


async def test_nobody_there(hass: HomeAssistant, service: FakeService) -> None:
    await service.stop()
    result = await go_on(hass, await begin(hass), where(service))
    assert result["errors"] == {"base": "cannot_connect"}
    await service.start()
    assert (await go_on(hass, result, where(service)))["step_id"] == "access"


async def test_not_encrypted(hass: HomeAssistant, service: FakeService) -> None:
    result = await go_on(hass, await begin(hass), {**where(service), "ssl": True})
    assert result["errors"]["base"] in ("certificate", "cannot_connect")


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ((404, "", "<h1>Not found</h1>", ""), "not_livecam"),
        ((200, "", "hello", ""), "not_livecam"),
        ((301, "", "", ""), "not_livecam"),
        ((503, "", "", ""), "cannot_connect"),
    ],
)
async def test_another_server(
    hass: HomeAssistant, service: FakeService, refusal: tuple[int, str, str, str], error: str
) -> None:
    service.refusals["/api/session"] = refusal
    result = await go_on(hass, await begin(hass), where(service))
    assert result["errors"] == {"base": error}


async def test_twice(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    result = await go_on(hass, await at_access(hass, service), {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": TOKEN})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_reauth(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    service.tokens = {"lnv_new"}
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    result = await go_on(hass, flow, {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": "lnv_new"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await hass.async_block_till_done()
    assert entry.data["token"] == "lnv_new"
    assert entry.state is ConfigEntryState.LOADED


async def test_reauth_with_password(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    result = await entry.start_reauth_flow(hass)
    result = await go_on(hass, result, {"next_step_id": "password"})
    result = await go_on(hass, result, {"username": ADMIN, "password": ADMIN_PASSWORD})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert entry.data["token"] == "lnv_homeassistant"


async def test_reauth_at_another_service(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    service.info["install_id"] = "f" * 32
    result = await entry.start_reauth_flow(hass)
    result = await go_on(hass, result, {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": TOKEN})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "wrong_service")


async def test_reconfigure(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": "http://127.0.0.1:9"})
    result = await entry.start_reconfigure_flow(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "reconfigure")
    shown = {str(key): (key.description or {}).get("suggested_value") for key in result["data_schema"].schema}
    assert shown == {"host": "127.0.0.1", "port": 9, "ssl": False, "verify_ssl": True}
    result = await go_on(hass, result, {**where(service), "port": 9})
    assert result["errors"] == {"base": "cannot_connect"}
    result = await go_on(hass, result, where(service))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.data == {"url": service.url, "token": TOKEN, "verify_ssl": True}


async def test_reconfigure_with_another_token(
    hass: HomeAssistant, service: FakeService, entry: MockConfigEntry
) -> None:
    service.tokens = {"lnv_new"}
    result = await go_on(hass, await entry.start_reconfigure_flow(hass), where(service))
    assert result["step_id"] == "access"
    result = await go_on(hass, result, {"next_step_id": "token"})
    result = await go_on(hass, result, {"token": "lnv_new"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.data["token"] == "lnv_new"


async def test_reconfigure_to_another_service(
    hass: HomeAssistant, service: FakeService, entry: MockConfigEntry
) -> None:
    service.info["install_id"] = "f" * 32
    result = await go_on(hass, await entry.start_reconfigure_flow(hass), where(service))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "wrong_service")
