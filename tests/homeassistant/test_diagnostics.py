"""What can be downloaded, and what is not in it."""

import json

from custom_components.livecam_nvr.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_service import INSTALL_ID, TOKEN, FakeService

FAULT = {"message": "10.9.8.7 does not answer", "hint": "ask anna", "at_utc": None}


def hide_secrets_in(service: FakeService) -> list[str]:
    """Puts everything into the status that must not come out."""
    status = service.status
    status["broker"].update(address="10.9.8.7:1883", fault=FAULT)
    status["media_server"]["fault"] = FAULT
    status["break_in"] = {
        "at_utc": "2026-11-21T23:00:00Z",
        "name": "anna",
        "address": "10.9.8.7",
        "failures": 3,
        "door": "http",
    }
    status["alarms"] = [{"severity": "error", "kind": "disk", "camera_id": "", "words": "10.9.8.7", "hint": "x"}]
    status["disk"].update(path="/home/anna/rec", reason="/home/anna/rec is full")
    status["page_url"] = "http://10.9.8.7:8001/"
    camera = service.camera()
    camera.update(fault=FAULT)
    camera["recording"].update(fault=FAULT, idle_by="anna", current_path="anna/x.mp4")
    camera["addresses"]["rtsp"] = "rtsp://10.9.8.7:8554/cam0"
    service.coverage["gaps"] = [
        {
            "begin_utc": "2026-11-21T22:00:00Z",
            "end_utc": "2026-11-21T22:01:00Z",
            "duration_s": 60.0,
            "cause": "switched_off",
            "by": "anna",
            "words": "",
            "meant": True,
            "text": "anna switched it off",
        }
    ] * 60
    return ["anna", "10.9.8.7", TOKEN, "127.0.0.1", INSTALL_ID]


async def test_of_the_entry(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    secrets = hide_secrets_in(service)
    await hass.config_entries.async_setup(entry.entry_id)
    found = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(found, default=str)
    assert [secret for secret in secrets if secret in text] == []
    assert found["connected"]
    assert found["status"]["cameras"][0]["state"] == "LIVE"
    assert found["status"]["disk"]["reason"] == "**REDACTED** is full"
    assert found["service"]["carrier"] == "integration"
    coverage = found["coverage"]["cam0"]
    assert (coverage["share"], len(coverage["gaps"]), coverage["gaps_left_out"]) == (1.0, 50, 10)
    assert coverage["gaps"][0]["cause"] == "switched_off"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_of_devices(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    devices = {device.name: device for device in dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)}
    camera = await async_get_device_diagnostics(hass, loaded, devices["Garden"])
    assert camera["camera"]["id"] == "cam1"
    assert "gaps" in camera["coverage"]
    node = await async_get_device_diagnostics(hass, loaded, devices["Home"])
    assert "cameras" not in node["status"]
    assert node["status"]["disk"]["level"] == "ok"


async def test_service_is_away(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await service.stop()
    found = await async_get_config_entry_diagnostics(hass, loaded)
    assert found["status"] == {"error": "CannotConnect"}
    assert found["coverage"]["cam0"] == {"error": "CannotConnect"}
    device = next(
        one for one in dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id) if one.name == "Garden"
    )
    assert (await async_get_device_diagnostics(hass, loaded, device))["camera"] is None
