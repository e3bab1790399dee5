"""A camera's quality, and its restart, over HTTP."""

from typing import Any

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.status import quality_json

_WANTED = 'the body has to be like {"height": 720}, {"fps": 15} or {"height": 720, "fps": 15}'
_MOST = 100_000  # what is more is no number of lines or frames at all


async def get_quality(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/quality`."""
    return _answer(request, request.app[PORTS].control.quality(request.match_info["camera_id"]))


async def set_quality(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/quality`: answers when the first frame of the new quality is there.

    A client that leaves before that breaks off the waiting, not the change (core.ports.CameraControl).
    """
    control = request.app[PORTS].control
    camera_id = request.match_info["camera_id"]
    control.quality(camera_id)
    body = await ordered(request, ("height", "fps"), _WANTED)
    if not body:
        raise LivecamError(ErrorKind.INVALID, "the body asks for nothing", _WANTED)
    height = _positive(body, "height", (int,))
    fps = _positive(body, "fps", (int, float))
    remark(request, ", ".join(f"{key} {value:g}" for key, value in (("height", height), ("fps", fps)) if value))
    return _answer(request, await control.set_quality(camera_id, height=height, fps=fps, by=sender(request)))


async def restart(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/restart` with `{}`: 202, because the camera begins anew only after the answer."""
    control = request.app[PORTS].control
    camera_id = request.match_info["camera_id"]
    control.quality(camera_id)
    await ordered(request, (), "the body has to be {}")
    control.restart(camera_id, sender(request))
    return web.json_response({"camera_id": camera_id}, status=202)


def _positive(body: dict[str, Any], key: str, kinds: tuple[type, ...]) -> Any:
    """The number under `key`, None without the key. JSON's `true` is no number, although Python's is."""
    if key not in body:
        return None
    value = body[key]
    if type(value) not in kinds or not 0 < value < _MOST:
        raise LivecamError(ErrorKind.INVALID, f"{key} is not a number that a picture can have", _WANTED)
    return value


def _answer(request: web.Request, status: QualityStatus) -> web.Response:
    camera_id = request.match_info["camera_id"]
    init = request.app[PORTS].streams.hub(camera_id).init
    return web.json_response(quality_json(camera_id, status, init.video if init else None))
