"""What was recorded as HLS, out of the files as they are: playlists, init segments, media segments."""

from dataclasses import replace

from aiohttp import web

from livecam_nvr.core.past import Piece
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.access_caller import carried
from livecam_nvr.web.playback_keys import FOOTAGE
from livecam_nvr.web.playback_playlist import chunks, is_short, playlist
from livecam_nvr.web.playback_range import LAST_UTC_NS, asked_range, camera_of, footage_of
from livecam_nvr.web.playback_send import send

_PLAYLIST = "application/vnd.apple.mpegurl"
# Not for whoever uses the same browser after they have signed out.
_KEPT = {"Cache-Control": "private, max-age=3600", "Vary": "Cookie, Authorization"}
# What was filled up until so long ago is not filled up any further: the camera has stopped.
_SETTLED_NS = 20 * NS
# The times of a file that was merged from others differ from theirs by what a camera's clock drifted.
_SLACK_NS = 20_000_000
_LONGEST_NS = 3600 * NS
_GONE = "the playlist names what there is: read it again"


async def media_playlist(request: web.Request) -> web.Response:
    """`playback.m3u8?from=&to=`: one that is over, or grows if `to` is not given or lies ahead."""
    begin, end, goes_on = asked_range(request)
    pieces = await footage_of(request, begin, end)
    listed = [list(chunks(piece)) for piece in pieces]
    last = listed[-1][-1]
    if goes_on and is_short(last, pieces[-1]) and last.end_utc_ns > end - _SETTLED_NS:
        listed[-1].pop()
    text = playlist(pieces, listed, over=not goes_on, query=carried(request))
    return web.Response(text=text, content_type=_PLAYLIST)


async def init(request: web.Request) -> web.Response:
    """`playback/{begin}/init.mp4`."""
    begin = min(int(request.match_info["begin"]), LAST_UTC_NS)
    piece = await _piece(request, begin, begin + NS)
    return web.Response(body=piece.init, headers={**_KEPT, "Content-Type": piece.mime})


async def segment(request: web.Request) -> web.StreamResponse:
    """`playback/{begin}-{end}/{position}.m4s`."""
    begin, end = int(request.match_info["begin"]), int(request.match_info["end"])
    if not begin < end <= min(begin + _LONGEST_NS, LAST_UTC_NS):
        raise LivecamError(ErrorKind.INVALID, "this is no media segment of a playlist", _GONE)
    piece = await _piece(request, begin, end)
    response = web.StreamResponse(headers={**_KEPT, "Content-Type": "video/mp4"})
    size = sum(part.end - part.begin for part in piece.parts)
    body = request.app[FOOTAGE].read(piece, at=int(request.match_info["position"]))
    return await send(request, response, body, size)


async def _piece(request: web.Request, begin_utc_ns: int, end_utc_ns: int) -> Piece:
    """The footage of one file that begins at `begin_utc_ns`: a media segment never goes over the end of a file.

    By the clock, the file before may end a little after that, or the one behind begin a little before the end.

    Raises:
        LivecamError: NOT_FOUND if it is no more.
    """
    camera_id = camera_of(request)
    footage = request.app[FOOTAGE]
    for slack in (0, min(_SLACK_NS, (end_utc_ns - begin_utc_ns) // 4)):
        wanted = begin_utc_ns + slack, max(begin_utc_ns + slack + 1, end_utc_ns - slack)
        for piece in await footage.pieces(camera_id, *wanted):
            for part in piece.parts:
                if abs(part.begin_utc_ns - begin_utc_ns) <= slack:
                    end = part.begin_utc_ns + part.duration * NS // piece.timescale
                    return replace(
                        piece, begin_utc_ns=part.begin_utc_ns, end_utc_ns=end, frames=part.frames, parts=(part,)
                    )
    raise LivecamError(ErrorKind.NOT_FOUND, f"this footage of {camera_id} is no longer there", _GONE)
