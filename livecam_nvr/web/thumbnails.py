"""Small pictures of the past."""

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.playback_keys import FOOTAGE, PAST_PICTURES
from livecam_nvr.web.playback_range import camera_of
from livecam_nvr.web.query import moment, whole_number
from livecam_nvr.web.status import iso

_HEIGHTS = range(16, 4321)
_USUAL_HEIGHT = 180
# Footage that is older is finished, and the picture of that moment stays what it is.
_SETTLED_NS = 120 * NS
_AHEAD_NS = 2 * NS  # the viewer's clock may be a little ahead of ours


async def thumbnail(request: web.Request) -> web.Response:
    """`thumbnail.jpg?at=&height=`: the last keyframe at or before a moment."""
    camera_id = camera_of(request)
    at = moment(request, "at")
    if at is None:
        raise LivecamError(
            ErrorKind.INVALID, "`at` is missing", "say of which moment, such as ?at=2026-11-21T09:30:00Z"
        )
    height = whole_number(request, "height", _HEIGHTS) or _USUAL_HEIGHT
    now = request.app[PORTS].clock.utc_ns()
    if at > now + _AHEAD_NS:
        raise LivecamError(ErrorKind.INVALID, "`at` lies in the future", "only the past has been recorded")
    keyframe = await request.app[FOOTAGE].keyframe(camera_id, max(0, at))
    old = now - at > _SETTLED_NS
    headers = {
        "ETag": f'"{keyframe.utc_ns:x}-{height}"',
        "Cache-Control": "private, max-age=86400, immutable" if old else "private, no-cache",
        # Not for whoever uses the same browser after they have signed out.
        "Vary": "Cookie, Authorization",
        "X-Picture-Utc": iso(keyframe.utc_ns),
    }
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    picture = await request.app[PAST_PICTURES].jpeg(camera_id, keyframe, max_height=height)
    return web.Response(body=picture, content_type="image/jpeg", headers=headers)
