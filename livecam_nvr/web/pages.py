"""The pages and their files."""

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from livecam_nvr.web.guard import page_headers
from livecam_nvr.web.proxies import seen

STATIC = Path(__file__).parent / "static"


async def index(request: web.Request) -> web.FileResponse:
    """`GET /`: the live page."""
    return _page(request, "index.html")


async def wall(request: web.Request) -> web.FileResponse:
    """`GET /wall`: pictures only, for a screen on a wall."""
    return _page(request, "wall.html")


async def past(request: web.Request) -> web.FileResponse:
    """`GET /past`: the page of recordings."""
    return _page(request, "past.html")


async def system(request: web.Request) -> web.FileResponse:
    """`GET /system`: how everything is, and what can be set."""
    return _page(request, "system.html")


async def signin(request: web.Request) -> web.FileResponse:
    """`GET /signin`: asks for name and password."""
    return _page(request, "signin.html")


async def setup(request: web.Request) -> web.FileResponse:
    """`GET /setup`: asks for the first user."""
    return _page(request, "setup.html")


async def manifest(request: web.Request) -> web.FileResponse:
    """`GET /manifest.webmanifest`: with it, browsers install the page as an app (W3C Web Application Manifest).

    There is no service worker: without the service there is nothing to show, and a page from a cache could be an
    old one.
    """
    del request
    headers = {"Content-Type": "application/manifest+json", "Cache-Control": "no-cache"}
    return web.FileResponse(STATIC / "manifest.webmanifest", headers=headers)


@web.middleware
async def light(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Sends the pages' own files compressed, and has browsers keep them, if they ask each time for a newer one."""
    response = await handler(request)
    own = isinstance(request.match_info.route.resource, web.StaticResource)
    if own and isinstance(response, web.FileResponse):
        response.headers["Cache-Control"] = "no-cache"
        _compress(request, response)
    return response


def _page(request: web.Request, name: str) -> web.FileResponse:
    response = web.FileResponse(STATIC / name, headers=page_headers(seen(request)))
    _compress(request, response)
    return response


def _compress(request: web.Request, response: web.FileResponse) -> None:
    """None of these files holds a secret that its size could betray."""
    response.headers["Vary"] = "Accept-Encoding"
    asks_again = any(name in request.headers for name in ("Range", "If-None-Match", "If-Modified-Since"))
    # aiohttp would send the packed body of an answer to HEAD, too.
    if request.method == "GET" and "gzip" in request.headers.get("Accept-Encoding", "") and not asks_again:
        response.enable_compression(web.ContentCoding.gzip)
