"""What MQTT discovery calls everything."""

import json

from livecam_nvr.core.home_assistant import BrokerNames
from livecam_nvr.mqtt.discovery.announcements import CameraCard, NodeCard, announcements
from livecam_nvr.mqtt.discovery.names import names
from livecam_nvr.mqtt.topics import Topics

TOPICS = Topics("base", "prefix", "my_home")


def test_names_are_those_of_the_announcements() -> None:
    cameras = [
        CameraCard("cam0", "Door", "test", heights=(720, 480), most_fps=30),
        CameraCard("b_c", "Copied", "rtsp"),
    ]
    announced = announcements(TOPICS, NodeCard("Home", "1"), cameras)
    found = names(TOPICS, [camera.id for camera in cameras], announced)
    assert (found.base_topic, found.discovery_prefix) == ("base", "prefix")
    assert found.devices == {
        "": "livecam-nvr_my__home",
        "cam0": "livecam-nvr_my__home_cam0",
        "b_c": "livecam-nvr_my__home_b_c",
    }
    assert found.unique_ids[""]["disk_free"] == "my__home_disk_free"
    assert found.unique_ids["cam0"]["recording"] == "my__home_cam0_recording"
    assert found.unique_ids["cam0"]["resolution"] == "my__home_cam0_resolution"
    assert "resolution" not in found.unique_ids["b_c"], "it is announced to be removed"
    for camera_id, topic in zip(("", "cam0", "b_c"), announced, strict=True):
        device = json.loads(announced[topic])
        assert device["device"]["identifiers"] == [found.devices[camera_id]]
        ids = {part["unique_id"] for part in device["components"].values() if "unique_id" in part}
        assert set(found.unique_ids[camera_id].values()) == ids


def test_what_is_not_announced_has_no_name() -> None:
    assert names(TOPICS, ["cam0"], {}) == BrokerNames("base", "prefix", {}, {})
