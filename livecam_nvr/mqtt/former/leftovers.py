"""What the broker keeps of an earlier time that nobody ought to see any more. Pure."""

import json
from dataclasses import dataclass

from livecam_nvr.core.home_assistant import Carrier
from livecam_nvr.mqtt.discovery.announcements import MIGRATE, is_ours
from livecam_nvr.mqtt.discovery.devices import Devices
from livecam_nvr.mqtt.topics import Topics

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Gone:
    """Something of a camera that we do not have any more."""

    camera_id: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announcement of ours, though MQTT does not carry the entities any more."""


Leftover = Gone | Announcement


def leftover(now: Devices, topics: Topics, topic: str, payload: bytes) -> Leftover | None:
    """What a message is that the broker has kept; None if it is all right there, or not ours."""
    if topic in now.announced:
        return Announcement() if now.carrier is Carrier.INTEGRATION else None
    announced = topics.announced_camera(topic)
    if announced is not None and announced not in now.camera_ids and _announces_us(payload):
        return Gone(announced)
    told = topics.state_of(topic)
    return Gone(told) if told is not None and told not in now.camera_ids and _is_state(payload) else None


def _announces_us(payload: bytes) -> bool:
    return len(payload) <= _LARGEST and (payload == MIGRATE or is_ours(payload))


def _is_state(payload: bytes) -> bool:
    """Whether it says what we say of a camera."""
    try:
        found = json.loads(payload) if len(payload) <= _LARGEST else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() == {"state", "error", "hint"}
