"""What MQTT discovery calls the node, its cameras and their entities, for whoever takes them over. Pure."""

import json
from collections.abc import Iterable, Mapping

from livecam_nvr.core.home_assistant import BrokerNames
from livecam_nvr.mqtt.topics import Topics


def names(topics: Topics, camera_ids: Iterable[str], announcements: Mapping[str, bytes]) -> BrokerNames:
    """From the announcements themselves: whatever is announced has a name here, and nothing else has."""
    found = {
        camera_id: _unique_ids(announcements[topic])
        for camera_id in ("", *camera_ids)
        if (topic := topics.discovery(camera_id or None)) in announcements
    }
    devices = {camera_id: topics.device_id(camera_id or None) for camera_id in found}
    return BrokerNames(topics.base, topics.discovery_prefix, devices, found)


def _unique_ids(announcement: bytes) -> dict[str, str]:
    components = json.loads(announcement).get("components", {})
    # What has no id is announced to be removed.
    return {key: found["unique_id"] for key, found in components.items() if "unique_id" in found}
