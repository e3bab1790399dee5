"""The pages and their files."""

from pathlib import Path

from aiohttp import web

from livecam_nvr.web.guard import asked_host, page_policy

STATIC = Path(__file__).parent / "static"


async def index(request: web.Request) -> web.FileResponse:
    """`GET /`: the live page."""
    return _page(request, "index.html")


async def past(request: web.Request) -> web.FileResponse:
    """`GET /past`: the page of recordings."""
    return _page(request, "past.html")


def _page(request: web.Request, name: str) -> web.FileResponse:
    headers = {"Content-Security-Policy": page_policy(asked_host(request)), "Cache-Control": "no-cache"}
    return web.FileResponse(STATIC / name, headers=headers)
