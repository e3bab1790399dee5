"""What a camera shows of itself, as Home Assistant's discovery wants it. Pure."""

from typing import Any, Final

from livecam_nvr.domain.status import CameraState
from livecam_nvr.mqtt.topics import Topics

ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
UNKNOWN = "None"
"""What Home Assistant takes for an unknown state, on every platform."""
PRESS = "PRESS"
BREAK_IN = "break_in_attempt"
REFUSED = "refused"
BEGIN, END, MOMENT = "begin", "end", "moment"

Json = dict[str, Any]

DIAGNOSTIC: Final[Json] = {"entity_category": "diagnostic"}
CONFIG: Final[Json] = {"entity_category": "config"}
FOR_FEW: Final[Json] = {"enabled_by_default": False}
"""What few people want: there, but switched off until somebody asks Home Assistant for it."""


def entity(topics: Topics, platform: str, key: str, camera_id: str | None = None, **more: Any) -> Json:
    """One component; `key` ends its unique id. Whatever is not said of it is Home Assistant's default."""
    return {"platform": platform, "unique_id": topics.unique_id(key, camera_id), **more}


def while_running(topics: Topics) -> Json:
    """Readable as long as the service is there."""
    return {"availability": [{"topic": topics.service}]}


def while_delivering(topics: Topics, camera_id: str) -> Json:
    """For what means nothing while the camera is away."""
    return {
        "availability": [{"topic": topics.service}, {"topic": topics.available(camera_id)}],
        "availability_mode": "all",
    }


def camera_entities(topics: Topics, camera_id: str, *, stills: bool = True) -> Json:
    """What the camera is and does. Without `stills` there is no picture, and one that there was is removed."""
    delivering = while_delivering(topics, camera_id)
    picture = {
        "camera": entity(
            topics, "camera", "camera", camera_id, name=None, topic=topics.picture(camera_id), **delivering
        )
    }
    return {
        **(picture if stills else {"camera": {"platform": "camera"}}),
        **_goings_on(topics, camera_id),
        **_health(topics, camera_id),
        **_past(topics, camera_id),
        **_figures(topics, camera_id),
    }


def _goings_on(topics: Topics, camera_id: str) -> Json:
    """What happens in front of it may be reported by others, even while it is away."""
    common = while_running(topics)
    return {
        "motion": entity(
            topics,
            "binary_sensor",
            "motion",
            camera_id,
            device_class="motion",
            state_topic=topics.motion(camera_id),
            payload_on=ON,
            payload_off=OFF,
            **common,
        ),
        "event": entity(
            topics,
            "event",
            "event",
            camera_id,
            name="Event",
            icon="mdi:eye-outline",
            event_types=[BEGIN, END, MOMENT],
            state_topic=topics.event(camera_id),
            **common,
        ),
    }


def _health(topics: Topics, camera_id: str) -> Json:
    common = while_running(topics)
    return {
        "recording_active": entity(
            topics,
            "binary_sensor",
            "recording_active",
            camera_id,
            name="Recording active",
            device_class="running",
            state_topic=topics.recording_active(camera_id),
            value_template="{{ value_json.active }}",
            json_attributes_topic=topics.recording_active(camera_id),
            json_attributes_template="{{ {'reason': value_json.reason} | tojson }}",
            **common,
        ),
        "online": entity(
            topics,
            "binary_sensor",
            "online",
            camera_id,
            device_class="connectivity",
            state_topic=topics.available(camera_id),
            payload_on=ONLINE,
            payload_off=OFFLINE,
            **DIAGNOSTIC,
            **common,
        ),
        "status": entity(
            topics,
            "sensor",
            "status",
            camera_id,
            name="Status",
            device_class="enum",
            icon="mdi:cctv",
            options=[state.lower() for state in CameraState],
            state_topic=topics.state(camera_id),
            value_template="{{ value_json.state | lower }}",
            json_attributes_topic=topics.state(camera_id),
            json_attributes_template="{{ {'error': value_json.error, 'hint': value_json.hint} | tojson }}",
            **DIAGNOSTIC,
            **common,
        ),
        "problem": entity(
            topics,
            "binary_sensor",
            "problem",
            camera_id,
            device_class="problem",
            state_topic=topics.problem(camera_id),
            value_template="{{ value_json.problem }}",
            json_attributes_topic=topics.problem(camera_id),
            json_attributes_template="{{ {'complaints': value_json.complaints} | tojson }}",
            **DIAGNOSTIC,
            **common,
        ),
    }


def _past(topics: Topics, camera_id: str) -> Json:
    common = {**DIAGNOSTIC, **while_running(topics)}
    coverage = {
        "icon": "mdi:timeline-check-outline",
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "state_topic": topics.coverage(camera_id),
        **common,
    }
    return {
        "last_segment": entity(
            topics,
            "sensor",
            "last_segment",
            camera_id,
            name="Last segment",
            device_class="timestamp",
            state_topic=topics.last_segment(camera_id),
            value_template="{{ value_json.finished }}",
            json_attributes_topic=topics.last_segment(camera_id),
            json_attributes_template="{{ {'file': value_json.file} | tojson }}",
            **FOR_FEW,  # one line in the device's activity for each file
            **common,
        ),
        "coverage_hour": entity(
            topics,
            "sensor",
            "coverage_hour",
            camera_id,
            name="Recorded of the last hour",
            value_template="{{ value_json.hour }}",
            **FOR_FEW,
            **coverage,
        ),
        "coverage_day": entity(
            topics,
            "sensor",
            "coverage_day",
            camera_id,
            name="Recorded of the last 24 h",
            value_template="{{ value_json.day }}",
            json_attributes_topic=topics.coverage(camera_id),
            json_attributes_template="{{ {'of_wanted': value_json.of_wanted, 'gaps': value_json.gaps,"
            " 'last_gap': value_json.last_gap} | tojson }}",
            **coverage,
        ),
    }


def _figures(topics: Topics, camera_id: str) -> Json:
    """Frame rate and bit rate mean nothing while the camera is away; how many frames were dropped does."""
    common = {"state_topic": topics.stats(camera_id), **DIAGNOSTIC, **FOR_FEW}
    measured = {"state_class": "measurement", **while_delivering(topics, camera_id), **common}
    return {
        "fps": entity(
            topics,
            "sensor",
            "fps",
            camera_id,
            name="Frame rate",
            icon="mdi:filmstrip",
            unit_of_measurement="fps",
            suggested_display_precision=1,
            value_template="{{ value_json.fps }}",
            **measured,
        ),
        "bitrate": entity(
            topics,
            "sensor",
            "bitrate",
            camera_id,
            name="Bit rate",
            device_class="data_rate",
            unit_of_measurement="Mbit/s",
            suggested_display_precision=2,
            value_template="{{ value_json.bitrate_mbps }}",
            **measured,
        ),
        "dropped": entity(
            topics,
            "sensor",
            "dropped",
            camera_id,
            name="Dropped frames",
            icon="mdi:filmstrip-off",
            unit_of_measurement="frames",
            state_class="total_increasing",
            suggested_display_precision=0,
            value_template="{{ value_json.dropped }}",
            **while_running(topics),
            **common,
        ),
    }
