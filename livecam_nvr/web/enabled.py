"""Stops and starts whole cameras over HTTP."""

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender

_WANTED = 'the body has to be {"on": true} or {"on": false}'


async def set_enabled(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/enabled` with `{"on": true|false}`; answers when it has stopped, or begins."""
    ports = request.app[PORTS]
    camera_id = request.match_info["camera_id"]
    ports.control.quality(camera_id)
    on = (await ordered(request, ("on",), _WANTED)).get("on")
    if not isinstance(on, bool):
        raise LivecamError(ErrorKind.INVALID, "the body says something else than on or off", _WANTED)
    if ports.power is None:
        raise LivecamError(ErrorKind.UNAVAILABLE, "cameras cannot be switched off here")
    remark(request, "on" if on else "off")
    return web.json_response(
        {"camera_id": camera_id, "enabled": await ports.power.set_enabled(camera_id, on, sender(request))}
    )
