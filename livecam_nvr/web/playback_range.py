"""The footage of the range that a request names."""

from aiohttp import web

from livecam_nvr.core.past import Footage, Piece
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.playback_keys import FOOTAGE
from livecam_nvr.web.query import moment, time_range
from livecam_nvr.web.status import iso

MOST_S = 86_400.0
"""So much can be played at once, seconds."""
LAST_UTC_NS = 1 << 62
"""A time beyond that is none that a recording could have."""


def camera_of(request: web.Request) -> str:
    """The camera in the request's path.

    Raises:
        LivecamError: NOT_FOUND if there is none of that name.
    """
    camera_id = request.match_info["camera_id"]
    request.app[PORTS].streams.hub(camera_id)
    return camera_id


def asked_range(request: web.Request) -> tuple[int, int, bool]:
    """Begin and end of the range, and whether it goes on: `to` is not given, or not over yet.

    Raises:
        LivecamError: INVALID if it has no begin, or as `time_range`.
    """
    if moment(request, "from") is None:
        raise LivecamError(
            ErrorKind.INVALID, "`from` is missing", "say where to begin, such as ?from=2026-11-21T09:30:00Z"
        )
    clock = request.app[PORTS].clock
    begin, end = since_1970(*time_range(request, clock, usual_s=MOST_S, most_s=MOST_S))
    asked_end = moment(request, "to")
    return begin, end, asked_end is None or asked_end > end


def since_1970(begin_utc_ns: int, end_utc_ns: int) -> tuple[int, int]:
    """The range without what lies before 1970, of which the index cannot be asked."""
    return max(0, begin_utc_ns), max(1, end_utc_ns)


async def footage_of(request: web.Request, begin_utc_ns: int, end_utc_ns: int) -> list[Piece]:
    """The pieces of the range.

    Raises:
        LivecamError: NOT_FOUND if there is nothing, with what is nearest.
    """
    camera_id = camera_of(request)
    footage = request.app[FOOTAGE]
    pieces = await footage.pieces(camera_id, begin_utc_ns, end_utc_ns)
    if not pieces:
        raise await _nothing(footage, camera_id, begin_utc_ns, end_utc_ns)
    return pieces


async def _nothing(footage: Footage, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> LivecamError:
    before, after = await footage.nearest(camera_id, begin_utc_ns, end_utc_ns)
    near = []
    if before is not None:
        near.append(f"the footage before ends at {iso(before)}")
    if after is not None:
        near.append(f"the next begins at {iso(after)}")
    hint = ", ".join(near) or "nothing of this camera is recorded"
    words = f"nothing of {camera_id} is recorded between {iso(begin_utc_ns)} and {iso(end_utc_ns)}"
    return LivecamError(ErrorKind.NOT_FOUND, words, hint)
