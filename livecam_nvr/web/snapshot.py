"""A camera's newest picture."""

from aiohttp import web

from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.query import whole_number

_HEIGHTS = range(16, 4321)


async def snapshot(request: web.Request) -> web.Response:
    """`snapshot.jpg`, at most `?height=` pixels high."""
    height = whole_number(request, "height", _HEIGHTS)
    picture = await request.app[PORTS].pictures.snapshot(request.match_info["camera_id"], max_height=height)
    return web.Response(body=picture, content_type="image/jpeg")
