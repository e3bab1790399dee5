"""What the service shows of itself, as Home Assistant's discovery wants it. Pure."""

from livecam_nvr.mqtt.discovery.entities import (
    BREAK_IN,
    DIAGNOSTIC,
    FOR_FEW,
    OFFLINE,
    ONLINE,
    REFUSED,
    Json,
    entity,
    while_running,
)
from livecam_nvr.mqtt.topics import Topics


def node_entities(topics: Topics) -> Json:
    """All of them; the cameras have theirs themselves."""
    common = while_running(topics)
    return {
        # Without availability of its own: it must read "disconnected", not become unreadable itself.
        "connected": entity(
            topics,
            "binary_sensor",
            "connected",
            device_class="connectivity",
            state_topic=topics.service,
            payload_on=ONLINE,
            payload_off=OFFLINE,
            **DIAGNOSTIC,
        ),
        **_disk(topics),
        **_days(topics),
        "update": entity(
            topics,
            "update",
            "update",
            name="Software",
            icon="mdi:package-up",
            state_topic=topics.update,
            **common,
        ),
        **_figures(topics),
        "break_in": entity(
            topics,
            "event",
            "break_in",
            name="Break-in attempt",
            icon="mdi:shield-alert-outline",
            event_types=[BREAK_IN],
            state_topic=topics.break_in,
            **DIAGNOSTIC,
            **common,
        ),
        "refused": entity(
            topics,
            "event",
            "refused",
            name="Command refused",
            icon="mdi:message-alert-outline",
            event_types=[REFUSED],
            state_topic=topics.events,
            **DIAGNOSTIC,
            **common,
        ),
    }


def _disk(topics: Topics) -> Json:
    common = {**DIAGNOSTIC, **while_running(topics)}
    measured = {"state_class": "measurement", **common}
    in_gb = {
        "device_class": "data_size",
        "unit_of_measurement": "GB",
        "suggested_display_precision": 1,
        **measured,
    }
    return {
        "disk_free": entity(
            topics, "sensor", "disk_free", name="Disk free", state_topic=topics.disk_free, **in_gb
        ),
        "disk_used": entity(
            topics,
            "sensor",
            "disk_used",
            name="Disk used",
            state_topic=topics.disk,
            value_template="{{ value_json.used_gb }}",
            **FOR_FEW,
            **in_gb,
        ),
        "disk_percent": entity(
            topics,
            "sensor",
            "disk_percent",
            name="Disk usage",
            icon="mdi:harddisk",
            unit_of_measurement="%",
            suggested_display_precision=1,
            state_topic=topics.disk,
            value_template="{{ value_json.percent }}",
            **measured,
        ),
        "disk_problem": entity(
            topics,
            "binary_sensor",
            "disk_problem",
            name="Disk problem",
            device_class="problem",
            state_topic=topics.disk_problem,
            value_template="{{ value_json.problem }}",
            json_attributes_topic=topics.disk_problem,
            json_attributes_template="{{ {'reason': value_json.reason, 'hint': value_json.hint,"
            " 'level': value_json.level, 'trouble': value_json.trouble} | tojson }}",
            **common,
        ),
    }


def _days(topics: Topics) -> Json:
    common = {
        "device_class": "duration",
        "unit_of_measurement": "d",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "state_topic": topics.retention,
        **DIAGNOSTIC,
        **while_running(topics),
    }
    return {
        "days_held": entity(
            topics,
            "sensor",
            "days_held",
            name="Footage that fits",
            icon="mdi:archive-clock-outline",
            value_template="{{ value_json.days_held }}",
            json_attributes_topic=topics.retention,
            json_attributes_template="{{ {'oldest': value_json.oldest, 'gb': value_json.gb,"
            " 'gb_per_day': value_json.gb_per_day} | tojson }}",
            **common,
        ),
        "days_until_full": entity(
            topics,
            "sensor",
            "days_until_full",
            name="Days until full",
            icon="mdi:harddisk",
            value_template="{{ value_json.days_until_full }}",
            **common,
        ),
    }


def _figures(topics: Topics) -> Json:
    common = {"state_topic": topics.figures, **DIAGNOSTIC, **FOR_FEW, **while_running(topics)}
    measured = {"state_class": "measurement", "suggested_display_precision": 0, **common}
    return {
        # Older versions do not know the class `uptime`, and drop an entity whose class they do not know.
        "uptime": entity(
            topics,
            "sensor",
            "uptime",
            name="Running since",
            device_class="timestamp",
            value_template="{{ value_json.started }}",
            **common,
        ),
        "cpu": entity(
            topics,
            "sensor",
            "cpu",
            name="Processor",
            icon="mdi:cpu-64-bit",
            unit_of_measurement="%",
            value_template="{{ value_json.cpu }}",
            **measured,
        ),
        "memory": entity(
            topics,
            "sensor",
            "memory",
            name="Memory",
            icon="mdi:memory",
            device_class="data_size",
            unit_of_measurement="MB",
            value_template="{{ value_json.memory_mb }}",
            **measured,
        ),
    }
