"""What Home Assistant is told about the node and its cameras: device-based MQTT discovery. Pure.

Home Assistant drops a whole message for one unknown key at the top, in `device` or in `origin`, so these
payloads are built here, key by key, and nowhere else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from livecam_nvr.domain.status import CameraState
from livecam_nvr.mqtt.topics import Topics

ORIGIN = "livecam-nvr"
ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"

_MODELS = {"test": "Test picture", "rtsp": "IP camera", "file": "Video file", "v4l2": "USB camera"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CameraCard:
    """A camera as far as its announcement goes."""

    id: str
    name: str
    kind: str
    """As in the config: `test`, `rtsp`, `file`, `v4l2`."""


@dataclass(frozen=True, slots=True)
class NodeCard:
    """The service as far as its announcement goes."""

    name: str
    version: str
    page_url: str = ""
    support_url: str = ""
    """Shown in Home Assistant's log lines about us; left out if empty."""


def announcements(topics: Topics, node: NodeCard, cameras: Sequence[CameraCard]) -> dict[str, bytes]:
    """Topic to payload, in the order they have to be sent: the node first.

    A camera that names a `via_device` which Home Assistant has not heard of yet makes it invent a nameless one.
    """
    found = {topics.discovery(): _encoded(_node_device(topics, node))}
    for camera in cameras:
        found[topics.discovery(camera.id)] = _encoded(_camera_device(topics, node, camera))
    return found


def is_ours(payload: bytes) -> bool:
    """True if a discovery payload names us as its origin."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    origin = (found.get("origin") or found.get("o")) if isinstance(found, dict) else None
    return isinstance(origin, dict) and origin.get("name") == ORIGIN


def visitable(page_url: str) -> str | None:
    """`page_url` if it leads somewhere from another machine, else None.

    Home Assistant shows it as a "Visit" button, which opens in the browser of whoever looks: a loopback address
    would lead to that person's own machine. Anything that is no http(s) address makes it drop the message.
    """
    try:
        parts = urlsplit(page_url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or host == "localhost" or host.endswith(".localhost"):
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return page_url
    return None if address.is_loopback or address.is_unspecified else page_url


def _encoded(payload: Json) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _device(topics: Topics, node: NodeCard, camera: CameraCard | None) -> Json:
    device: Json = {
        "identifiers": [topics.device_id(camera.id if camera else None)],
        "name": camera.name if camera else node.name,
        "manufacturer": "livecam-nvr",
        "model": _MODELS.get(camera.kind, "Camera") if camera else "Camera service",
        "sw_version": node.version,
    }
    if camera:
        device["via_device"] = topics.device_id()
    url = visitable(node.page_url)
    if url:
        device["configuration_url"] = url
    return device


def _origin(node: NodeCard) -> Json:
    origin = {"name": ORIGIN, "sw_version": node.version}
    if node.support_url:
        origin["support_url"] = node.support_url
    return origin


def _node_device(topics: Topics, node: NodeCard) -> Json:
    while_running = {"availability": [{"topic": topics.service}]}
    return {
        "device": _device(topics, node, None),
        "origin": _origin(node),
        "components": {
            # Without availability of its own: it must read "disconnected", not become unreadable itself.
            "connected": {
                "platform": "binary_sensor",
                "unique_id": topics.unique_id("connected"),
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": topics.service,
                "payload_on": ONLINE,
                "payload_off": OFFLINE,
            },
            "disk_free": {
                "platform": "sensor",
                "unique_id": topics.unique_id("disk_free"),
                "name": "Disk free",
                "device_class": "data_size",
                "unit_of_measurement": "GB",
                "state_class": "measurement",
                "suggested_display_precision": 1,
                "entity_category": "diagnostic",
                "state_topic": topics.disk_free,
                **while_running,
            },
            "disk_problem": {
                "platform": "binary_sensor",
                "unique_id": topics.unique_id("disk_problem"),
                "name": "Disk problem",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": topics.disk_problem,
                "value_template": "{{ value_json.problem }}",
                "json_attributes_topic": topics.disk_problem,
                "json_attributes_template": "{{ {'reason': value_json.reason} | tojson }}",
                **while_running,
            },
        },
    }


def _camera_device(topics: Topics, node: NodeCard, camera: CameraCard) -> Json:
    return {
        "device": _device(topics, node, camera),
        "origin": _origin(node),
        "components": {**_camera_entities(topics, camera.id), **_camera_figures(topics, camera.id)},
    }


def _while_running(topics: Topics) -> Json:
    return {"availability": [{"topic": topics.service}]}


def _while_delivering(topics: Topics, camera_id: str) -> Json:
    return {
        "availability": [{"topic": topics.service}, {"topic": topics.available(camera_id)}],
        "availability_mode": "all",
    }


def _camera_entities(topics: Topics, camera_id: str) -> Json:
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


def _camera_figures(topics: Topics, camera_id: str) -> Json:
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
