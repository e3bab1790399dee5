"""The recording mode over HTTP."""

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.status import recording_json

_WANTED = f'the body has to be like {{"mode": "events"}}; there are {", ".join(RecordingMode)}'


async def set_mode(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/mode` with `{"mode": "…"}`; answers what the recorder really does."""
    control = request.app[PORTS].recording
    camera_id = request.match_info["camera_id"]
    control.recording(camera_id)
    try:
        mode = RecordingMode(str((await ordered(request, ("mode",), _WANTED)).get("mode")))
    except ValueError:
        raise LivecamError(ErrorKind.INVALID, "the body names no mode that there is", _WANTED) from None
    remark(request, mode)
    return web.json_response(recording_json(camera_id, control.set_mode(camera_id, mode, sender(request))))
