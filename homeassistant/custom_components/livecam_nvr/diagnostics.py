"""What helps to find out what is wrong, without what is nobody's business: tokens, addresses, names of people."""

from datetime import timedelta
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.util import dt as dt_util

from .client import ApiError, Camera
from .coordinator import LivecamConfigEntry
from .devices import camera_of_device

_SECRET = {
    CONF_TOKEN,
    CONF_URL,
    "address",
    "addresses",
    "break_in",
    "by",
    "current_path",
    "idle_by",
    "install_id",
    "page_url",
    "path",
    "unique_id",
}
_DAY = timedelta(days=1)
_NEWEST_GAPS = 50


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: LivecamConfigEntry) -> dict[str, Any]:
    """Of a whole service."""
    del hass
    status = await _status(entry)
    cameras = entry.runtime_data.coordinator.data.cameras
    return {
        "entry": async_redact_data(entry.as_dict(), _SECRET),
        "service": _service(entry),
        "connected": entry.runtime_data.coordinator.last_update_success,
        "status": status,
        "coverage": {camera.id: await _coverage(entry, camera) for camera in cameras},
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: LivecamConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Of one camera; of the service's own device, all but the cameras."""
    del hass
    camera_id = camera_of_device(entry, device)
    status = await _status(entry)
    cameras = status.pop("cameras", [])
    camera = entry.runtime_data.coordinator.camera(camera_id) if camera_id else None
    if camera is None:
        return {"service": _service(entry), "status": status}
    return {
        "service": _service(entry),
        "camera": next((one for one in cameras if one.get("id") == camera.id), None),
        "coverage": await _coverage(entry, camera),
    }


def _service(entry: LivecamConfigEntry) -> dict[str, Any]:
    info = entry.runtime_data.info
    return {
        "version": info.version,
        "api": info.api,
        "carrier": info.carrier,
        "mqtt": None if info.mqtt is None else {"connected": info.mqtt.connected},
        "webrtc": info.webrtc,
        "role": info.role,
    }


async def _status(entry: LivecamConfigEntry) -> dict[str, Any]:
    """As the service writes it; why there is none if it cannot be asked."""
    try:
        raw = await entry.runtime_data.client.raw_status()
    except ApiError as error:
        return {"error": type(error).__name__}
    shown = async_redact_data(raw, _SECRET)
    if path := (raw.get("disk") or {}).get("path"):
        shown["disk"]["reason"] = shown["disk"]["reason"].replace(path, REDACTED)
    # Their words may name people and addresses; their kinds do not.
    for alarm in shown.get("alarms", []):
        alarm["words"] = REDACTED
    for camera in shown.get("cameras", []):
        for one in (camera, camera.get("recording") or {}):
            if one.get("fault"):
                one["fault"] = {**one["fault"], "message": REDACTED, "hint": REDACTED}
    for part in ("media_server", "broker"):
        if (shown.get(part) or {}).get("fault"):
            shown[part]["fault"] = REDACTED
    return shown


async def _coverage(entry: LivecamConfigEntry, camera: Camera) -> dict[str, Any]:
    """Of the last day, with the newest gaps."""
    now = dt_util.utcnow()
    try:
        found = await entry.runtime_data.client.coverage(camera.id, now - _DAY, now)
    except ApiError as error:
        return {"error": type(error).__name__}
    return {
        "recorded_s": found.sums.recorded_s,
        "share": found.sums.share,
        "share_of_wanted": found.sums.share_of_wanted,
        "gaps": [
            {"begin": gap.begin.isoformat(), "end": gap.end.isoformat(), "cause": gap.cause, "meant": gap.meant}
            for gap in found.gaps[-_NEWEST_GAPS:]
        ],
        "gaps_left_out": max(0, len(found.gaps) - _NEWEST_GAPS),
    }
