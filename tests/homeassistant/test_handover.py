"""From MQTT discovery to the integration and back: entity ids, names, areas and what is disabled stay."""

from collections.abc import Iterator

import pytest
from custom_components.livecam_nvr import handover
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import entity_sources
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_service import INSTALL_ID, FakeService

REC, FPS, RESTART, REFUSED = "livecam_cam0_recording", "livecam_cam0_fps", "livecam_cam0_restart", "livecam_refused"


@pytest.fixture
def mqtt(hass: HomeAssistant) -> MockConfigEntry:
    """Home Assistant's MQTT with what discovery has announced, changed by somebody since."""
    entry = MockConfigEntry(domain="mqtt", title="broker")
    entry.add_to_hass(hass)
    devices, entities = dr.async_get(hass), er.async_get(hass)
    node = devices.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("mqtt", "livecam-nvr_livecam")}, name="Home"
    )
    camera = devices.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("mqtt", "livecam-nvr_livecam_cam0")},
        name="Front door",
        via_device_id=node.id,
    )
    other = devices.async_get_or_create(config_entry_id=entry.entry_id, identifiers={("mqtt", "other")}, name="Lamp")
    area = ar.async_get(hass).async_create("Outside")
    devices.async_update_device(camera.id, area_id=area.id, name_by_user="My door")

    def add(domain: str, unique_id: str, object_id: str, device: dr.DeviceEntry) -> er.RegistryEntry:
        return entities.async_get_or_create(
            domain, "mqtt", unique_id, config_entry=entry, device_id=device.id, suggested_object_id=object_id
        )

    recording = add("switch", REC, "front_door_recording", camera)
    entities.async_update_entity(recording.entity_id, new_entity_id="switch.my_rec", name="Rec!")
    add("sensor", FPS, "front_door_frame_rate", camera)
    restart = add("button", RESTART, "front_door_restart", camera)
    entities.async_update_entity(restart.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    add("event", REFUSED, "home_command_refused", node)
    add("switch", "lamp", "lamp", other)
    return entry


@pytest.fixture
def loaded_by_mqtt(hass: HomeAssistant, mqtt: MockConfigEntry) -> Iterator[str]:
    """An entity that Home Assistant's MQTT has loaded."""
    entity_sources(hass)["switch.my_rec"] = {"domain": "mqtt", "custom_component": False}
    yield "switch.my_rec"
    entity_sources(hass).pop("switch.my_rec", None)


def taken(hass: HomeAssistant) -> er.RegistryEntry | None:
    entities = er.async_get(hass)
    found = entities.async_get_entity_id("switch", "livecam_nvr", f"{INSTALL_ID}_cam0_recording")
    return entities.async_get(found) if found else None


def carriers(service: FakeService) -> list[str]:
    return [body["carrier"] for body in service.ordered("/api/home-assistant")]


async def test_there_and_back(
    hass: HomeAssistant, service: FakeService, mqtt: MockConfigEntry, entry: MockConfigEntry
) -> None:
    devices, entities = dr.async_get(hass), er.async_get(hass)
    before = entities.async_get("switch.my_rec")
    assert before is not None
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert carriers(service) == ["moving", "integration"]
    after = entities.async_get("switch.my_rec")
    assert after is not None
    assert (after.id, after.name, after.platform) == (before.id, "Rec!", "livecam_nvr")
    assert (after.config_entry_id, after.device_id) == (entry.entry_id, before.device_id)
    state = hass.states.get("switch.my_rec")
    assert state is not None
    assert state.state == "on"
    restart = entities.async_get("button.front_door_restart")
    assert restart is not None
    assert (restart.platform, restart.disabled_by) == ("livecam_nvr", er.RegistryEntryDisabler.USER)
    camera = devices.async_get(str(after.device_id))
    assert camera is not None
    assert (camera.name_by_user, camera.config_entry_id) == ("My door", entry.entry_id)
    assert camera.identifiers == {("livecam_nvr", f"{INSTALL_ID}_cam0")}
    assert camera.area_id is not None
    # Only MQTT has it, and its device has moved.
    assert entities.async_get("event.home_command_refused") is None
    lamp = entities.async_get("switch.lamp")
    assert lamp is not None
    assert lamp.platform == "mqtt"

    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert carriers(service) == ["moving", "integration", "mqtt"]
    back = entities.async_get("switch.my_rec")
    assert back is not None
    assert (back.id, back.name, back.platform, back.unique_id) == (before.id, "Rec!", "mqtt", REC)
    device = devices.async_get(str(back.device_id))
    assert device is not None
    assert device.identifiers == {("mqtt", "livecam-nvr_livecam_cam0")}
    assert (device.id, device.config_entry_id, device.area_id) == (camera.id, mqtt.entry_id, camera.area_id)
    assert not [one for one in entities.entities.values() if one.config_entry_id == entry.entry_id]


async def test_waits_until_mqtt_lets_go(
    hass: HomeAssistant, service: FakeService, loaded_by_mqtt: str, entry: MockConfigEntry
) -> None:
    def let_go(carrier: str) -> None:
        if carrier == "moving":
            hass.loop.call_later(0.2, entity_sources(hass).pop, loaded_by_mqtt)

    service.carried = let_go
    assert await hass.config_entries.async_setup(entry.entry_id)
    found = taken(hass)
    assert found is not None
    assert found.entity_id == "switch.my_rec"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_mqtt_does_not_let_go(
    hass: HomeAssistant,
    service: FakeService,
    loaded_by_mqtt: str,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handover, "_UNLOADED_IN_S", 0.1)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert (entry.state, entry.error_reason_translation_key) == (ConfigEntryState.SETUP_RETRY, "mqtt_holds_on")
    assert carriers(service) == ["moving"]
    assert taken(hass) is None


async def test_goes_on_in_the_middle(
    hass: HomeAssistant, service: FakeService, mqtt: MockConfigEntry, entry: MockConfigEntry
) -> None:
    service.info["carrier"] = "moving"
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert carriers(service) == ["integration"]
    assert taken(hass) is not None
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert carriers(service) == ["integration"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_leftovers_are_taken(
    hass: HomeAssistant, service: FakeService, mqtt: MockConfigEntry, entry: MockConfigEntry
) -> None:
    service.info["carrier"] = "integration"
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert taken(hass) is not None
    await hass.config_entries.async_unload(entry.entry_id)


async def test_there_are_ours_already(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, mqtt: MockConfigEntry
) -> None:
    service.info["carrier"] = "mqtt"
    ours = taken(hass)
    assert ours is not None
    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert taken(hass) == ours
    entities = er.async_get(hass)
    assert entities.async_get("switch.my_rec") is None
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), mqtt.entry_id)
    assert {device.name for device in devices} == {"Lamp"}


@pytest.mark.parametrize("names", [True, False])
async def test_without_mqtt(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry, names: bool) -> None:
    if not names:
        service.info["mqtt"] = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert carriers(service) == ["moving", "integration"]
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert carriers(service)[-1] == "mqtt"
    assert taken(hass) is None


async def test_broker_is_away(hass: HomeAssistant, service: FakeService, entry: MockConfigEntry) -> None:
    service.broker_away = True
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_service_is_away_at_the_end(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    await service.stop()
    await hass.config_entries.async_remove(loaded.entry_id)
    assert "could not be told that MQTT discovery carries its entities again" in caplog.text
    assert taken(hass) is None
