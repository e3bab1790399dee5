"""A reverse proxy as people put one in front: Home Assistant's ingress, or one with a folder of its own."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from support.ports import free_port
from yarl import URL

INGRESS = "/api/hassio_ingress/Zk3-x_9Q"
_WEB_SOCKET = {f"sec-websocket-{what}" for what in ("key", "version", "extensions", "protocol")}
_OF_THIS_HOP = _WEB_SOCKET | {
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


@dataclass(frozen=True, slots=True)
class ReverseProxy:
    """Where it listens, and how the browser's addresses begin."""

    port: int
    base: str
    scheme: str = "http"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return self.origin + self.base


@asynccontextmanager
async def reverse_proxy(
    upstream: str,
    base: str = INGRESS,
    *,
    marks: dict[str, str] | None = None,
    strips: bool = True,
    certificate: ssl.SSLContext | None = None,
) -> AsyncIterator[ReverseProxy]:
    """Runs one in front of `upstream` (`http://host:port`); at `/` it shows that in a frame of its own page.

    Args:
        upstream: What is behind it.
        base: The folder that it shows that under; taken off the path if it `strips`.
        marks: Headers that it adds besides X-Forwarded-For, -Proto and -Host; as usual `X-Ingress-Path`.
        strips: Whether the folder is taken off.
        certificate: For https.
    """
    scheme = "https" if certificate else "http"
    added = {"X-Ingress-Path": base} if marks is None else marks
    async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def hand_on(request: web.Request) -> web.StreamResponse:
            headers = _forwarded(request, scheme, added)
            path = request.raw_path.removeprefix(base) if strips else request.raw_path
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await _web_socket(request, session, upstream + path, headers)
            return await _exchange(request, session, upstream + path, headers)

        async def framing(_request: web.Request) -> web.Response:
            frame = f'<iframe src="{base}/" width="1200" height="700" allow="autoplay"></iframe>'
            page = f'<!doctype html><link rel="icon" href="data:,">{frame}'
            return web.Response(text=page, content_type="text/html")

        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", base + "/{path:.*}", hand_on)
        app.router.add_get("/", framing)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=certificate).start()
        try:
            yield ReverseProxy(port, base, scheme)
        finally:
            await runner.cleanup()


def _forwarded(request: web.Request, scheme: str, added: dict[str, str]) -> CIMultiDict[str]:
    headers = CIMultiDict(
        (name, value) for name, value in request.headers.items() if name.lower() not in _OF_THIS_HOP
    )
    chain = [*request.headers.getall("X-Forwarded-For", []), request.remote or "unknown"]
    headers["X-Forwarded-For"] = ", ".join(chain)
    headers["X-Forwarded-Proto"] = scheme
    headers["X-Forwarded-Host"] = request.headers["Host"]
    headers.update(added)
    return headers


async def _exchange(
    request: web.Request, session: aiohttp.ClientSession, url: str, headers: CIMultiDict[str]
) -> web.StreamResponse:
    body = await request.read() or None
    target = URL(url, encoded=True)
    async with session.request(
        request.method, target, headers=headers, data=body, allow_redirects=False
    ) as answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in _OF_THIS_HOP or name.lower() == "content-length":
                response.headers.add(name, value)
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        return response


async def _web_socket(
    request: web.Request, session: aiohttp.ClientSession, url: str, headers: CIMultiDict[str]
) -> web.StreamResponse:
    try:
        behind = await session.ws_connect(url, headers=headers, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as error:
        return web.Response(status=error.status)
    async with behind:
        front = web.WebSocketResponse(max_msg_size=0)
        await front.prepare(request)
        there = asyncio.create_task(_carry(front, behind))
        back = asyncio.create_task(_carry(behind, front))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        await front.close(code=behind.close_code or 1001)
    return front


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _carry(source: Socket, target: Socket) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
