"""The page and its files."""

from pathlib import Path

from aiohttp import web

from livecam_nvr.web.guard import asked_host, page_policy

STATIC = Path(__file__).parent / "static"


async def index(request: web.Request) -> web.FileResponse:
    """`GET /`."""
    headers = {"Content-Security-Policy": page_policy(asked_host(request)), "Cache-Control": "no-cache"}
    return web.FileResponse(STATIC / "index.html", headers=headers)
