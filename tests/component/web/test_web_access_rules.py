"""Who may use which address: every route of the running service, asked by everybody."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.web_gate import PASSWORD
from fakes.web_service import Site, http, read_clip
from support.web_people import Reached, reached_past
from yarl import URL

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Role
from livecam_nvr.web.rules import RULES

CAMERA = "/api/cameras/{camera_id}"
# Written by hand, and not derived from the routes: whoever adds a route says here who may use it.
TABLE = {
    "open": [
        "GET /static",
        "GET /manifest.webmanifest",
        "GET /signin",
        "GET /setup",
        "GET /healthz",
        "GET /api/session",
        "POST /api/session",
        "POST /api/setup",
    ],
    "viewer": [
        "GET /",
        "GET /past",
        "GET /system",
        "GET /wall",
        "GET /api/status",
        "GET /api/events",
        "GET /api/home-assistant",
        f"GET {CAMERA}/snapshot.jpg",
        f"GET {CAMERA}/stream.mjpeg",
        f"GET {CAMERA}/live.mp4",
        f"GET {CAMERA}/live.ws",
        f"POST {CAMERA}/whep",
        f"PATCH {CAMERA}/whep/{{session}}",
        f"DELETE {CAMERA}/whep/{{session}}",
        f"GET {CAMERA}/hls/index.m3u8",
        f"GET {CAMERA}/hls/live.m3u8",
        f"GET {CAMERA}/hls/init-{{run}}.mp4",
        f"GET {CAMERA}/hls/{{sequence}}.m4s",
        f"GET {CAMERA}/quality",
        f"GET {CAMERA}/ptz",
        "DELETE /api/session",
        "POST /api/session/password",
        "POST /api/tickets",
    ],
    "watcher": [
        f"GET {CAMERA}/recordings",
        "GET /recordings/{path}",
        f"GET {CAMERA}/coverage",
        f"GET {CAMERA}/timeline",
        f"GET {CAMERA}/days",
        f"GET {CAMERA}/segments",
        f"GET {CAMERA}/keyframes",
        f"GET {CAMERA}/thumbnail.jpg",
        f"GET {CAMERA}/playback.mp4",
        f"GET {CAMERA}/playback.m3u8",
        f"GET {CAMERA}/playback/{{begin}}/init.mp4",
        f"GET {CAMERA}/playback/{{begin}}-{{end}}/{{position}}.m4s",
        f"GET {CAMERA}/events",
        "GET /api/clips",
        "GET /api/retention",
        "GET /api/exports",
        "GET /api/exports/{export_id}",
        "GET /api/exports/{export_id}/file",
    ],
    "operator": [
        f"POST {CAMERA}/recording",
        f"POST {CAMERA}/mode",
        f"POST {CAMERA}/quality",
        f"POST {CAMERA}/restart",
        f"POST {CAMERA}/enabled",
        f"POST {CAMERA}/ptz",
        f"POST {CAMERA}/events",
        f"POST {CAMERA}/keep",
        "DELETE /api/clips/{clip_id}",
        "POST /api/exports",
        "DELETE /api/exports/{export_id}",
        "GET /api/discover",
        "POST /api/home-assistant",
    ],
    "admin": [
        "GET /api/users",
        "POST /api/users",
        "POST /api/users/{name}",
        "DELETE /api/users/{name}",
        "POST /api/users/{name}/password",
        "GET /api/tokens",
        "POST /api/tokens",
        "DELETE /api/tokens/{token_id}",
        "GET /api/audit",
        "GET /api/settings",
        "POST /api/settings/check",
        "POST /api/settings",
        "GET /api/log",
        "GET /api/versions",
        "GET /api/diagnostics",
    ],
}
LEAST = {route: least for least, listed in TABLE.items() for route in listed}
ALL = sorted(LEAST)
PAGES = {"GET /", "GET /past", "GET /system", "GET /wall"}
# Whose who may not see all cameras may not.
WHOLE = {"GET /api/discover", "POST /api/home-assistant", *TABLE["admin"]}
PARTS = {
    "run": "1",
    "session": "0",
    "sequence": "1",
    "path": "cam0/261121/cam0_20261121_093000.mp4",
    "begin": "1795000000000000000",
    "end": "1795000006000000000",
    "position": "0",
    "clip_id": "abc",
    "export_id": "abc",
    "name": "somebody",
    "token_id": "something",
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def site(tmp_path: Path, fragmented_clip: Path) -> AsyncIterator[Site]:
    """A site with everything; a user for each role, and one more for each that sees cam1 only."""
    site = Site(tmp_path, ["cam0", "cam1"])
    site.gate.demo = None
    reached = Reached()
    ports = replace(site.ports, index=reached, pictures=reached)
    site.server = site.server_of(ports=ports, past=reached_past())
    for role in Role:
        site.gate.let_in(role, role)
        site.gate.let_in(f"{role} of cam1", role, ["cam1"])
    for hub in site.hubs.values():
        for fragment in read_clip(fragmented_clip, hub.numbers):
            hub.publish(fragment)
    await site.server.start()
    yield site
    await site.close()


def application(site: Site) -> web.Application:
    runner = site.server._runner
    assert runner is not None
    return runner.app


def address(route: str, camera_id: str = "cam0") -> tuple[str, str]:
    method, path = route.split()
    parts = {**PARTS, "camera_id": camera_id, "path": PARTS["path"].replace("cam0", camera_id)}
    return method, "/static/app.css" if path == "/static" else path.format(**parts)


def as_session(site: Site, name: str) -> dict[str, str]:
    return {"Cookie": f"livecam_nvr_{site.port}={site.gate.open_session(name)}"}


def as_bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def as_basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


async def ask(
    client: aiohttp.ClientSession, route: str, headers: dict[str, str], camera_id: str = "cam0", query: str = ""
) -> tuple[int, str, str]:
    """Status, kind of error and its message."""
    method, path = address(route, camera_id)
    body = b"{}" if method == "POST" else None
    more = JSON if method == "POST" else {}
    url = URL(path + query, encoded=True)
    sent = {**headers, **more}
    async with client.request(method, url, data=body, headers=sent, allow_redirects=False) as answer:
        if answer.status < 400 or answer.content_type != "application/json":
            return answer.status, "", answer.headers.get("Location", "")
        error = (await answer.json())["error"]
        return answer.status, error["kind"], error["message"]


def test_the_table_names_every_route(site: Site) -> None:
    found = {
        f"{route.method} {route.resource.canonical}"
        for route in application(site).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert sorted(found) == ALL
    assert len(ALL) == sum(len(listed) for listed in TABLE.values())


def test_every_route_has_a_rule(site: Site) -> None:
    app = application(site)
    for route in app.router.routes():
        assert route.resource is not None
        rule = app[RULES].rule_of(route)
        assert rule is not None, route
        assert ("{camera_id}" in route.resource.canonical) == (rule.camera == "camera_id")


@pytest.mark.parametrize("who", ["nobody", "a garbage session", "a session that is over", "two of those"])
async def test_nobody_gets_in(site: Site, who: str) -> None:
    name = f"livecam_nvr_{site.port}"
    over = site.gate.open_session("admin")
    headers = {
        "nobody": {},
        "a garbage session": {"Cookie": f"{name}=\x80\"';garbage; {name}"},
        "a session that is over": {"Cookie": f"{name}={over}"},
        "two of those": {"Cookie": f"{name}={over}; {name}=other; x={over}"},
    }[who]
    await site.gate.sign_out(over, None)  # type: ignore[arg-type]
    async with http(site) as client:
        for route in ALL:
            status, kind, message = await ask(client, route, headers)
            if LEAST[route] == "open":
                assert status not in (401, 403, 500), route
            elif route in PAGES:
                path = route.removeprefix("GET /")
                assert (status, message) == (303, f"signin?next={path}" if path else "signin"), route
            else:
                assert (status, kind) == (401, "unauthenticated"), route
    assert [entry for entry in site.audit.entries if entry.deed is not Deed.SIGN_OUT] == []


@pytest.mark.parametrize(
    "what",
    [
        "a token",
        "no token",
        "a removed token",
        "a password",
        "no base64",
        "a scheme",
        "nothing",
        "a ticket",
    ],
)
async def test_what_is_wrong_gets_nobody_in_although_a_session_would(site: Site, what: str) -> None:
    removed = site.gate.open_token("was", Role.ADMIN)
    await site.gate.remove_token("was", by="", client=None)  # type: ignore[arg-type]
    wrong = {
        "a token": as_bearer("lnv_" + 43 * "x"),
        "no token": {"Authorization": "Bearer"},
        "a removed token": as_bearer(removed),
        "a password": as_basic("admin", "wrong one"),
        "no base64": {"Authorization": "Basic ???"},
        "a scheme": {"Authorization": 'Digest username="admin"'},
        "nothing": {"Authorization": ""},
        "a ticket": {},
    }[what]
    query = "?ticket=garbage" if what == "a ticket" else ""
    headers = {**as_session(site, "admin"), **wrong}
    async with http(site) as client:
        for route in ALL:
            status, _, _ = await ask(client, route, headers, query=query)
            if LEAST[route] == "open" and route != "GET /api/session":
                assert status not in (401, 403, 500), route
            else:
                assert status == 401, route


@pytest.mark.parametrize("door", ["session", "token", "password", "token as password"])
@pytest.mark.parametrize("role", list(Role))
async def test_everybody_may_do_what_the_table_says(site: Site, role: Role, door: str) -> None:
    headers = {
        "session": lambda: as_session(site, role),
        "token": lambda: as_bearer(site.gate.open_token(f"machine-{role}", role)),
        "password": lambda: as_basic(role, PASSWORD),
        "token as password": lambda: as_basic("any", site.gate.open_token(f"machine-{role}", role)),
    }[door]()
    async with http(site) as client:
        for route in ALL:
            if route == "DELETE /api/session":
                continue
            status, kind, message = await ask(client, route, headers)
            least = LEAST[route]
            if least == "open" or role.includes(Role(least)):
                own = route == "POST /api/session/password" and door.startswith("token")
                assert status not in (401, 500), (route, message)
                assert status != 403 or own, (route, message)
            else:
                assert (status, kind) == (403, "forbidden"), route
    refused = {entry.target for entry in site.audit.entries if entry.deed is Deed.REFUSED}
    too_weak = [route for route in ALL if LEAST[route] != "open" and not role.includes(Role(LEAST[route]))]
    assert refused == {" ".join(address(route)) for route in too_weak}


@pytest.mark.parametrize("role", list(Role))
async def test_other_cameras_do_not_exist(site: Site, role: Role) -> None:
    headers = as_session(site, f"{role} of cam1")
    async with http(site) as client:
        for route in ALL:
            least = LEAST[route]
            if least == "open" or not role.includes(Role(least)) or route == "DELETE /api/session":
                continue
            if route in WHOLE:
                assert (await ask(client, route, headers))[:2] == (403, "forbidden"), route
                continue
            if "{camera_id}" not in route and "{path}" not in route:
                assert (await ask(client, route, headers))[0] not in (401, 403, 500), route
                continue
            site.audit.entries.clear()
            foreign = await ask(client, route, headers, "cam0")
            assert foreign[0] == 404, route
            assert [entry.deed for entry in site.audit.entries] == [Deed.REFUSED], route
            unknown = await ask(client, route, headers, "nobody")
            assert foreign == (unknown[0], unknown[1], unknown[2].replace("nobody", "cam0")), route
            site.audit.entries.clear()
            own = await ask(client, route, headers, "cam1")
            assert own[0] not in (401, 403, 500), route
            assert "there is no camera" not in own[2], route
            assert Deed.REFUSED not in [entry.deed for entry in site.audit.entries], route


async def test_the_names_of_other_cameras_are_not_told(site: Site) -> None:
    async with http(site) as client:
        for camera_id in ("cam0", "nobody"):
            async with client.get(
                f"/api/cameras/{camera_id}/quality", headers=as_session(site, "viewer of cam1")
            ) as answer:
                assert (await answer.json())["error"]["hint"] == "there are: cam1"


async def test_a_route_without_a_rule_is_refused(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text="open to all")

    await site.server.stop()
    made = site.server._application

    def with_one_more() -> web.Application:
        app = made()
        app.router.add_get("/forgotten", handler)
        return app

    site.server._application = with_one_more  # type: ignore[method-assign]
    await site.server.start()
    async with http(site) as client:
        for headers in ({}, as_session(site, "admin")):
            async with client.get("/forgotten", headers=headers) as answer:
                assert answer.status == 500
                assert "open" not in await answer.text()
    assert "/forgotten has no rule" in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "//api/status",
        "/api//status",
        "/api/status/",
        "/api/./status",
        "/api/cameras/../status",
        "/static/../api/status",
        "/static/%2e%2e/api/status",
        "/static/..%2fapi/status",
        "/healthz/../api/status",
        "/signin;/../api/status",
        "/%61pi/status",
        "/api%2fstatus",
        "/API/status",
        "/api/cameras/cam0%2fquality",
        "/api/cameras/cam%30/quality",
        "/api/cameras/cam0/quality?x=/healthz",
        "/recordings/cam0/../../api/status",
        "/recordings/cam1/../cam0/x.mp4",
        "/recordings//cam0/x.mp4",
        "/recordings/%63am0/x.mp4",
    ],
)
async def test_no_spelling_of_a_path_leads_round_a_rule(site: Site, path: str) -> None:
    url = URL(site.url + path, encoded=True)
    limited = as_session(site, "watcher of cam1")
    async with http(site) as client:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PROPFIND", "TRACE"):
            async with client.request(method, url, allow_redirects=False) as answer:
                assert answer.status in (401, 404, 405), method
                assert "cameras" not in await answer.text()
        async with client.get(url, headers=limited, allow_redirects=False) as answer:
            text = await answer.text()
            assert "cam0" not in text or answer.status == 404


async def test_no_answer_to_head_has_a_body(site: Site) -> None:
    """Whatever the client takes: on a kept connection, a body would be read as the next answer."""
    session = as_session(site, "admin")["Cookie"]
    for route in ALL:
        method, path = address(route)
        if method == "GET":
            request = f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {session}\r\nConnection: close\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(f"{request}Accept-Encoding: gzip, deflate, br\r\n\r\n".encode())
            _, end, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            assert (end, len(body)) == (b"\r\n\r\n", 0), route


async def test_head_is_what_get_is_and_other_methods_are_none(site: Site) -> None:
    weak = as_session(site, "viewer")
    async with http(site) as client:
        for route in ALL:
            method, path = address(route)
            if method != "GET":
                continue
            async with client.head(path, allow_redirects=False) as answer:
                nobody = answer.status
            async with client.head(path, headers=weak, allow_redirects=False) as answer:
                viewer = answer.status
            least = LEAST[route]
            if nobody == 405:
                assert path.endswith(("stream.mjpeg", "live.mp4", "live.ws", "/api/events")), route
            elif least != "open":
                assert nobody == (303 if route in PAGES else 401), route
                assert (viewer == 403) == (least != "viewer"), route
            for other in ("OPTIONS", "PUT", "PATCH", "TRACE"):
                async with client.request(other, path, headers=weak) as answer:
                    assert answer.status == 405, (other, route)
