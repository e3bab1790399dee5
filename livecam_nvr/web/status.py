"""The service's status as JSON."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from livecam_nvr.domain.access import Role
from livecam_nvr.domain.media import Track
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingStatus, ServiceStatus
from livecam_nvr.web import proxies
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.hosts import host_name
from livecam_nvr.web.keys import PORTS

_UTC = "_utc_ns"
_SPAN = "_ns"


def plain(value: Any) -> Any:
    """A value for JSON: `x_utc_ns` becomes `x_utc` (ISO 8601) and `x_utc_s`, `x_ns` becomes `x_s` (seconds).

    Nanoseconds since 1970 are more than a JSON number can hold exactly (RFC 8259, section 6).
    """
    if isinstance(value, dict):
        result: dict[str, Any] = {}
        for key, item in value.items():
            if key.endswith(_UTC):
                stem = key.removesuffix("_ns")
                result[stem] = iso(item) if item else None
                result[f"{stem}_s"] = round(item / NS, 3) if item else None
            elif key.endswith(_SPAN):
                result[f"{key.removesuffix(_SPAN)}_s"] = None if item is None else round(item / NS, 3)
            else:
                result[key] = plain(item)
        return result
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def iso(utc_ns: int) -> str:
    """`2026-11-21T09:30:00.123Z`."""
    return datetime.fromtimestamp(utc_ns / NS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def service_json(status: ServiceStatus, host: str) -> dict[str, Any]:
    """The whole status; `host` is how this viewer calls this machine."""
    result: dict[str, Any] = plain(asdict(status))
    for camera in result["cameras"]:
        addresses = camera["addresses"] or {}
        for name, address in addresses.items():
            addresses[name] = address and address.replace("{host}", host)
    return result


def recording_json(camera_id: str, status: RecordingStatus) -> dict[str, Any]:
    """One camera's recorder."""
    return {"camera_id": camera_id, **plain(asdict(status))}


def quality_json(camera_id: str, status: QualityStatus, video: Track | None) -> dict[str, Any]:
    """One camera's quality: what was asked for, and as `running` the size that really comes."""
    running = {"width": video.width, "height": video.height} if video else None
    return {"camera_id": camera_id, **plain(asdict(status)), "running": running}


def shown_host(request: web.Request) -> str:
    """How the viewer calls this machine."""
    return host_name(proxies.host(request)) or "localhost"


def shown_status(request: web.Request) -> dict[str, Any]:
    """The status as far as it is this viewer's affair."""
    principal = caller_of(request).principal
    status = request.app[PORTS].status.status()
    cameras = tuple(camera for camera in status.cameras if principal.sees(camera.id))
    alarms = tuple(alarm for alarm in status.alarms if not alarm.camera_id or principal.sees(alarm.camera_id))
    shown = service_json(replace(status, cameras=cameras, alarms=alarms), shown_host(request))
    if not (principal.may(Role.OPERATOR) and principal.cameras is None):
        shown["break_in"] = None
    if not principal.may(Role.WATCHER):
        shown["retention"] = None
        shown["disk"]["path"] = ""
    return shown


async def get_status(request: web.Request) -> web.Response:
    """`GET /api/status`."""
    text = json.dumps(shown_status(request), ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, content_type="application/json")


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 as long as the service answers; cameras' states are in the status."""
    del request
    return web.json_response({"ok": True})
