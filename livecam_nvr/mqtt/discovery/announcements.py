"""What Home Assistant is told about the node and its cameras: device-based MQTT discovery. Pure.

Home Assistant drops a whole message for one unknown key at the top, in `device` or in `origin`, so these
payloads are built here, key by key, and nowhere else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from livecam_nvr.mqtt.discovery.controls import camera_controls, quality_controls, recording_controls
from livecam_nvr.mqtt.discovery.entities import Json, camera_entities
from livecam_nvr.mqtt.discovery.node_entities import node_entities
from livecam_nvr.mqtt.topics import Topics

ORIGIN = "livecam-nvr"
MIGRATE = b'{"migrate_discovery": true}'
"""In an announcement's place: Home Assistant unloads the entities but deletes none, so that another integration
can take them over with their ids and history (tried with Core 2026.11)."""

_MODELS = {
    "test": "Test picture",
    "rtsp": "IP camera",
    "file": "Video file",
    "v4l2": "USB camera",
    "picamera2": "Raspberry Pi camera",
}


@dataclass(frozen=True, slots=True)
class CameraCard:
    """A camera as far as its announcement goes."""

    id: str
    name: str
    kind: str
    """As in the config: `test`, `rtsp`, `file`, `v4l2`, `picamera2`."""
    heights: tuple[int, ...] = ()
    """What its resolution can be set to; empty where the quality cannot be changed."""
    most_fps: float = 0.0
    scheduled: bool = True
    """Whether it has a schedule that can be chosen as its mode."""


@dataclass(frozen=True, slots=True)
class NodeCard:
    """The service as far as its announcement goes."""

    name: str
    version: str
    page_url: str = ""
    support_url: str = ""
    """Shown in Home Assistant's log lines about us; left out if empty."""
    power: bool = True
    """Whether cameras can be switched off."""
    stills: bool = True
    """Whether there are still pictures."""


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
    return {
        "device": _device(topics, node, None),
        "origin": _origin(node),
        "components": node_entities(topics),
    }


def _camera_device(topics: Topics, node: NodeCard, camera: CameraCard) -> Json:
    return {
        "device": _device(topics, node, camera),
        "origin": _origin(node),
        "components": {
            **recording_controls(topics, camera.id, scheduled=camera.scheduled),
            **camera_entities(topics, camera.id, stills=node.stills),
            **camera_controls(topics, camera.id, stills=node.stills, power=node.power),
            **quality_controls(topics, camera.id, camera.heights, camera.most_fps),
        },
    }
