"""A web server over a real archive of recordings, without the rest of the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web
from fakes.web_gate import as_somebody, provide
from fakes.web_service import Site
from support.waiting import PATIENCE_S

from livecam_nvr.config.models import ListenConfig
from livecam_nvr.domain.segment import Segment
from livecam_nvr.media.past_pictures import DecodedPast
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.footage.footage import FileFootage
from livecam_nvr.storage.index.index import Index
from livecam_nvr.web import playback, playback_hls, thumbnails
from livecam_nvr.web.entrance import Entrance
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.guard import add_headers
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.open_streams import OpenStreams
from livecam_nvr.web.playback_keys import FOOTAGE, PAST_PICTURES
from livecam_nvr.web.proxies import Proxies

_CAMERA = "/api/cameras/{camera_id}"
_PAGE = "<!doctype html><title>test</title><video muted playsinline></video>"


class StoodStill(SystemClock):
    """A clock whose wall time is what a test says."""

    def __init__(self, utc_ns: int) -> None:
        self.now_utc_ns = utc_ns

    def utc_ns(self) -> int:
        return self.now_utc_ns

    def utc_offset_s(self, utc_ns: int) -> int:
        return 3600


class PlaybackSite:
    """What the tests take hold of."""

    def __init__(self, root: Path, index: Index, now_utc_ns: int) -> None:
        self.root = root
        self.index = index
        self.clock = StoodStill(now_utc_ns)
        self.growing: list[str] = []
        self.footage = FileFootage(root, index, lambda: self.growing)
        self.pictures = DecodedPast()
        self.home = Site(root, ["cam0", "cam1"])
        self.open = OpenStreams()
        self.url = ""

    def add(self, segments: list[Segment]) -> list[Segment]:
        for segment in segments:
            self.index.add(segment)
        return segments

    def address(self, path: str) -> str:
        return f"{self.url}/api/cameras/cam0/{path}"

    def application(self) -> web.Application:
        async def page(_request: web.Request) -> web.Response:
            return web.Response(text=_PAGE, content_type="text/html", headers={"Content-Security-Policy": ""})

        app = web.Application(middlewares=[error_middleware(), as_somebody()])
        provide(app, self.open)
        app[PORTS] = replace(self.home.ports, index=self.index, clock=self.clock)
        app[FOOTAGE] = self.footage
        app[PAST_PICTURES] = self.pictures
        app.on_response_prepare.append(add_headers)
        app.add_routes(
            [
                web.get("/", page),
                web.get(f"{_CAMERA}/playback.m3u8", playback_hls.media_playlist),
                web.get(_CAMERA + r"/playback/{begin:\d{1,19}}/init.mp4", playback_hls.init),
                web.get(
                    _CAMERA + r"/playback/{begin:\d{1,19}}-{end:\d{1,19}}/{position:\d{1,15}}.m4s",
                    playback_hls.segment,
                ),
                web.get(f"{_CAMERA}/playback.mp4", playback.get_mp4),
                web.get(f"{_CAMERA}/segments", playback.list_segments),
                web.get(f"{_CAMERA}/keyframes", playback.list_keyframes),
                web.get(f"{_CAMERA}/thumbnail.jpg", thumbnails.thumbnail),
            ]
        )
        return app


@asynccontextmanager
async def playback_site(folder: Path, now_utc_ns: int) -> AsyncIterator[PlaybackSite]:
    """A site that listens."""
    root = folder / "recordings"
    root.mkdir()
    index = Index(folder / "data" / "index.db", root, SystemClock(), lambda _: False)
    await index.start()
    site = PlaybackSite(root, index, now_utc_ns)
    runner = web.AppRunner(site.application(), handler_cancellation=True, shutdown_timeout=0.3)
    await runner.setup()
    entrance = Entrance(ListenConfig(http_port=site.home.port), Proxies())
    try:
        assert runner.server is not None
        await entrance.open(runner.server)
        site.url = f"http://127.0.0.1:{site.home.port}"
        yield site
        entrance.shut()
        site.open.end_all()
    finally:
        await runner.cleanup()
        await entrance.close()
        await site.pictures.stop()
        await index.stop()


@asynccontextmanager
async def client_of(site: PlaybackSite) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the site."""
    async with aiohttp.ClientSession(
        site.url, timeout=aiohttp.ClientTimeout(sock_connect=PATIENCE_S, sock_read=PATIENCE_S)
    ) as session:
        yield session
