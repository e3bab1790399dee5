"""An entry's life: loading, losing the service and finding it again, cameras that come and go."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from custom_components.livecam_nvr import async_remove_config_entry_device, coordinator
from custom_components.livecam_nvr.client import api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from fake_service import INSTALL_ID, FakeService, until

SWITCH = "switch.front_door_recording"
CONNECTED = "binary_sensor.home_connectivity"


def state(hass: HomeAssistant, entity_id: str) -> str | None:
    found = hass.states.get(entity_id)
    return found.state if found else None


async def test_loads_and_unloads(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    assert loaded.state is ConfigEntryState.LOADED
    assert state(hass, SWITCH) == "on"
    await until(lambda: service.sockets)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await until(lambda: not service.sockets)
    assert state(hass, SWITCH) == "unavailable"


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ((503, "unavailable", "the index is away", ""), ConfigEntryState.SETUP_RETRY),
        ((404, "not_found", "there is nothing here", ""), ConfigEntryState.SETUP_RETRY),
        ((401, "unauthenticated", "no", ""), ConfigEntryState.SETUP_ERROR),
        ((403, "forbidden", "no", ""), ConfigEntryState.SETUP_ERROR),
    ],
)
async def test_does_not_load(
    hass: HomeAssistant,
    service: FakeService,
    entry: MockConfigEntry,
    refusal: tuple[int, str, str, str],
    expected: ConfigEntryState,
) -> None:
    service.refusals["/api/home-assistant"] = refusal
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is expected
    reauth = [flow for flow in hass.config_entries.flow.async_progress() if flow["context"]["source"] == "reauth"]
    assert bool(reauth) is (expected is ConfigEntryState.SETUP_ERROR)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ((503, "unavailable", "starting", ""), ConfigEntryState.SETUP_RETRY),
        ((401, "unauthenticated", "no", ""), ConfigEntryState.SETUP_ERROR),
    ],
)
async def test_no_status(
    hass: HomeAssistant,
    service: FakeService,
    entry: MockConfigEntry,
    refusal: tuple[int, str, str, str],
    expected: ConfigEntryState,
) -> None:
    service.refusals["/api/status"] = refusal
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is expected


async def test_another_service(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    service.info["install_id"] = "f" * 32
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert (entry.state, entry.error_reason_translation_key) == (ConfigEntryState.SETUP_ERROR, "wrong_service")
    assert not service.ordered("/api/home-assistant")


@pytest.mark.parametrize(("api_version", "issue"), [(0, "service_too_old"), (2, "service_too_new")])
async def test_other_version(
    hass: HomeAssistant, service: FakeService, entry: MockConfigEntry, api_version: int, issue: str
) -> None:
    service.info["api"] = api_version
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    issues = ir.async_get(hass)
    found = issues.async_get_issue("livecam_nvr", f"{issue}_{entry.entry_id}")
    assert found is not None
    assert found.translation_placeholders == {"name": "Home", "version": "0.1.0"}
    service.info["api"] = 1
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert not issues.issues
    service.info["api"] = api_version
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not issues.issues


async def test_loses_the_service_and_finds_it(
    hass: HomeAssistant,
    service: FakeService,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await until(lambda: service.sockets)
    caplog.clear()
    await service.stop()
    await until(lambda: state(hass, SWITCH) == "unavailable")
    assert state(hass, CONNECTED) == "off"
    assert state(hass, "sensor.front_door_recorded_of_the_last_24_h") == "unavailable"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done()
    service.camera()["recording"]["wanted"] = False
    await service.start()
    await until(lambda: state(hass, SWITCH) == "off")
    assert state(hass, CONNECTED) == "on"
    said = [record.getMessage() for record in caplog.records if record.name == coordinator.__name__]
    said = [text for text in said if not text.startswith(("Finished", "Manually"))]
    assert said == ["Error requesting Home data: the service was stopped", "Home is back"]


async def test_a_silent_service_is_lost(
    hass: HomeAssistant, service: FakeService, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "SILENCE_S", 0.2)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state(hass, SWITCH) == "unavailable")
    await until(lambda: state(hass, SWITCH) == "on")
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
async def test_strange_messages(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, text: str) -> None:
    await until(lambda: service.sockets)
    service.raw_event = text
    await service.push()
    await until(lambda: state(hass, SWITCH) == "unavailable")
    service.raw_event = None
    await until(lambda: state(hass, SWITCH) == "on")


async def test_token_ends(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    await service.hang_up(4401)
    await until(lambda: state(hass, SWITCH) == "unavailable")
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    assert not service.sockets


async def test_token_is_gone_after_a_restart(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry
) -> None:
    await until(lambda: service.sockets)
    service.tokens.clear()
    await service.hang_up()
    await until(hass.config_entries.flow.async_progress)


async def test_handshake_fails(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    service.refusals["/api/events"] = (429, "throttled", "too many streams", "")
    await service.hang_up()
    await until(lambda: state(hass, SWITCH) == "unavailable")
    service.refusals.clear()
    await until(lambda: state(hass, SWITCH) == "on")


async def test_devices(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    devices = dr.async_get(hass)
    found = dr.async_entries_for_config_entry(devices, loaded.entry_id)
    by_name = {device.name: device for device in found}
    assert set(by_name) == {"Home", "Front door", "Garden"}
    node, camera = by_name["Home"], by_name["Front door"]
    assert node.identifiers == {("livecam_nvr", INSTALL_ID)}
    assert camera.identifiers == {("livecam_nvr", f"{INSTALL_ID}_cam0")}
    assert camera.via_device_id == node.id
    assert (node.sw_version, node.entry_type, camera.model) == ("0.1.0", dr.DeviceEntryType.SERVICE, "Test picture")


async def test_cameras_come_and_go(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    service.add_camera("cam2", "Shed")
    await service.push()
    await until(lambda: state(hass, "switch.shed_recording") == "on")
    devices = dr.async_get(hass)

    def device(camera_id: str) -> dr.DeviceEntry | None:
        identifier = ("livecam_nvr", f"{INSTALL_ID}_{camera_id}")
        found = dr.async_entries_for_config_entry(devices, loaded.entry_id)
        return next((one for one in found if identifier in one.identifiers), None)

    shed = device("cam2")
    assert shed is not None
    assert not await async_remove_config_entry_device(hass, loaded, shed)
    service.status["cameras"].pop()
    await service.push()
    await until(lambda: device("cam2") is None)
    await until(lambda: state(hass, "switch.shed_recording") is None)
    assert await async_remove_config_entry_device(hass, loaded, shed)
    service.add_camera("cam2", "Shed")
    service.camera("cam0")["name"] = "Porch"
    await service.push()
    await until(lambda: state(hass, "switch.shed_recording") == "on")
    assert getattr(device("cam0"), "name", None) == "Porch"
    assert state(hass, SWITCH) == "on"


async def test_camera_goes_while_home_assistant_is_away(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    service.status["cameras"].pop()
    assert await hass.config_entries.async_setup(loaded.entry_id)
    found = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert {device.name for device in found} == {"Home", "Front door"}


async def test_quality_that_cannot_be_changed(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry
) -> None:
    await until(lambda: service.sockets)
    registry = er.async_get(hass)
    assert state(hass, "select.front_door_resolution") == "360p"
    quality: dict[str, Any] = service.camera()["quality"]
    quality["changeable"] = False
    await service.push()
    await until(lambda: registry.async_get("select.front_door_resolution") is None)
    assert registry.async_get("number.front_door_frame_rate") is None
    assert state(hass, "select.garden_resolution") == "480p"
    quality["changeable"] = True
    await service.push()
    await until(lambda: state(hass, "select.front_door_resolution") == "360p")
    assert state(hass, "number.front_door_frame_rate") == "15"


async def test_issues_come_and_go(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    issues = ir.async_get(hass)
    disk = {"problem": True, "level": "warning", "trouble": "space", "reason": "2 GB are free", "hint": "delete"}
    service.status["disk"].update(disk)
    service.status["clock"].update(synchronised=False, warning="no time server answers")
    await service.push()
    await until(lambda: len(issues.issues) == 2)
    found = issues.async_get_issue("livecam_nvr", f"disk_{loaded.entry_id}")
    assert found is not None
    assert (found.severity, found.translation_placeholders) == (
        ir.IssueSeverity.WARNING,
        {"name": "Home", "reason": "2 GB are free.", "hint": "Delete."},
    )
    service.status["disk"].update(level="full", reason="nothing is free")
    await service.push()
    await until(lambda: _severity(issues, loaded) is ir.IssueSeverity.ERROR)
    service.status["disk"].update(problem=False, level="ok", reason="", hint="")
    service.status["clock"].update(warning="")
    await service.push()
    await until(lambda: not issues.issues)


def _severity(issues: ir.IssueRegistry, entry: MockConfigEntry) -> ir.IssueSeverity | None:
    found = issues.async_get_issue("livecam_nvr", f"disk_{entry.entry_id}")
    return found.severity if found else None


async def test_nothing_is_written_without_a_change(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    await until(lambda: service.sockets)
    caplog.set_level(logging.ERROR)
    written: list[str] = []
    hass.bus.async_listen("state_changed", lambda event: written.append(event.data["entity_id"]))
    every = callback(lambda _: True)
    hass.bus.async_listen("state_reported", lambda event: written.append(event.data["entity_id"]), event_filter=every)
    camera = service.camera()
    camera.update(frames=1, bytes=2, fps=14.8, bitrate_bps=600000)
    service.status["process"]["cpu_percent"] = 3.0
    camera["restarts"] = 4
    await service.push()
    await until(lambda: loaded.runtime_data.coordinator.data.cameras[0].restarts == 4)
    await hass.async_block_till_done()
    assert written == []
    assert not caplog.records
