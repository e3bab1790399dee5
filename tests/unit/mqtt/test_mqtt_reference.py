"""`docs/ref/mqtt.md` names every topic and every entity."""

import json
from pathlib import Path

from livecam_nvr.mqtt.discovery.announcements import CameraCard, NodeCard, announcements
from livecam_nvr.mqtt.topics import Topics

PAGE = (Path(__file__).parents[3] / "docs/ref/mqtt.md").read_text()
NAMES = Topics("<base>", "<prefix>", "<node>")


def test_every_topic_is_in_the_reference():
    topics = [
        NAMES.service,
        NAMES.instance,
        NAMES.disk_free,
        NAMES.disk_problem,
        NAMES.retention,
        NAMES.break_in,
        NAMES.about,
        NAMES.update,
        NAMES.figures,
        NAMES.disk,
        NAMES.events,
        NAMES.event("<camera>"),
        NAMES.birth,
        NAMES.all_discovery,
    ]
    of_camera = [t for t in NAMES.retained_of("<camera>") if "/device/" not in t]
    commands = [
        NAMES.recording_set("<camera>"),
        NAMES.resolution_set("<camera>"),
        NAMES.frame_rate_set("<camera>"),
        NAMES.restart_set("<camera>"),
        NAMES.recording_mode_set("<camera>"),
        NAMES.keep_set("<camera>"),
        NAMES.event_set("<camera>"),
        NAMES.enabled_set("<camera>"),
        NAMES.picture_set("<camera>"),
    ]
    for topic in [*topics, *of_camera, *commands, NAMES.commands]:
        assert f"`{topic}`" in PAGE


def test_every_entity_is_in_the_reference():
    cards = [CameraCard("<camera>", "x", "test", (480,), 60.0)]
    for payload in announcements(NAMES, NodeCard("x", "1"), cards).values():
        for entity in json.loads(payload)["components"].values():
            assert f"`{entity['unique_id']}`" in PAGE
