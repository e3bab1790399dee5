"""The pages and their files."""

from pathlib import Path

from aiohttp import web

from livecam_nvr.web.guard import page_headers
from livecam_nvr.web.proxies import seen

STATIC = Path(__file__).parent / "static"


async def index(request: web.Request) -> web.FileResponse:
    """`GET /`: the live page."""
    return _page(request, "index.html")


async def past(request: web.Request) -> web.FileResponse:
    """`GET /past`: the page of recordings."""
    return _page(request, "past.html")


async def signin(request: web.Request) -> web.FileResponse:
    """`GET /signin`: asks for name and password."""
    return _page(request, "signin.html")


async def setup(request: web.Request) -> web.FileResponse:
    """`GET /setup`: asks for the first user."""
    return _page(request, "setup.html")


def _page(request: web.Request, name: str) -> web.FileResponse:
    return web.FileResponse(STATIC / name, headers=page_headers(seen(request)))
