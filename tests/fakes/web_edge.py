"""A few simple addresses behind the service's own entrance and guard."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from aiohttp import web
from support.ports import free_port

from livecam_nvr.config.models import ListenConfig, TlsConfig
from livecam_nvr.web import pages
from livecam_nvr.web.entrance import Entrance
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.guard import add_headers, guard
from livecam_nvr.web.limits import Limits
from livecam_nvr.web.proxies import PROXIES, Proxies, seen


async def _seen(request: web.Request) -> web.Response:
    return web.json_response(asdict(seen(request)))


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def _flood(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in itertools.count():
        await response.write(bytes(100_000))
    return response


async def _quiet(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"x")
    await asyncio.Event().wait()
    return response


async def _socket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


class Edge:
    """Where it listens."""

    def __init__(self, port: int, encrypted: bool) -> None:
        self.port = port
        self.url = f"{'https' if encrypted else 'http'}://127.0.0.1:{port}"


@asynccontextmanager
async def edge(
    *,
    trusted: tuple[str, ...] = (),
    tls: TlsConfig | None = None,
    limits: Limits | None = None,
    address: str = "127.0.0.1",
    open_to_all: bool = False,
    file: Path | None = None,
) -> AsyncIterator[Edge]:
    """Listens until the end of the block; `/file` is `file`."""

    async def send_file(_request: web.Request) -> web.FileResponse:
        assert file is not None
        return web.FileResponse(file)

    listen = ListenConfig(address=address, http_port=free_port(), trusted_proxies=trusted)
    proxies = Proxies(listen.trusted_proxies)
    entrance = Entrance(listen, proxies, tls, limits)
    guarded = guard(address, encrypted=entrance.encrypted, open_to_all=open_to_all)
    app = web.Application(middlewares=(error_middleware(), guarded), client_max_size=4096)
    app[PROXIES] = proxies
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/", pages.index)
    app.router.add_get("/seen", _seen)
    app.router.add_post("/echo", _echo)
    app.router.add_get("/flood", _flood)
    app.router.add_get("/quiet", _quiet)
    app.router.add_get("/socket", _socket)
    app.router.add_get("/file", send_file)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    await entrance.open(runner.server)
    try:
        yield Edge(listen.http_port, entrance.encrypted)
    finally:
        entrance.shut()
        await runner.cleanup()
        await entrance.close()
