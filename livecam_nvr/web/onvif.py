"""Searching for cameras, and moving those that can be moved, over HTTP."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.ptz import OnvifPort
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered

_WANTED = (
    'the body has to be like {"move": {"pan": 0.5, "tilt": 0, "zoom": 0, "seconds": 0.5}}, {"stop": true},'
    ' {"preset": "1"} or {"home": true}'
)
_ORDERS = ("move", "stop", "preset", "home")
_SPEEDS = ("pan", "tilt", "zoom")
_MOST_TOKEN = 64


async def discover(request: web.Request) -> web.Response:
    """`GET /api/discover`: what answers in the network within a few seconds."""
    onvif = request.app[PORTS].onvif
    if onvif is None:
        raise LivecamError(ErrorKind.UNAVAILABLE, "this service cannot search for cameras")
    return web.json_response({"cameras": [asdict(camera) for camera in await onvif.discover()]})


async def get_ptz(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/ptz`: how the camera can be moved, and its presets."""
    onvif, camera_id = _camera(request)
    return web.json_response({"camera_id": camera_id, **asdict(await onvif.abilities(camera_id))})


async def set_ptz(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/ptz`: one order; answers when the camera has taken it."""
    onvif, camera_id = _camera(request)
    body = await ordered(request, _ORDERS, _WANTED)
    if len(body) != 1:
        raise LivecamError(ErrorKind.INVALID, "the body has to hold one order", _WANTED)
    [(order, value)] = body.items()
    remark(request, order)
    if order == "move":
        await onvif.move(camera_id, **_movement(value))
    elif order == "preset":
        await onvif.goto_preset(camera_id, _token(value))
    elif value is not True:
        raise LivecamError(ErrorKind.INVALID, f"{order} can only be true", _WANTED)
    elif order == "stop":
        await onvif.stop_moving(camera_id)
    else:
        await onvif.goto_home(camera_id)
    return web.json_response({"camera_id": camera_id})


def _camera(request: web.Request) -> tuple[OnvifPort, str]:
    ports = request.app[PORTS]
    camera_id = request.match_info["camera_id"]
    ports.streams.hub(camera_id)
    if ports.onvif is None:
        raise LivecamError(
            ErrorKind.CONFLICT, f"the camera {camera_id!r} cannot be moved: this service has no ONVIF"
        )
    return ports.onvif, camera_id


def _movement(value: Any) -> dict[str, float]:
    """Numbers for all four; the port looks at their bounds."""
    if not isinstance(value, dict) or "seconds" not in value:
        raise LivecamError(ErrorKind.INVALID, "move needs at least its seconds", _WANTED)
    for key, number in value.items():
        if key not in (*_SPEEDS, "seconds"):
            raise LivecamError(ErrorKind.INVALID, f"move has a key {key[:40]!r}, which is unknown", _WANTED)
        # JSON's `true` is no number, although Python's is.
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise LivecamError(ErrorKind.INVALID, f"{key} is not a number", _WANTED)
    return {**dict.fromkeys(_SPEEDS, 0), **value}


def _token(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_TOKEN:
        raise LivecamError(
            ErrorKind.INVALID, "preset is not the token of a preset", "GET at this address tells the presets"
        )
    return value
