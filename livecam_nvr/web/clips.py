"""Kept clips over HTTP: *keep that*, the list, and giving one up."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.past import ClipDesk, no_such_clip
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.web.access_caller import ForeignError, caller_of, demand_theirs
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.query import moment_in
from livecam_nvr.web.status import iso, plain

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
        clip = await desk.keep_range(
            camera_id, moment_in(body, "from", _WANTED), moment_in(body, "to", _WANTED), by=by, title=title
        )
    remark(request, _words(clip))
    return web.json_response(_json(clip), status=201)


async def list_clips(request: web.Request) -> web.Response:
    """`GET /api/clips?camera=`: the newest first."""
    camera_id = request.query.get("camera")
    if camera_id is not None:
        demand_theirs(request, (camera_id,), request.app[PORTS].streams.ids())
    principal = caller_of(request).principal
    found = await request.app[CLIPS].clips(camera_id)
    return web.json_response({"clips": [_json(clip) for clip in found if principal.sees(clip.camera_id)]})


async def release(request: web.Request) -> web.Response:
    """`DELETE /api/clips/{clip_id}`: its footage may be deleted again; answers the clip that was."""
    desk, clip_id, principal = request.app[CLIPS], request.match_info["clip_id"], caller_of(request).principal
    if principal.cameras is not None:
        of = {clip.id: clip.camera_id for clip in await desk.clips()}
        if clip_id not in of:
            raise no_such_clip()
        if not principal.sees(of[clip_id]):
            raise ForeignError.like(no_such_clip())
    clip = await desk.release(clip_id, sender(request))
    remark(request, _words(clip))
    return web.json_response(_json(clip))


def _seconds(body: dict[str, Any], key: str) -> float | None:
    """The number under `key`, None without the key. JSON's `true` is no number, although Python's is."""
    if key not in body:
        return None
    value = body[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LivecamError(ErrorKind.INVALID, f"{key} is no number of seconds", _WANTED)
    return value


def _words(clip: Clip) -> str:
    """For the audit log."""
    return f"{clip.camera_id} from {iso(clip.begin_utc_ns)} to {iso(clip.end_utc_ns)}"


def _json(clip: Clip) -> dict[str, Any]:
    return dict(plain(asdict(clip)))
