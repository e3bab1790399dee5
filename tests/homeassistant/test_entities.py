"""Every entity: its state, and what it does."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from custom_components.livecam_nvr import binary_sensor, sensor
from custom_components.livecam_nvr.helpers import told
from homeassistant.const import STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from fake_service import PATIENCE_S, FakeService, until

# Entity id to state, category and whether it is on by default. As over MQTT, so that nobody has to mend anything
# after having changed from one way to the other.
NODE = {
    "binary_sensor.home_connectivity": ("on", "diagnostic", True),
    "binary_sensor.home_disk_problem": ("off", "diagnostic", True),
    "event.home_break_in_attempt": ("unknown", "diagnostic", True),
    "sensor.home_days_until_full": ("5.1", "diagnostic", True),
    "sensor.home_disk_free": ("66.4", "diagnostic", True),
    "sensor.home_disk_usage": ("75.4", "diagnostic", True),
    "sensor.home_disk_used": ("204.1", "diagnostic", False),
    "sensor.home_footage_that_fits": ("5.1", "diagnostic", True),
    "sensor.home_memory": ("168.8", "diagnostic", False),
    "sensor.home_processor": ("11.3", "diagnostic", False),
    "sensor.home_running_since": ("2026-11-21T22:48:04+00:00", "diagnostic", False),
    "update.home_software": ("off", "diagnostic", True),
}
CAMERA = {
    "binary_sensor.front_door_connectivity": ("on", "diagnostic", True),
    "binary_sensor.front_door_motion": ("unknown", None, True),
    "binary_sensor.front_door_problem": ("off", "diagnostic", True),
    "binary_sensor.front_door_recording_active": ("on", None, True),
    "button.front_door_keep_that": ("unknown", None, True),
    "button.front_door_restart": ("unknown", "config", True),
    "button.front_door_snapshot": ("unknown", None, True),
    "camera.front_door": ("recording", None, True),
    "event.front_door_event": ("unknown", None, True),
    "number.front_door_frame_rate": ("15", "config", True),
    "select.front_door_recording_mode": ("switched", "config", True),
    "select.front_door_resolution": ("360p", "config", True),
    "sensor.front_door_bit_rate": ("0.62", "diagnostic", False),
    "sensor.front_door_dropped_frames": ("0", "diagnostic", False),
    "sensor.front_door_frame_rate": ("15.0", "diagnostic", False),
    "sensor.front_door_last_segment": ("2026-11-21T22:51:50+00:00", "diagnostic", False),
    "sensor.front_door_recorded_of_the_last_24_h": ("0.3", "diagnostic", True),
    "sensor.front_door_recorded_of_the_last_hour": ("6.5", "diagnostic", False),
    "sensor.front_door_status": ("live", "diagnostic", True),
    "switch.front_door_enabled": ("on", "config", True),
    "switch.front_door_recording": ("on", "config", True),
}


@pytest.fixture
async def all_on(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> MockConfigEntry:
    """The entry with everything switched on."""
    registry = er.async_get(hass)
    for one in er.async_entries_for_config_entry(registry, loaded.entry_id):
        registry.async_update_entity(one.entity_id, disabled_by=None)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    await until(lambda: service.sockets)
    return loaded


async def act(hass: HomeAssistant, entity_id: str, action: str, **data: Any) -> None:
    domain = entity_id.split(".", maxsplit=1)[0]
    await hass.services.async_call(domain, action, {"entity_id": entity_id, **data}, blocking=True)


def state(hass: HomeAssistant, entity_id: str) -> str | None:
    found = hass.states.get(entity_id)
    return found.state if found else None


async def test_what_there_is(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    registry = er.async_get(hass)
    expected = NODE | CAMERA
    found = {
        one.entity_id: (one.entity_category, one.disabled_by is None)
        for one in er.async_entries_for_config_entry(registry, loaded.entry_id)
        if "garden" not in one.entity_id
    }
    assert found == {
        entity_id: (EntityCategory(category) if category else None, on)
        for entity_id, (_, category, on) in expected.items()
    }


async def test_states(hass: HomeAssistant, all_on: MockConfigEntry) -> None:
    expected = {entity_id: first for entity_id, (first, _, _) in (NODE | CAMERA).items()}
    assert {entity_id: state(hass, entity_id) for entity_id in expected} == expected


async def test_camera_away(hass: HomeAssistant, service: FakeService, all_on: MockConfigEntry) -> None:
    camera = service.camera()
    camera.update(state="ERROR", fault={"message": "no frames", "hint": "look", "at_utc": None})
    camera["recording"].update(active=False)
    await service.push()
    await until(lambda: state(hass, "sensor.front_door_status") == "error")
    away = {one for one in CAMERA if state(hass, one) == STATE_UNAVAILABLE}
    assert away == {
        "button.front_door_snapshot",
        "number.front_door_frame_rate",
        "select.front_door_resolution",
        "sensor.front_door_bit_rate",
        "sensor.front_door_frame_rate",
    }
    status = hass.states.get("sensor.front_door_status")
    assert status is not None
    assert (status.attributes["error"], status.attributes["hint"]) == ("no frames", "look")
    active = hass.states.get("binary_sensor.front_door_recording_active")
    assert active is not None
    assert (active.state, active.attributes["reason"]) == ("off", "waiting for the camera")


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        ({"active": True}, ""),
        ({"active": False, "wanted": False}, ""),
        ({"active": False, "idle": "switched_off", "idle_by": "anna"}, "switched off by anna"),
        ({"active": False, "idle": "schedule"}, "the schedule has this time off"),
        ({"active": False, "idle": "something new"}, "something new"),
        ({"active": True, "fault": {"message": "slow disk", "hint": "", "at_utc": None}}, "slow disk"),
    ],
)
async def test_why_it_does_not_record(
    hass: HomeAssistant, service: FakeService, entry: MockConfigEntry, recording: dict[str, Any], reason: str
) -> None:
    service.camera()["recording"].update(recording)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    active = hass.states.get("binary_sensor.front_door_recording_active")
    assert active is not None
    assert active.attributes["reason"] == reason
    await hass.config_entries.async_unload(entry.entry_id)


async def test_problems(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    complaint = {"kind": "black", "message": "the picture is black", "hint": "a cap?", "since_utc": None}
    service.camera()["complaints"] = [complaint]
    service.status["disk"].update(problem=True, reason="full", hint="delete", level="full", trouble="space")
    await service.push()
    await until(lambda: state(hass, "binary_sensor.front_door_problem") == "on")
    problem = hass.states.get("binary_sensor.front_door_problem")
    assert problem is not None
    assert problem.attributes["complaints"] == [{key: complaint[key] for key in ("kind", "message", "hint")}]
    disk = hass.states.get("binary_sensor.home_disk_problem")
    assert disk is not None
    assert disk.state == "on"
    shown = {key: disk.attributes[key] for key in ("reason", "hint", "level", "trouble")}
    assert shown == {"reason": "full", "hint": "delete", "level": "full", "trouble": "space"}


@pytest.mark.parametrize(
    ("entity_id", "action", "data", "path", "body"),
    [
        ("switch.front_door_recording", "turn_off", {}, "recording", {"on": False}),
        ("switch.front_door_recording", "turn_on", {}, "recording", {"on": True}),
        ("switch.front_door_enabled", "turn_off", {}, "enabled", {"on": False}),
        ("select.front_door_recording_mode", "select_option", {"option": "events"}, "mode", {"mode": "events"}),
        ("select.front_door_resolution", "select_option", {"option": "720p"}, "quality", {"height": 720}),
        ("number.front_door_frame_rate", "set_value", {"value": 10}, "quality", {"fps": 10}),
        ("button.front_door_keep_that", "press", {}, "keep", {}),
        ("button.front_door_restart", "press", {}, "restart", {}),
    ],
)
async def test_orders(
    hass: HomeAssistant,
    service: FakeService,
    loaded: MockConfigEntry,
    entity_id: str,
    action: str,
    data: dict[str, Any],
    path: str,
    body: dict[str, Any],
) -> None:
    path = f"/api/cameras/cam0/{path}"
    await act(hass, entity_id, action, **data)
    assert service.ordered(path) == [body]
    service.refusals[path] = (409, "conflict", "not now", "later")
    with pytest.raises(ServiceValidationError) as refused:
        await act(hass, entity_id, action, **data)
    assert refused.value.translation_placeholders == {"words": "not now: later"}
    service.refusals[path] = (507, "disk", "the disk refuses", "")
    with pytest.raises(HomeAssistantError) as failed:
        await act(hass, entity_id, action, **data)
    assert failed.value.translation_key == "failed"


async def test_an_order_shows_at_once(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    service.camera()["recording"]["wanted"] = False  # without a push
    await act(hass, "switch.front_door_recording", "turn_off")
    assert state(hass, "switch.front_door_recording") == "off"
    service.refusals["/api/status"] = (503, "unavailable", "busy", "")
    await act(hass, "switch.front_door_recording", "turn_on")  # carried out all the same


async def test_orders_to_nobody(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    service.refusals["/api/cameras/cam0/restart"] = (401, "unauthenticated", "no", "")
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "button.front_door_restart", "press")
    assert refused.value.translation_key == "invalid_auth"
    await until(hass.config_entries.flow.async_progress)
    await service.stop()
    with pytest.raises(HomeAssistantError) as failed, told(loaded):  # the entities are unavailable soon
        await loaded.runtime_data.client.restart("cam0")
    assert failed.value.translation_key == "cannot_connect"


async def test_always_recorded(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    service.camera()["recording"].update(wanted=False, mode="always")
    service.camera()["height"] = 999
    service.camera("cam1")["recording"]["mode"] = "something new"
    await service.push()
    await until(lambda: state(hass, "select.front_door_recording_mode") == "always")
    assert state(hass, "switch.front_door_recording") == "on"
    assert state(hass, "select.front_door_resolution") == "unknown"
    assert state(hass, "select.garden_recording_mode") == "unknown"


async def test_software(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    service.status["installed_version"] = "0.0.9"
    await service.push()
    await until(lambda: state(hass, "update.home_software") == "on")


async def test_what_is_not_known(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    service.status.update(retention=None, installed_version="")
    service.status["disk"].update(total_bytes=0, free_bytes=0)
    service.status["process"].update(cpu_percent=None, memory_bytes=None)
    service.camera()["recording"]["last_segment"] = None
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for one in ("days_until_full", "footage_that_fits", "disk_usage"):
        assert state(hass, f"sensor.home_{one}") == "unknown"
    assert state(hass, "update.home_software") == "off"
    await until(lambda: service.sockets)
    # What was unknown is told at once, whatever the cadence.
    service.status["disk"].update(total_bytes=100, free_bytes=50)
    await service.push()
    await until(lambda: state(hass, "sensor.home_disk_usage") == "50.0")
    await hass.config_entries.async_unload(entry.entry_id)


async def test_figures_are_told_seldom(
    hass: HomeAssistant, service: FakeService, all_on: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor, "FIGURES_EVERY_S", 3600.0)
    await hass.config_entries.async_reload(all_on.entry_id)
    await until(lambda: service.sockets)
    service.camera()["fps"] = 7.0
    service.camera()["recording"]["wanted"] = False
    await service.push()
    await until(lambda: state(hass, "switch.front_door_recording") == "off")
    assert state(hass, "sensor.front_door_frame_rate") == "15.0"

    monkeypatch.setattr(sensor, "FIGURES_EVERY_S", 0.5)
    await hass.config_entries.async_reload(all_on.entry_id)
    assert state(hass, "sensor.front_door_frame_rate") == "7.0"
    await until(lambda: service.sockets)
    service.camera()["fps"] = 8.0

    async def told_later() -> None:
        while state(hass, "sensor.front_door_frame_rate") != "8.0":
            await service.push()
            await asyncio.sleep(0.05)

    async with asyncio.timeout(PATIENCE_S):
        await told_later()


def test_a_clock_that_is_set_back_keeps_no_figure_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cadence = sensor._Cadence.of(seldom=False)
    assert cadence.due()
    monkeypatch.setattr(dt_util, "utcnow", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    assert cadence.due()


async def test_coverage(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    one = "sensor.front_door_recorded_of_the_last_24_h"
    assert state(hass, one) == "0.3"
    coverage = loaded.runtime_data.coverage
    assert coverage.update_interval == timedelta(minutes=1)
    service.coverage["last_day"]["share"] = 0.998
    await coverage.async_refresh()
    assert state(hass, one) == "99.8"
    service.refusals["/api/cameras/cam1/coverage"] = (404, "not_found", "there is no camera 'cam1'", "")
    await coverage.async_refresh()
    assert (state(hass, one), state(hass, one.replace("front_door", "garden"))) == ("99.8", "unknown")
    service.refusals["/api/cameras/cam1/coverage"] = (503, "unavailable", "no index", "")
    await coverage.async_refresh()
    assert state(hass, one) == STATE_UNAVAILABLE
    assert state(hass, "switch.front_door_recording") == "on"


def event(label: str, begin: str, end: str | None, event_id: str = "e1") -> dict[str, Any]:
    about = {"id": event_id, "camera_id": "cam0", "label": label, "source": "http"}
    return {**about, "begin_utc": begin, "end_utc": end}


async def test_motion_that_lasts(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    motion, happened = "binary_sensor.front_door_motion", "event.front_door_event"
    service.camera().update(lasting=["motion"], last_event=event("motion", "2026-11-21T23:00:00Z", None))
    await service.push()
    await until(lambda: state(hass, motion) == "on")
    shown = hass.states.get(happened)
    assert shown is not None
    assert shown.attributes["event_type"] == "begin"
    assert (shown.attributes["label"], shown.attributes["source"]) == ("motion", "http")
    service.camera().update(lasting=[], last_event=event("motion", "2026-11-21T23:00:00Z", "2026-11-21T23:00:04.5Z"))
    await service.push()
    await until(lambda: state(hass, motion) == "off")
    shown = hass.states.get(happened)
    assert shown is not None
    assert (shown.attributes["event_type"], shown.attributes["lasted_s"]) == ("end", 4.5)


async def test_motion_for_a_moment(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(lambda: service.sockets)
    monkeypatch.setattr(binary_sensor, "_MOMENT", timedelta(minutes=5))  # none that a busy machine would miss
    motion = "binary_sensor.front_door_motion"
    for number in (1, 2):
        at = f"2026-11-21T23:00:0{number}Z"
        service.camera()["last_event"] = event("motion", at, at, f"e{number}")
        await service.push()
        await until(lambda at=at: _told_at(hass) == at.replace("Z", "+00:00"))
        assert state(hass, motion) == "on"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5, seconds=1))
    await until(lambda: state(hass, motion) == "off")
    service.camera()["last_event"] = event("motion", "2026-11-21T23:01:00Z", "2026-11-21T23:01:00Z", "e3")
    await service.push()
    await until(lambda: state(hass, motion) == "on")
    service.status["started_utc"] = "2026-11-21T23:30:00Z"
    service.camera()["last_event"] = None
    await service.push()
    await until(lambda: state(hass, motion) == "unknown")


def _told_at(hass: HomeAssistant) -> str | None:
    shown = hass.states.get("event.front_door_event")
    return shown.attributes.get("at") if shown else None


async def test_motion_from_before(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    at = "2026-11-21T23:00:00Z"
    service.camera()["last_event"] = event("motion", at, at)
    service.camera("cam1")["lasting"] = ["motion"]
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor.front_door_motion") == "off"
    assert state(hass, "binary_sensor.garden_motion") == "on"
    assert state(hass, "event.front_door_event") == "unknown"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_break_in(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    await until(lambda: service.sockets)
    attempt = {"at_utc": "2026-11-21T23:00:00Z", "name": "anna", "address": "192.0.2.7", "failures": 12, "door": "http"}
    service.status["break_in"] = attempt
    await service.push()
    await until(lambda: state(hass, "event.home_break_in_attempt") != "unknown")
    shown = hass.states.get("event.home_break_in_attempt")
    assert shown is not None
    about = {key: shown.attributes[key] for key in ("event_type", "address", "user", "failures", "door", "at")}
    assert about == {
        "event_type": "break_in_attempt",
        "address": "192.0.2.7",
        "user": "anna",
        "failures": 12,
        "door": "http",
        "at": "2026-11-21T23:00:00+00:00",
    }
    first = shown.state
    service.status["cameras"][0]["recording"]["wanted"] = False
    await service.push()
    await until(lambda: state(hass, "switch.front_door_recording") == "off")
    assert state(hass, "event.home_break_in_attempt") == first
