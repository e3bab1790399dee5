"""A livecam-nvr service as its HTTP API shows it, on loopback: real sockets, payloads recorded from a real one."""

import asyncio
import base64
import contextlib
import copy
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

_RECORDED = Path(__file__).parent / "recorded"
# Below those that the kernel gives to clients: while it is stopped, no connection takes its port.
_PORTS = range(20_000, 32_000)
TOKEN = "lnv_good"
ADMIN, ADMIN_PASSWORD = "boss", "correct horse"
PATIENCE_S = 60.0
INSTALL_ID = "03de9c86e8a46cf902ae697fda47866e"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def recorded(name: str) -> Any:
    """A recorded answer, to be changed at will."""
    return json.loads((_RECORDED / f"{name}.json").read_text())


class FakeService:
    """Change `status` and call `push`; `orders` holds what was asked for with POST and DELETE."""

    def __init__(self) -> None:
        self.status: dict[str, Any] = recorded("status")
        self.info: dict[str, Any] = recorded("home-assistant")
        self.session: dict[str, Any] = recorded("session")
        self.coverage: dict[str, Any] = recorded("coverage")
        self.tokens = {TOKEN}
        self.token_names = ["adm"]
        self.orders: list[tuple[str, str, Any]] = []
        self.refusals: dict[str, tuple[int, str, str, str]] = {}
        """Path to status, kind, message and hint."""
        self.carried: Callable[[str], None] = lambda carrier: None
        """Called before a change of the carrier is answered."""
        self.exports: dict[str, dict[str, Any]] = {}
        self.export_states = ["running", "done"]
        self.silent = False
        self.broker_away = False
        self.raw_event: str | None = None
        self.sockets: set[web.WebSocketResponse] = set()
        self.server: TestServer | None = None
        self.port: int | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Its page's address."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """On the same port as before, if there was one."""
        app = web.Application(middlewares=[self._guard])
        self.routes(app)
        for port in [self.port] if self.port else random.sample(_PORTS, 50):
            with contextlib.suppress(OSError):
                self.server = TestServer(app, port=port)
                await self.server.start_server()
                self.port = port
                return
        raise AssertionError("there is no free port")

    async def stop(self) -> None:
        """As when the service is stopped: connections end."""
        for socket in list(self.sockets):
            await socket.close(code=1001)
        if self.server is not None:
            await self.server.close()
            self.server = None

    def routes(self, app: web.Application) -> None:
        """Everything that it answers."""
        camera = "/api/cameras/{camera}"
        for path, answer in (
            ("/api/session", lambda _: self.session if _.get("in") else {**self.session, "role": None}),
            ("/api/status", lambda _: self.status),
            ("/api/home-assistant", lambda _: self.info),
            (f"{camera}/coverage", lambda _: self.coverage),
            (f"{camera}/days", lambda _: recorded("days")),
            (f"{camera}/timeline", lambda _: recorded("timeline")),
            (f"{camera}/events", lambda _: recorded("events")),
            (f"{camera}/segments", lambda _: recorded("segments")),
            ("/api/clips", lambda _: recorded("clips")),
        ):
            app.router.add_get(path, self._get(answer))
        app.router.add_get("/api/events", self._events)
        app.router.add_get("/api/exports/{id}", self._export_state)
        app.router.add_get(f"{camera}/snapshot.jpg", self._picture)
        app.router.add_get(f"{camera}/thumbnail.jpg", self._picture)
        app.router.add_post("/api/home-assistant", self._carry)
        app.router.add_post("/api/tokens", self._make_token)
        app.router.add_post("/api/exports", self._export)
        app.router.add_post(
            "/api/tickets", self._ordered({"url": "/x?ticket=1", "expires_utc": "2026-11-22T00:00:00Z"})
        )
        app.router.add_post(f"{camera}/whep", self._whep)
        app.router.add_route("PATCH", f"{camera}/whep/{{session}}", self._whep_later)
        app.router.add_delete(f"{camera}/whep/{{session}}", self._whep_later)
        app.router.add_post(f"{camera}/keep", self._ordered(recorded("clips")["clips"][0], status=201))
        app.router.add_post(f"{camera}/events", self._ordered({"event": recorded("events")["events"][0]}))
        for order in ("recording", "mode", "enabled", "quality", "restart"):
            app.router.add_post(f"{camera}/{order}", self._ordered({"camera_id": "cam0"}))

    # What tests do to it

    def camera(self, camera_id: str = "cam0") -> dict[str, Any]:
        """A camera's part of the status."""
        return next(one for one in self.status["cameras"] if one["id"] == camera_id)

    async def push(self) -> None:
        """Tells everybody how it is now."""
        for socket in list(self.sockets):
            await socket.send_str(self.raw_event or json.dumps(self.status))

    async def hang_up(self, code: int = 1001) -> None:
        """Ends all event connections."""
        for socket in list(self.sockets):
            await socket.close(code=code)

    def add_camera(self, camera_id: str, name: str) -> None:
        """A third camera, like the first."""
        camera = {**copy.deepcopy(self.camera()), "id": camera_id, "name": name}
        self.status["cameras"].append(camera)

    def ordered(self, path: str) -> list[Any]:
        """The bodies that were sent to a path."""
        return [body for _, sent, body in self.orders if sent == path]

    # What it answers

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if refusal := self.refusals.get(request.path):
            status, kind, message, hint = refusal
            if not kind:
                return web.Response(status=status, text=message)
            error = {"error": {"kind": kind, "message": message, "hint": hint}}
            return web.json_response(error, status=status, headers={"Retry-After": "7"})
        who = request.headers.get("Authorization", "")
        basic = base64.b64encode(f"{ADMIN}:{ADMIN_PASSWORD}".encode()).decode()
        request["in"] = who.removeprefix("Bearer ") in self.tokens or who == f"Basic {basic}"
        if not request["in"] and (request.path != "/api/session" or who):
            error = {"error": {"kind": "unauthenticated", "message": "the token is not valid", "hint": ""}}
            return web.json_response(error, status=401)
        if request.method in ("POST", "DELETE", "PATCH"):
            body: Any = await request.text()
            if request.content_type == "application/json":
                body = json.loads(body or "null")
            self.orders.append((request.method, request.path, body))
        return await handler(request)

    def _get(self, answer: Callable[[web.Request], Any]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response(answer(request))

        return handler

    def _ordered(self, answer: Any, status: int = 200) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response(answer, status=status)

        return handler

    async def _events(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            if not self.silent:
                await socket.send_str(self.raw_event or json.dumps(self.status))
            async for message in socket:
                assert message.type is not WSMsgType.ERROR
        finally:
            self.sockets.discard(socket)
        return socket

    async def _carry(self, request: web.Request) -> web.StreamResponse:
        if self.broker_away:
            error = {"error": {"kind": "unavailable", "message": "the broker is away", "hint": ""}}
            return web.json_response(error, status=503)
        self.info["carrier"] = (await request.json())["carrier"]
        self.carried(self.info["carrier"])
        return web.json_response(self.info)

    async def _make_token(self, request: web.Request) -> web.StreamResponse:
        name = (await request.json())["name"]
        if name in self.token_names:
            error = {"error": {"kind": "conflict", "message": f"there is a token {name!r} already", "hint": ""}}
            return web.json_response(error, status=409)
        self.token_names.append(name)
        self.tokens.add(f"lnv_{name}")
        return web.json_response({"id": "1", "name": name, "token": f"lnv_{name}"}, status=201)

    async def _export(self, request: web.Request) -> web.StreamResponse:
        export = {**recorded("exports")["exports"][0], "state": "queued", "progress": 0.0, "url": None}
        self.exports[export["id"]] = export
        return web.json_response(export, status=202)

    async def _export_state(self, request: web.Request) -> web.StreamResponse:
        export = self.exports[request.match_info["id"]]
        if self.export_states:
            export["state"] = self.export_states.pop(0)
        if export["state"] == "failed":
            export["words"] = "the disk is full"
        return web.json_response(export)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=f"{request.path_qs}".encode(), content_type="image/jpeg")

    async def _whep(self, request: web.Request) -> web.StreamResponse:
        headers = {"Location": "whep/session1"}
        return web.Response(status=201, text="answer", content_type="application/sdp", headers=headers)

    async def _whep_later(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)


async def until(true: Callable[[], Any]) -> None:
    """Waits for a condition: so long anything may take on a machine that is busy with other things."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
