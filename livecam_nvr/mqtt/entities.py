"""A camera's entities as Home Assistant's discovery wants them. Pure."""

from collections.abc import Sequence
from typing import Any

from livecam_nvr.domain.status import CameraState, RecordingMode
from livecam_nvr.mqtt.topics import Topics

ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
PRESS = "PRESS"
BREAK_IN = "break_in_attempt"

Json = dict[str, Any]


def _while_running(topics: Topics) -> Json:
    return {"availability": [{"topic": topics.service}]}


def _while_delivering(topics: Topics, camera_id: str) -> Json:
    return {
        "availability": [{"topic": topics.service}, {"topic": topics.available(camera_id)}],
        "availability_mode": "all",
    }


def camera_entities(topics: Topics, camera_id: str) -> Json:
    """What the camera is and does; all but the picture stay readable while the camera is away."""
    while_running = _while_running(topics)
    return {
        "camera": {
            "platform": "camera",
            "unique_id": topics.unique_id("camera", camera_id),
            "name": None,
            "topic": topics.picture(camera_id),
            **_while_delivering(topics, camera_id),
        },
        "recording": {
            "platform": "switch",
            "unique_id": topics.unique_id("recording", camera_id),
            "name": "Recording",
            "icon": "mdi:record-rec",
            "entity_category": "config",
            "state_topic": topics.recording(camera_id),
            "command_topic": topics.recording_set(camera_id),
            **while_running,
        },
        "recording_active": {
            "platform": "binary_sensor",
            "unique_id": topics.unique_id("recording_active", camera_id),
            "name": "Recording active",
            "device_class": "running",
            "state_topic": topics.recording_active(camera_id),
            "value_template": "{{ value_json.active }}",
            "json_attributes_topic": topics.recording_active(camera_id),
            "json_attributes_template": "{{ {'reason': value_json.reason} | tojson }}",
            **while_running,
        },
        "online": {
            "platform": "binary_sensor",
            "unique_id": topics.unique_id("online", camera_id),
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": topics.available(camera_id),
            "payload_on": ONLINE,
            "payload_off": OFFLINE,
            **while_running,
        },
        "status": {
            "platform": "sensor",
            "unique_id": topics.unique_id("status", camera_id),
            "name": "Status",
            "device_class": "enum",
            "options": [str(state) for state in CameraState],
            "entity_category": "diagnostic",
            "state_topic": topics.state(camera_id),
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": topics.state(camera_id),
            "json_attributes_template": "{{ {'error': value_json.error, 'hint': value_json.hint} | tojson }}",
            **while_running,
        },
        "problem": {
            "platform": "binary_sensor",
            "unique_id": topics.unique_id("problem", camera_id),
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": topics.problem(camera_id),
            "value_template": "{{ value_json.problem }}",
            "json_attributes_topic": topics.problem(camera_id),
            "json_attributes_template": "{{ {'complaints': value_json.complaints} | tojson }}",
            **while_running,
        },
        "restart": {
            "platform": "button",
            "unique_id": topics.unique_id("restart", camera_id),
            "device_class": "restart",
            "entity_category": "config",
            "command_topic": topics.restart_set(camera_id),
            "payload_press": PRESS,
            **while_running,
        },
        "last_segment": {
            "platform": "sensor",
            "unique_id": topics.unique_id("last_segment", camera_id),
            "name": "Last segment",
            "device_class": "timestamp",
            "entity_category": "diagnostic",
            "state_topic": topics.last_segment(camera_id),
            "value_template": "{{ value_json.finished }}",
            "json_attributes_topic": topics.last_segment(camera_id),
            "json_attributes_template": "{{ {'file': value_json.file} | tojson }}",
            **while_running,
        },
    }


def past_entities(topics: Topics, camera_id: str, scheduled: bool) -> Json:
    """How recording goes on, and how much of the past there is. Without a schedule that mode cannot be chosen."""
    modes = [mode for mode in RecordingMode if scheduled or mode is not RecordingMode.SCHEDULE]
    while_running = _while_running(topics)
    coverage = {
        "platform": "sensor",
        "icon": "mdi:timeline-check-outline",
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "entity_category": "diagnostic",
        "state_topic": topics.coverage(camera_id),
        **while_running,
    }
    return {
        "recording_mode": {
            "platform": "select",
            "unique_id": topics.unique_id("recording_mode", camera_id),
            "name": "Recording mode",
            "icon": "mdi:calendar-clock",
            "entity_category": "config",
            "options": [str(mode) for mode in modes],
            "state_topic": topics.recording_mode(camera_id),
            "command_topic": topics.recording_mode_set(camera_id),
            "optimistic": False,
            **while_running,
        },
        "keep": {
            "platform": "button",
            "unique_id": topics.unique_id("keep", camera_id),
            "name": "Keep that",
            "icon": "mdi:content-save-alert-outline",
            "command_topic": topics.keep_set(camera_id),
            "payload_press": PRESS,
            **while_running,
        },
        "coverage_hour": {
            "unique_id": topics.unique_id("coverage_hour", camera_id),
            "name": "Recorded of the last hour",
            "value_template": "{{ value_json.hour }}",
            **coverage,
        },
        "coverage_day": {
            "unique_id": topics.unique_id("coverage_day", camera_id),
            "name": "Recorded of the last 24 h",
            "value_template": "{{ value_json.day }}",
            "json_attributes_topic": topics.coverage(camera_id),
            "json_attributes_template": "{{ {'of_wanted': value_json.of_wanted, 'gaps': value_json.gaps,"
            " 'last_gap': value_json.last_gap} | tojson }}",
            **coverage,
        },
    }


def camera_figures(topics: Topics, camera_id: str) -> Json:
    """Figures that mean nothing while the camera is away."""
    common = {
        "platform": "sensor",
        "state_class": "measurement",
        "entity_category": "diagnostic",
        "state_topic": topics.stats(camera_id),
        **_while_delivering(topics, camera_id),
    }
    return {
        "fps": {
            "unique_id": topics.unique_id("fps", camera_id),
            "name": "Frame rate",
            "icon": "mdi:filmstrip",
            "unit_of_measurement": "fps",
            "suggested_display_precision": 1,
            "value_template": "{{ value_json.fps }}",
            **common,
        },
        "bitrate": {
            "unique_id": topics.unique_id("bitrate", camera_id),
            "name": "Bit rate",
            "device_class": "data_rate",
            "unit_of_measurement": "Mbit/s",
            "suggested_display_precision": 2,
            "value_template": "{{ value_json.bitrate_mbps }}",
            **common,
        },
    }


def quality_entities(topics: Topics, camera_id: str, heights: Sequence[int], most_fps: float) -> Json:
    """What can be set while the camera delivers: a new quality has to prove itself.

    Home Assistant keeps an entity that is merely left out. One with nothing but its platform is removed, and if
    there is none, nothing happens: so nobody has to know what was announced before.
    """
    if not heights:
        return {"resolution": {"platform": "select"}, "frame_rate": {"platform": "number"}}
    common = {"entity_category": "config", **_while_delivering(topics, camera_id)}
    return {
        "resolution": {
            "platform": "select",
            "unique_id": topics.unique_id("resolution", camera_id),
            "name": "Resolution",
            "icon": "mdi:monitor-screenshot",
            "options": [f"{height}p" for height in heights],
            "state_topic": topics.resolution(camera_id),
            "command_topic": topics.resolution_set(camera_id),
            "json_attributes_topic": topics.stats(camera_id),
            "json_attributes_template": "{{ {'size': value_json.size} | tojson }}",
            "optimistic": False,
            **common,
        },
        "frame_rate": {
            "platform": "number",
            "unique_id": topics.unique_id("frame_rate", camera_id),
            "name": "Frame rate",
            "icon": "mdi:filmstrip",
            "unit_of_measurement": "fps",
            "min": 1,
            "max": most_fps,
            "step": 1,
            "mode": "box",
            "state_topic": topics.frame_rate(camera_id),
            "command_topic": topics.frame_rate_set(camera_id),
            "optimistic": False,
            **common,
        },
    }
