"""The recording switch over HTTP."""

import json

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.status import recording_json

_WANTED = 'the body has to be {"on": true} or {"on": false}'


async def set_recording(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/recording` with `{"on": true|false}`; answers what the recorder really does.

    Only `application/json` is taken: a browser does not send that for a foreign page without asking us first
    (Fetch standard, CORS-preflight), and we never agree.
    """
    control = request.app[PORTS].recording
    camera_id = request.match_info["camera_id"]
    control.recording(camera_id)
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="the Content-Type has to be application/json")
    by = f"the page ({request.remote})" if request.headers.get("Origin") else f"HTTP ({request.remote})"
    status = control.set_recording(camera_id, _wanted(await request.read()), by)
    return web.json_response(recording_json(camera_id, status))


def _wanted(body: bytes) -> bool:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise LivecamError(ErrorKind.INVALID, "the body is not JSON", _WANTED) from None
    if not isinstance(value, dict) or set(value) != {"on"} or not isinstance(value["on"], bool):
        raise LivecamError(ErrorKind.INVALID, "the body says something else than on or off", _WANTED)
    return value["on"]
