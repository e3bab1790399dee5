"""The recording switch over HTTP."""

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.status import recording_json

_WANTED = 'the body has to be {"on": true} or {"on": false}'


async def set_recording(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/recording` with `{"on": true|false}`; answers what the recorder really does."""
    control = request.app[PORTS].recording
    camera_id = request.match_info["camera_id"]
    control.recording(camera_id)
    on = (await ordered(request, ("on",), _WANTED)).get("on")
    if not isinstance(on, bool):
        raise LivecamError(ErrorKind.INVALID, "the body says something else than on or off", _WANTED)
    remark(request, "on" if on else "off")
    return web.json_response(recording_json(camera_id, control.set_recording(camera_id, on, sender(request))))
