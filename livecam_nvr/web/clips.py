"""Kept clips over HTTP: *keep that*, the list, and giving one up."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.past import ClipDesk
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.query import moment_of
from livecam_nvr.web.status import plain

CLIPS: web.AppKey[ClipDesk] = web.AppKey("CLIPS", ClipDesk)
_WANTED = (
    'the body has to be {}, or like {"before_s": 30, "after_s": 30, "title": "parcel"} or'
    ' {"from": "2026-11-21T09:30:00Z", "to": "2026-11-21T09:35:00Z", "title": "parcel"}'
)
_KEYS = ("before_s", "after_s", "from", "to", "title")


async def keep(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/keep`: the last seconds and the next ones, or a range of the past."""
    desk, camera_id, by = request.app[CLIPS], request.match_info["camera_id"], sender(request)
    request.app[PORTS].recording.recording(camera_id)
    body = await ordered(request, _KEYS, _WANTED)
    title = body.get("title", "")
    if not isinstance(title, str):
        raise LivecamError(ErrorKind.INVALID, "the title is no text", _WANTED)
    if "from" not in body and "to" not in body:
        before_s, after_s = _seconds(body, "before_s"), _seconds(body, "after_s")
        clip = desk.keep(camera_id, by=by, before_s=before_s, after_s=after_s, title=title)
    elif "before_s" in body or "after_s" in body:
        raise LivecamError(ErrorKind.INVALID, "the body has seconds and a range: only one can be meant", _WANTED)
    else:
        clip = await desk.keep_range(camera_id, _moment(body, "from"), _moment(body, "to"), by=by, title=title)
    return web.json_response(_json(clip), status=201)


async def list_clips(request: web.Request) -> web.Response:
    """`GET /api/clips?camera=`: the newest first."""
    found = await request.app[CLIPS].clips(request.query.get("camera"))
    return web.json_response({"clips": [_json(clip) for clip in found]})


async def release(request: web.Request) -> web.Response:
    """`DELETE /api/clips/{clip_id}`: its footage may be deleted again; answers the clip that was."""
    clip = await request.app[CLIPS].release(request.match_info["clip_id"], sender(request))
    return web.json_response(_json(clip))


def _seconds(body: dict[str, Any], key: str) -> float | None:
    """The number under `key`, None without the key. JSON's `true` is no number, although Python's is."""
    if key not in body:
        return None
    value = body[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LivecamError(ErrorKind.INVALID, f"{key} is no number of seconds", _WANTED)
    return value


def _moment(body: dict[str, Any], key: str) -> int:
    if key not in body:
        raise LivecamError(ErrorKind.INVALID, f"{key} is missing", _WANTED)
    value = body[key]
    if type(value) in (int, float):  # Unix seconds
        value = str(value)
    if not isinstance(value, str):
        raise LivecamError(ErrorKind.INVALID, f"{key} is no moment", _WANTED)
    return moment_of(key, value)


def _json(clip: Clip) -> dict[str, Any]:
    return dict(plain(asdict(clip)))
