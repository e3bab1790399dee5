"""A real Home Assistant with nothing but a broker: every entity, every command, and whatever may go wrong."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from support.broker import Broker
from support.home_assistant import HomeAssistant
from support.mqtt import listen
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

JPEG = b"\xff\xd8"
AWAY = "unavailable"

MakeService = Callable[..., Service]


class Kind(NamedTuple):
    """What Home Assistant should know of an entity."""

    domain: str
    device_class: str | None = None
    unit: str | None = None
    """None also of those that are disabled: only states tell of units."""
    category: str | None = None
    enabled: bool = True
    state_class: str | None = None


D, C = "diagnostic", "config"
NODE = {
    "connected": Kind("binary_sensor", "connectivity", category=D),
    "disk_free": Kind("sensor", "data_size", "GB", D, state_class="measurement"),
    "disk_used": Kind("sensor", "data_size", None, D, enabled=False, state_class="measurement"),
    "disk_percent": Kind("sensor", None, "%", D, state_class="measurement"),
    "disk_problem": Kind("binary_sensor", "problem", category=D),
    "days_held": Kind("sensor", "duration", "d", D, state_class="measurement"),
    "days_until_full": Kind("sensor", "duration", "d", D, state_class="measurement"),
    "update": Kind("update"),
    "uptime": Kind("sensor", "timestamp", category=D, enabled=False),
    "cpu": Kind("sensor", None, None, D, enabled=False, state_class="measurement"),
    "memory": Kind("sensor", "data_size", None, D, enabled=False, state_class="measurement"),
    "break_in": Kind("event", category=D),
    "refused": Kind("event", category=D),
}
CAMERA = {
    "camera": Kind("camera"),
    "recording": Kind("switch", category=C),
    "recording_mode": Kind("select", category=C),
    "enabled": Kind("switch", category=C),
    "keep": Kind("button"),
    "snapshot": Kind("button"),
    "restart": Kind("button", "restart", category=C),
    "resolution": Kind("select", category=C),
    "frame_rate": Kind("number", None, "fps", C),
    "online": Kind("binary_sensor", "connectivity", category=D),
    "recording_active": Kind("binary_sensor", "running"),
    "motion": Kind("binary_sensor", "motion"),
    "event": Kind("event"),
    "status": Kind("sensor", "enum", category=D),
    "problem": Kind("binary_sensor", "problem", category=D),
    "fps": Kind("sensor", None, None, D, enabled=False, state_class="measurement"),
    "bitrate": Kind("sensor", "data_rate", None, D, enabled=False, state_class="measurement"),
    "dropped": Kind("sensor", None, None, D, enabled=False, state_class="total_increasing"),
    "coverage_hour": Kind("sensor", None, None, D, enabled=False, state_class="measurement"),
    "coverage_day": Kind("sensor", None, "%", D, state_class="measurement"),
    "last_segment": Kind("sensor", "timestamp", None, D, enabled=False),
}
WANTED = {f"livecam_{key}": kind for key, kind in NODE.items()} | {
    f"livecam_{camera}_{key}": kind for camera in ("cam0", "cam1") for key, kind in CAMERA.items()
}


class House(NamedTuple):
    """A service whose cameras Home Assistant knows by the broker."""

    service: Service
    home: HomeAssistant
    ids: dict[str, str]
    """Unique id to entity id."""

    def of(self, key: str, camera: str = "cam0") -> str:
        """An entity of a camera; of the node if that is empty."""
        return self.ids[f"livecam_{camera}_{key}" if camera else f"livecam_{key}"]

    async def becomes(self, key: str, state: str, camera: str = "cam0") -> dict[str, Any]:
        """Waits until an entity has this state; all of it."""
        return await self.home.until_state(self.of(key, camera), state)

    async def picture(self, camera: str = "cam0") -> bytes:
        """What the frontend shows of a camera; empty if that is nothing."""
        async with self.home.request("GET", f"/api/camera_proxy/{self.of('camera', camera)}") as answer:
            return await answer.read() if answer.ok else b""


@asynccontextmanager
async def moved_in(home: HomeAssistant, broker: Broker, service: Service) -> AsyncIterator[House]:
    """Home Assistant has the broker and everything that the service announces."""
    await home.add_broker(broker.port)
    await service.start()
    ids: dict[str, str] = {}

    async def all_there() -> bool:
        nonlocal ids
        ids = await home.entity_ids("mqtt")
        return len(ids) >= len(NODE) + len(service.config["cameras"]) * len(CAMERA)

    try:
        await until(all_there, within_s=2 * PATIENCE_S)
    except AssertionError:
        raise AssertionError(f"there are only {sorted(ids)}") from None
    house = House(service, home, ids)
    for camera in service.config["cameras"]:
        await house.becomes("online", "on", camera["id"])
    yield house
    # What anybody would find in the log, whatever the test was about.
    assert home.complaints() == []


@pytest.fixture
async def house(home: HomeAssistant, broker: Broker, make_service: MakeService) -> AsyncIterator[House]:
    """Two cameras."""
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port})
    async with moved_in(home, broker, service) as house:
        yield house


async def test_every_entity_is_there_and_right(house: House) -> None:
    home = house.home
    found: dict[str, Kind] = {}
    try:
        await until(lambda: are_wanted(house, found))
    except AssertionError:
        assert found == WANTED

    devices = await home.devices()
    assert ours(devices) == {"livecam-nvr_livecam", "livecam-nvr_livecam_cam0", "livecam-nvr_livecam_cam1"}
    version = (await house.service.status())["version"]
    assert {devices[identifier]["sw_version"] for identifier in ours(devices)} == {version}
    node = devices["livecam-nvr_livecam"]["id"]
    assert devices["livecam-nvr_livecam_cam1"]["via_device_id"] == node

    for key, state in {"connected": "on", "disk_problem": "off", "update": "off"}.items():
        await house.becomes(key, state, "")
    shown = {
        "recording": "on",
        "recording_mode": "switched",
        "enabled": "on",
        "resolution": "360p",
        "frame_rate": "15",
        "recording_active": "on",
        "motion": "unknown",
        "problem": "off",
    }
    for camera in ("cam0", "cam1"):
        for key, state in shown.items():
            await house.becomes(key, state, camera)
        await until(lambda camera=camera: shows(house, camera), "a picture")

    async def all_there() -> bool:
        states = {entity_id: found["state"] for entity_id, found in (await home.states()).items()}
        live = [states[house.of("status", camera)].lower() for camera in ("cam0", "cam1")]
        free = states[house.of("disk_free", "")]
        away = [entity for entity in house.ids.values() if states.get(entity) == AWAY]
        return live == ["live", "live"] and free not in ("unknown", AWAY) and float(free) > 0 and not away

    await until(all_there, "both live, and no entity unavailable")


async def are_wanted(house: House, found: dict[str, Kind]) -> bool:
    """Whether all entities are as they should; `found` gets what they are."""
    home = house.home
    entries = await home.ask("config/entity_registry/get_entries", entity_ids=sorted(house.ids.values()))
    states = await home.states()
    for entity_id, entry in entries.items():
        attributes = states.get(entity_id, {}).get("attributes", {})
        found[entry["unique_id"]] = Kind(
            entity_id.split(".")[0],
            entry["original_device_class"],
            attributes.get("unit_of_measurement"),
            entry["entity_category"],
            entry["disabled_by"] is None,
            (entry["capabilities"] or {}).get("state_class"),
        )
    return found == WANTED


async def test_commands_do_what_they_say(house: House) -> None:
    home, service = house.home, house.service
    await home.call("switch.turn_off", house.of("recording"))
    await house.becomes("recording", "off")
    await house.becomes("recording_active", "off")
    before = service.segments("cam0")
    await home.call("switch.turn_on", house.of("recording"))
    await house.becomes("recording", "on")
    await house.becomes("recording_active", "on")
    await until(lambda: len(service.segments("cam0")) > len(before), "a new file")

    await home.call("select.select_option", house.of("resolution"), option="480p")
    await house.becomes("resolution", "480p")
    await home.call("number.set_value", house.of("frame_rate"), value=10)
    await house.becomes("frame_rate", "10")

    async def as_set() -> bool:
        camera = await service.camera("cam0")
        return bool(camera["height"] == 480 and camera["fps"] and abs(camera["fps"] - 10) < 1)

    await until(as_set, "the camera's new quality")

    await until(lambda: shows(house), "a picture")
    first = await house.picture()

    async def another() -> bool:
        await home.call("button.press", house.of("snapshot"))
        return await house.picture() != first

    await until(another, "another picture")

    await home.call("button.press", house.of("keep"))

    async def clips() -> list[dict[str, Any]]:
        return list(json.loads(await service.get("/api/clips"))["clips"])

    (clip,) = await until(clips, "the kept clip")
    assert clip["camera_id"] == "cam0"

    await home.call("select.select_option", house.of("recording_mode"), option="always")
    await house.becomes("recording_mode", "always")

    path = "/api/cameras/cam1/events"
    await service.post(path, {"label": "motion", "state": "begin"})
    await house.becomes("motion", "on", "cam1")
    await service.post(path, {"label": "motion", "state": "end"})
    await house.becomes("motion", "off", "cam1")

    async def ended() -> bool:
        attributes = (await home.state(house.of("event", "cam1")))["attributes"]
        return (attributes.get("event_type"), attributes.get("label")) == ("end", "motion")

    await until(ended, "the end of the event")

    await home.call("switch.turn_off", house.of("enabled", "cam1"))
    await house.becomes("enabled", "off", "cam1")
    await house.becomes("camera", AWAY, "cam1")
    await house.becomes("online", "off", "cam1")
    await home.call("switch.turn_on", house.of("enabled", "cam1"))
    await house.becomes("online", "on", "cam1")
    await house.becomes("enabled", "on", "cam1")

    async with listen(service.config["mqtt"]["port"], "livecam-nvr/livecam/event") as listener:
        await listener.client.publish("livecam-nvr/livecam/cam0/recording/set", b"MAYBE", qos=1)
        await until(lambda: listener.newest, "an answer")
        await until(lambda: told(home, house.of("refused", "")), "the refusal in Home Assistant")
    await house.becomes("recording", "on")


async def told(home: HomeAssistant, entity_id: str) -> bool:
    """Whether an event entity has had an event."""
    return (await home.state(entity_id)).get("state", "unknown") not in ("unknown", AWAY)


async def test_what_ends_comes_back(house: House, broker: Broker) -> None:
    home, service = house.home, house.service
    await home.call("switch.turn_off", house.of("recording", "cam1"))
    await house.becomes("recording", "off", "cam1")

    async def all_as_before() -> None:
        await house.becomes("connected", "on", "")
        await house.becomes("recording", "on", "cam0")
        await house.becomes("recording", "off", "cam1")
        await house.becomes("online", "on", "cam1")
        await until(lambda: shows(house), "a picture")

    # The broker dies with all it kept.
    broker.kill()
    await house.becomes("recording", AWAY)
    await broker.start()
    await all_as_before()

    # Home Assistant.
    await home.restart()
    await all_as_before()

    async def same_ids() -> bool:
        return await home.entity_ids("mqtt") == house.ids

    await until(same_ids, "the same entities")

    # The service, without a word.
    await service.kill()
    await house.becomes("connected", "off", "")
    await house.becomes("recording", AWAY)
    async with listen(broker.port) as listener:
        # What a broker keeps was said who knows when.
        await listener.client.publish("livecam-nvr/livecam/cam0/recording/set", b"OFF", qos=1, retain=True)
        await service.start()
        await all_as_before()
        await listener.client.publish("livecam-nvr/livecam/cam0/recording/set", b"", qos=1, retain=True)


async def shows(house: House, camera: str = "cam0") -> bool:
    """Whether Home Assistant has a picture."""
    return (await house.picture(camera)).startswith(JPEG)


async def test_cameras_and_names_that_go_leave_nothing_behind(
    house: House, make_service: MakeService, broker: Broker
) -> None:
    home, service = house.home, house.service
    # Another service of the same name does not get in.
    second = make_service(cameras=[small_camera("cam7")], mqtt=service.config["mqtt"])
    await second.start()
    try:
        await until(lambda: "livecam" in second.read_log() and faulty(second), "the second one refused")
        assert "livecam-nvr_livecam_cam7" not in await home.devices()
        await house.becomes("connected", "on", "")
    finally:
        await second.stop()
    await house.becomes("connected", "on", "")

    await service.stop()
    service.config["cameras"] = [small_camera("cam0")]
    await service.start()
    await until(lambda: devices_are(home, "livecam-nvr_livecam", "livecam-nvr_livecam_cam0"), "cam1 gone")

    async def gone() -> bool:
        return not [unique_id for unique_id in await home.entity_ids("mqtt") if "cam1" in unique_id]

    await until(gone, "the entities of cam1 gone")

    await service.stop()
    service.config["node"] = {"id": "attic"}
    await service.start()
    await until(lambda: devices_are(home, "livecam-nvr_attic", "livecam-nvr_attic_cam0"), "the new name alone")
    async with listen(broker.port) as listener:
        await until(lambda: "livecam-nvr/attic/status" in listener.newest, "what the broker keeps")

        def left() -> list[str]:
            return [topic for topic, kept in listener.newest.items() if "/livecam/" in topic and kept]

        try:
            await until(lambda: not left())
        except AssertionError:
            raise AssertionError(f"the broker still keeps {left()}") from None


async def faulty(service: Service) -> bool:
    """Whether a service says that it has a fault with its broker."""
    broker = (await service.status())["broker"]
    return bool(broker and broker.get("fault"))


async def devices_are(home: HomeAssistant, *identifiers: str) -> bool:
    """Whether Home Assistant has these of our devices and no other."""
    return ours(await home.devices()) == set(identifiers)


def ours(devices: dict[str, Any]) -> set[str]:
    """The identifiers of those that are ours."""
    return {identifier for identifier in devices if "livecam" in identifier}
