"""What can be switched, chosen and pressed of a camera, as Home Assistant's discovery wants it. Pure."""

from collections.abc import Sequence

from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.discovery.entities import (
    CONFIG,
    OFF,
    ON,
    PRESS,
    Json,
    entity,
    while_delivering,
    while_running,
)
from livecam_nvr.mqtt.topics import Topics


def recording_controls(topics: Topics, camera_id: str, *, scheduled: bool) -> Json:
    """How recording goes on. Without a schedule that mode cannot be chosen."""
    modes = [mode for mode in RecordingMode if scheduled or mode is not RecordingMode.SCHEDULE]
    common = while_running(topics)
    return {
        "recording": entity(
            topics,
            "switch",
            "recording",
            camera_id,
            name="Recording",
            icon="mdi:record-rec",
            state_topic=topics.recording(camera_id),
            command_topic=topics.recording_set(camera_id),
            payload_on=ON,
            payload_off=OFF,
            optimistic=False,
            **CONFIG,
            **common,
        ),
        "recording_mode": entity(
            topics,
            "select",
            "recording_mode",
            camera_id,
            name="Recording mode",
            icon="mdi:calendar-clock",
            options=[str(mode) for mode in modes],
            state_topic=topics.recording_mode(camera_id),
            command_topic=topics.recording_mode_set(camera_id),
            optimistic=False,
            **CONFIG,
            **common,
        ),
        "keep": entity(
            topics,
            "button",
            "keep",
            camera_id,
            name="Keep that",
            icon="mdi:content-save-alert-outline",
            command_topic=topics.keep_set(camera_id),
            payload_press=PRESS,
            **common,
        ),
    }


def camera_controls(topics: Topics, camera_id: str, *, stills: bool, power: bool) -> Json:
    """The camera itself. Without `power` it cannot be switched off, without `stills` there are no pictures of it.

    Home Assistant keeps an entity that is merely left out. One with nothing but its platform is removed, and if
    there is none, nothing happens: so nobody has to know what was announced before.
    """
    enabled = entity(
        topics,
        "switch",
        "enabled",
        camera_id,
        name="Enabled",
        icon="mdi:power",
        state_topic=topics.enabled(camera_id),
        command_topic=topics.enabled_set(camera_id),
        payload_on=ON,
        payload_off=OFF,
        optimistic=False,
        **CONFIG,
        **while_running(topics),
    )
    snapshot = entity(
        topics,
        "button",
        "snapshot",
        camera_id,
        name="Snapshot",
        icon="mdi:camera-iris",
        command_topic=topics.picture_set(camera_id),
        payload_press=PRESS,
        **while_delivering(topics, camera_id),
    )
    return {
        "enabled": enabled if power else {"platform": "switch"},
        "snapshot": snapshot if stills else {"platform": "button"},
        "restart": entity(
            topics,
            "button",
            "restart",
            camera_id,
            device_class="restart",
            command_topic=topics.restart_set(camera_id),
            payload_press=PRESS,
            **CONFIG,
            **while_running(topics),
        ),
    }


def quality_controls(topics: Topics, camera_id: str, heights: Sequence[int], most_fps: float) -> Json:
    """What can be set while the camera delivers: a new quality has to prove itself."""
    if not heights:
        return {"resolution": {"platform": "select"}, "frame_rate": {"platform": "number"}}
    common = {**CONFIG, **while_delivering(topics, camera_id)}
    return {
        "resolution": entity(
            topics,
            "select",
            "resolution",
            camera_id,
            name="Resolution",
            icon="mdi:monitor-screenshot",
            options=[f"{height}p" for height in heights],
            state_topic=topics.resolution(camera_id),
            command_topic=topics.resolution_set(camera_id),
            json_attributes_topic=topics.stats(camera_id),
            json_attributes_template="{{ {'size': value_json.size} | tojson }}",
            optimistic=False,
            **common,
        ),
        "frame_rate": entity(
            topics,
            "number",
            "frame_rate",
            camera_id,
            name="Frame rate",
            icon="mdi:filmstrip",
            unit_of_measurement="fps",
            min=1,
            max=most_fps,
            step=1,
            mode="box",
            state_topic=topics.frame_rate(camera_id),
            command_topic=topics.frame_rate_set(camera_id),
            optimistic=False,
            **common,
        ),
    }
