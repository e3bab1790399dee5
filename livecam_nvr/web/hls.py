"""HLS out of a camera's memory: playlists, init segments, media segments (RFC 8216)."""

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.access_caller import caller_of, carried
from livecam_nvr.web.keys import OPEN, PORTS, SHELVES
from livecam_nvr.web.playlist import Shelf, gop_bytes, master_playlist, media_playlist

_PLAYLIST = "application/vnd.apple.mpegurl"
_GONE = "playlists name what is there: read the playlist again"


async def master(request: web.Request) -> web.Response:
    """`hls/index.m3u8`: the playlist to open."""
    return web.Response(text=master_playlist(await _shelf(request), carried(request)), content_type=_PLAYLIST)


async def media(request: web.Request) -> web.Response:
    """`hls/live.m3u8`: the media playlist, read again and again by players."""
    shelf, ports = await _shelf(request), request.app[PORTS]
    newest = shelf.listed[-1].gop
    # The page must not show what is old as live, and its own clock may be any.
    age_s = (ports.clock.utc_ns() - newest.utc_ns) / NS - newest.duration_s
    headers = {"X-Newest-Age": f"{max(0.0, age_s):.3f}", **ports.ways}
    return web.Response(text=media_playlist(shelf, carried(request)), content_type=_PLAYLIST, headers=headers)


async def init(request: web.Request) -> web.Response:
    """`hls/init-{run}.mp4`."""
    hub = request.app[PORTS].streams.hub(request.match_info["camera_id"])
    found = request.app[SHELVES].now(hub).init_of(int(request.match_info["run"]))
    if found is None:
        raise LivecamError(ErrorKind.NOT_FOUND, "this run of the camera is no longer in memory", _GONE)
    return web.Response(body=found.data, content_type="video/mp4")


async def segment(request: web.Request) -> web.Response:
    """`hls/{sequence}.m4s`: one GOP."""
    hub = request.app[PORTS].streams.hub(request.match_info["camera_id"])
    entry = request.app[SHELVES].now(hub).find(int(request.match_info["sequence"]))
    data = gop_bytes(hub.ring, entry.gop) if entry else None
    if data is None:
        raise LivecamError(ErrorKind.NOT_FOUND, "this segment is no longer in memory", _GONE)
    return web.Response(body=data, content_type="video/mp4")


async def _shelf(request: web.Request) -> Shelf:
    hub = request.app[PORTS].streams.hub(request.match_info["camera_id"])
    with request.app[OPEN].held(caller_of(request)) as stream:
        return await request.app[SHELVES].filled(hub)
    raise stream.why()
