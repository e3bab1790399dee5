import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.mqtt.discovery.announcements import CameraCard, NodeCard, announcements, is_ours, visitable
from livecam_nvr.mqtt.topics import Topics

TOPICS = Topics("livecam-nvr", "homeassistant", "home")
NODE = NodeCard("My home", "1.2.3", "http://192.0.2.7:8001/", "https://example.org/livecam-nvr")
CAMERAS = [
    CameraCard("cam0", "Front door", "rtsp"),
    CameraCard("cam1", "Garage ü", "v4l2", (480, 720, 1080), 60.0),
]

# What Home Assistant's discovery schema allows; it drops the whole message for anything else.
TOP = {
    "device",
    "origin",
    "components",
    "availability",
    "availability_mode",
    "state_topic",
    "command_topic",
    "qos",
}
DEVICE = {
    "identifiers",
    "connections",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "hw_version",
    "sw_version",
    "serial_number",
    "via_device",
    "suggested_area",
    "configuration_url",
}
ORIGIN = {"name", "sw_version", "support_url"}
ENTITY = {
    "platform",
    "unique_id",
    "name",
    "icon",
    "entity_category",
    "availability",
    "availability_mode",
    "enabled_by_default",
    "json_attributes_topic",
    "json_attributes_template",
}
STATEFUL = ENTITY | {"state_topic", "value_template", "device_class"}
PLATFORMS = {
    "camera": ENTITY | {"topic"},
    "switch": STATEFUL | {"command_topic", "payload_on", "payload_off", "optimistic"},
    "update": STATEFUL,
    "binary_sensor": STATEFUL | {"payload_on", "payload_off"},
    "button": ENTITY | {"command_topic", "payload_press", "device_class"},
    "select": STATEFUL - {"device_class"} | {"command_topic", "options", "optimistic"},
    "number": STATEFUL | {"command_topic", "optimistic", "unit_of_measurement", "min", "max", "step", "mode"},
    "event": ENTITY | {"state_topic", "event_types"},
    "sensor": STATEFUL | {"unit_of_measurement", "state_class", "suggested_display_precision", "options"},
}


def told(**changes: object) -> dict[str, dict]:
    node = NodeCard(**{**{f: getattr(NODE, f) for f in NODE.__slots__}, **changes})
    return {topic: json.loads(payload) for topic, payload in announcements(TOPICS, node, CAMERAS).items()}


def entities(message: dict) -> list[dict]:
    """Without what is only removed."""
    return [entity for entity in message["components"].values() if set(entity) != {"platform"}]


def test_the_node_comes_first_and_cameras_hang_on_it():
    found = told()
    assert list(found) == [
        "homeassistant/device/livecam-nvr_home/config",
        "homeassistant/device/livecam-nvr_home_cam0/config",
        "homeassistant/device/livecam-nvr_home_cam1/config",
    ]
    hub, *cameras = found.values()
    assert "via_device" not in hub["device"]
    assert all(camera["device"]["via_device"] == hub["device"]["identifiers"][0] for camera in cameras)
    assert [camera["device"]["name"] for camera in cameras] == ["Front door", "Garage ü"]


def test_no_key_is_unknown_at_the_strict_levels_and_in_the_entities():
    for message in told().values():
        assert set(message) <= TOP
        assert set(message["device"]) <= DEVICE
        assert set(message["origin"]) <= ORIGIN
        assert message["origin"]["name"]
        for entity in entities(message):
            assert set(entity) <= PLATFORMS[entity["platform"]]
            assert entity["unique_id"]


def test_unique_ids_are_unique_and_never_change():
    ids = [e["unique_id"] for message in told().values() for e in entities(message)]
    assert len(ids) == len(set(ids))
    of_camera = {
        *("bitrate", "camera", "coverage_day", "coverage_hour", "dropped", "enabled", "event", "fps", "keep"),
        *("last_segment", "motion", "online", "problem", "recording", "recording_active", "recording_mode"),
        *("restart", "snapshot", "status"),
    }
    of_node = {
        *("break_in", "connected", "cpu", "days_held", "days_until_full", "disk_free", "disk_percent"),
        *("disk_problem", "disk_used", "memory", "refused", "update", "uptime"),
    }
    assert set(ids) == {
        *(f"home_{what}" for what in of_node),
        *(f"home_cam0_{what}" for what in of_camera),
        *(f"home_cam1_{what}" for what in of_camera | {"resolution", "frame_rate"}),
    }


def test_each_entity_is_what_it_should_be():
    _, camera, _ = told().values()
    parts = camera["components"]
    assert parts["camera"]["name"] is None
    both = [{"topic": "livecam-nvr/home/status"}, {"topic": "livecam-nvr/home/cam0/availability"}]
    for needs_the_camera in ("camera", "fps", "bitrate", "snapshot"):
        assert parts[needs_the_camera]["availability"] == both
        assert parts[needs_the_camera]["availability_mode"] == "all"
    for readable_without in (
        "recording",
        "recording_active",
        "online",
        "status",
        "last_segment",
        "problem",
        "restart",
        "recording_mode",
        "keep",
        "coverage_hour",
        "coverage_day",
        "enabled",
        "motion",
        "event",
        "dropped",
    ):
        assert parts[readable_without]["availability"] == both[:1]
    assert parts["recording"]["state_topic"] == "livecam-nvr/home/cam0/recording"
    assert parts["recording"]["command_topic"] == "livecam-nvr/home/cam0/recording/set"
    assert parts["status"]["options"] == ["live", "delay", "error", "offline"]
    assert parts["recording_mode"]["options"] == ["switched", "always", "schedule", "events"]
    assert (parts["bitrate"]["device_class"], parts["bitrate"]["unit_of_measurement"]) == ("data_rate", "Mbit/s")
    assert parts["last_segment"]["device_class"] == "timestamp"
    for entity in parts.values():
        assert "category" not in entity
        if entity["platform"] in ("sensor", "binary_sensor"):
            assert entity.get("entity_category") != "config"


def test_what_few_people_want_is_off_until_they_ask_for_it():
    hub, camera, _ = told().values()
    off = {
        key
        for message in (hub, camera)
        for key, entity in message["components"].items()
        if entity.get("enabled_by_default") is False
    }
    assert off == {
        *("disk_used", "uptime", "cpu", "memory", "fps", "bitrate", "dropped", "coverage_hour", "last_segment")
    }


def test_what_can_be_set_is_config_and_what_tells_of_health_is_diagnostic():
    hub, _, camera = told().values()
    parts = {**hub["components"], **{f"camera {k}": e for k, e in camera["components"].items()}}
    found = {key: entity.get("entity_category") for key, entity in parts.items()}
    assert {key for key, category in found.items() if category == "config"} == {
        f"camera {key}"
        for key in ("recording", "recording_mode", "enabled", "restart", "resolution", "frame_rate")
    }
    assert {key for key, category in found.items() if category is None} == {
        "update",
        *(f"camera {key}" for key in ("camera", "keep", "snapshot", "recording_active", "motion", "event")),
    }


def test_every_number_has_a_unit_a_state_class_and_its_decimals():
    for message in told().values():
        for key, entity in message["components"].items():
            if entity["platform"] != "sensor" or entity.get("device_class") in ("enum", "timestamp"):
                continue
            assert entity["state_class"] in ("measurement", "total_increasing"), key
            assert entity["unit_of_measurement"], key
            assert entity["suggested_display_precision"] >= 0, key
            assert entity.get("icon") or entity["device_class"], key


def test_a_switch_and_pictures_that_there_are_not_are_removed():
    _, camera, _ = told(power=False, stills=False).values()
    parts = camera["components"]
    assert parts["enabled"] == {"platform": "switch"}
    assert parts["camera"] == {"platform": "camera"}
    assert parts["snapshot"] == {"platform": "button"}
    assert parts["recording"]["unique_id"] == "home_cam0_recording"


def test_a_mode_that_would_be_refused_is_not_offered():
    cards = [CameraCard("cam0", "Front door", "rtsp", scheduled=False)]
    _, camera = (json.loads(payload) for payload in announcements(TOPICS, NODE, cards).values())
    assert camera["components"]["recording_mode"]["options"] == ["switched", "always", "events"]


def test_quality_can_be_set_where_it_can_be_changed():
    _, copied, encoded = told().values()
    # Nothing but the platform: Home Assistant removes what it may have from the time before.
    assert copied["components"]["resolution"] == {"platform": "select"}
    assert copied["components"]["frame_rate"] == {"platform": "number"}
    resolution, rate = (encoded["components"][what] for what in ("resolution", "frame_rate"))
    assert resolution["options"] == ["480p", "720p", "1080p"]
    assert (rate["min"], rate["max"], rate["step"]) == (1, 60, 1)
    for entity, topic in ((resolution, "resolution"), (rate, "frame_rate")):
        assert entity["entity_category"] == "config"
        assert entity["optimistic"] is False
        assert entity["state_topic"] == f"livecam-nvr/home/cam1/{topic}"
        assert entity["command_topic"] == f"livecam-nvr/home/cam1/{topic}/set"
        assert len(entity["availability"]) == 2


def test_names_never_repeat_the_device():
    for message in told().values():
        for entity in entities(message):
            assert message["device"]["name"] not in (entity.get("name") or "")
            assert "name" in entity or "device_class" in entity


def test_the_connection_sensor_stays_readable_when_the_service_is_gone():
    hub = next(iter(told().values()))
    assert "availability" not in hub
    assert "availability" not in hub["components"]["connected"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://192.0.2.7:8001/", True),
        ("https://cams.example.org/", True),
        ("http://[2001:db8::1]:8001/", True),
        ("http://127.0.0.1:8001/", False),
        ("http://localhost:8001/", False),
        ("http://[::1]:8001/", False),
        ("http://0.0.0.0:8001/", False),
        ("http://[::]:8001/", False),
        ("ftp://192.0.2.7/", False),
        ("http://", False),
        ("http://[bad/", False),
        ("http://host:99999/", False),
        ("", False),
    ],
)
def test_only_an_address_that_others_can_open_is_shown(url, shown):
    assert visitable(url) == (url if shown else None)
    devices = [message["device"] for message in told(page_url=url).values()]
    assert all(("configuration_url" in device) is shown for device in devices)


def test_no_support_url_no_key():
    assert all("support_url" not in message["origin"] for message in told(support_url="").values())


def test_ours_is_told_from_others():
    assert all(is_ours(payload) for payload in announcements(TOPICS, NODE, CAMERAS).values())
    assert is_ours(b'{"o": {"name": "livecam-nvr"}}')
    for other in (
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"origin": "livecam-nvr"}',
        b'{"origin": {"name": "x"}}',
        b"[" * 99_999,
    ):
        assert not is_ours(other)


@given(st.binary())
def test_any_bytes_can_be_looked_at(payload):
    is_ours(payload)
