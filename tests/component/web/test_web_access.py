"""Sessions and credentials over real sockets."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import CookieJar
from fakes.web_gate import PASSWORD
from fakes.web_service import Site, http, read_clip
from support.web_people import SESSION, SWITCH, cookie, probed, signed_in, told
from yarl import URL

from livecam_nvr.config.models import ListenConfig
from livecam_nvr.domain.access import Role
from livecam_nvr.web.server import WebServer

ANNA = {"name": "anna", "password": PASSWORD}


async def test_sign_in_and_out(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    nobody = {"signed_in": False, "setup": False, "demo": False}
    assert await told(visitor.get(SESSION)) == (
        200, {**nobody, "name": None, "kind": None, "role": None, "cameras": None},
    )  # fmt: skip
    async with visitor.post(SESSION, json=ANNA) as answer:
        assert answer.status == 200
        anna = {**nobody, "signed_in": True, "name": "anna", "kind": "user", "role": "admin", "cameras": None}
        assert await answer.json() == anna
        (given,) = answer.headers.getall("Set-Cookie")
    parts = {part.strip() for part in given.split(";")[1:]}
    assert given.startswith(f"livecam_nvr_{guarded.port}=")
    assert parts >= {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"}
    assert "Secure" not in parts
    assert await told(visitor.get(SESSION)) == (200, anna)
    assert (await told(visitor.get("/api/status")))[0] == 200
    async with visitor.delete(SESSION) as answer:
        assert answer.status == 200
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert guarded.gate.sessions == {}
    assert (await told(visitor.get("/api/status")))[0] == 401


async def test_a_limited_user_is_told_so(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    _, ben = await told(visitor.post(SESSION, json={"name": "ben", "password": PASSWORD}))
    assert (ben["role"], ben["cameras"]) == ("watcher", ["cam1"])


async def test_a_session_is_always_a_new_one(guarded: Site, program: aiohttp.ClientSession) -> None:
    # One that somebody has put into the victim's browser: a made-up one, and a real one of their own.
    planted = guarded.gate.open_session("ben")
    for before in ("planted", planted):
        async with program.post(SESSION, json=ANNA, headers=cookie(guarded, before)) as answer:
            assert answer.status == 200
            given = answer.cookies[f"livecam_nvr_{guarded.port}"].value
        assert given not in ("planted", planted)
        status, who = await told(program.get(SESSION, headers=cookie(guarded, before)))
        assert (status, who["signed_in"]) == (200, False)
    assert planted not in guarded.gate.sessions


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "anna", "password": "wrong"}, 401),
        ({"name": "nobody", "password": PASSWORD}, 401),
        ({"name": "anna"}, 400),
        ({"name": "anna", "password": 5}, 400),
        ({"name": ["anna"], "password": PASSWORD}, 400),
        ({**ANNA, "remember": True}, 400),
        ([], 400),
    ],
)
async def test_what_signs_nobody_in(guarded: Site, program: aiohttp.ClientSession, body: Any, status: int) -> None:
    async with program.post(SESSION, json=body) as answer:
        assert answer.status == status
        assert "Set-Cookie" not in answer.headers
    assert guarded.gate.sessions == {}


async def test_too_many_failures_have_to_wait(guarded: Site, program: aiohttp.ClientSession) -> None:
    guarded.gate.throttled_s = 12.2
    basic = {"Authorization": f"Basic {base64.b64encode(b'anna:x').decode()}"}
    for asked in (program.post(SESSION, json=ANNA), program.get("/api/status", headers=basic)):
        async with asked as answer:
            assert answer.status == 429
            assert answer.headers["Retry-After"] == "13"
            assert (await answer.json())["error"]["kind"] == "throttled"


async def test_setting_up(site: Site) -> None:
    site.gate.demo, site.gate.code = None, "12345678"
    first = {"code": "12345678", "name": "anna", "password": "long enough"}
    async with aiohttp.ClientSession(site.url, cookie_jar=CookieJar(unsafe=True)) as client:
        async with client.get("/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "setup")
        status, error = await told(client.get("/api/status"))
        assert (status, "first password" in error["error"]["hint"]) == (401, True)
        assert (await told(client.get(SESSION)))[1]["setup"] is True
        assert (await told(client.post("/api/setup", json={**first, "code": "0"})))[0] == 401
        assert site.gate.people == {}
        foreign = {"Origin": "http://evil.example"}
        assert (await told(client.post("/api/setup", json=first, headers=foreign)))[0] == 403
        status, who = await told(client.post("/api/setup", json=first))
        assert (status, who["name"], who["role"], who["setup"]) == (200, "anna", "admin", False)
        assert (await told(client.get("/api/status")))[0] == 200
        assert (await told(client.post("/api/setup", json=first)))[0] == 409


async def test_a_demo_needs_no_sign_in(site: Site) -> None:
    async with http(site) as client:
        _, who = await told(client.get(SESSION))
        assert (who["signed_in"], who["demo"], who["name"], who["kind"]) == (False, True, "tester", "demo")
        # A session that is over is none, but what was brought on purpose counts.
        assert (await told(client.get("/api/status", headers=cookie(site, "over"))))[0] == 200
        assert (await told(client.get("/api/status", headers={"Authorization": "Bearer x"})))[0] == 401


async def test_one_changes_ones_own_password(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    path = f"{SESSION}/password"
    await told(visitor.post(SESSION, json=ANNA))
    other = guarded.gate.open_session("anna")
    for old in ("wrong", guarded.gate.open_token("machine", Role.ADMIN)):
        status, error = await told(visitor.post(path, json={"old": old, "new": "better one"}))
        assert (status, error["error"]["kind"]) == (403, "forbidden")
    assert (await told(visitor.post(path, json={"old": PASSWORD, "new": "better one"})))[0] == 200
    assert guarded.gate.people["anna"].password == "better one"
    assert (await told(visitor.get("/api/status")))[0] == 200
    assert other not in guarded.gate.sessions
    machine = {"Authorization": f"Bearer {guarded.gate.open_token('another', Role.ADMIN)}"}
    assert (await told(visitor.post(path, json={"old": "better one", "new": "x"}, headers=machine)))[0] == 403


async def test_the_order_of_credentials(guarded: Site, program: aiohttp.ClientSession) -> None:
    anna = signed_in(guarded, "anna")
    token = {"Authorization": f"bEARER {guarded.gate.open_token('machine', Role.VIEWER)}"}
    assert (await told(program.get(SESSION, headers=anna)))[1]["name"] == "anna"
    assert (await told(program.get(SESSION, headers={**anna, **token})))[1]["name"] == "machine"
    stale = f"livecam_nvr_{guarded.port}=old; {anna['Cookie']}; theme=dark"
    assert (await told(program.get(SESSION, headers={"Cookie": stale})))[1]["name"] == "anna"
    elsewhere = {"Cookie": anna["Cookie"].replace(str(guarded.port), "1")}
    assert (await told(program.get("/api/status", headers=elsewhere)))[0] == 401


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Bearer {token}\r\nAuthorization: Bearer {token}",
        "Authorization: Bearer {token}\r\nauthorization:",
    ],
)
async def test_a_credential_that_comes_twice_is_refused(guarded: Site, header: str) -> None:
    token = guarded.gate.open_token("machine", Role.ADMIN)
    request = f"GET /api/status HTTP/1.1\r\nHost: localhost\r\n{header.format(token=token)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    writer.write(request.encode())
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()


async def test_whoever_has_to_be_asked_is_asked(guarded: Site, program: aiohttp.ClientSession) -> None:
    bearer, basic = 'Bearer realm="livecam-nvr"', 'Basic realm="livecam-nvr", charset="UTF-8"'
    for agent, wanted in (("VLC/3.0.18", [basic, bearer]), ("", [basic, bearer]), ("Mozilla/5.0 (X11)", [bearer])):
        async with program.get("/api/status", headers={"User-Agent": agent}) as answer:
            assert answer.status == 401
            assert answer.headers.getall("WWW-Authenticate") == wanted
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_player_signs_in_by_its_address(guarded: Site, fragmented_clip: Path) -> None:
    hub = guarded.hubs["cam0"]
    for fragment in read_clip(fragmented_clip, hub.numbers):
        hub.publish(fragment)
    place = f"127.0.0.1:{guarded.port}/api/cameras/cam0/hls/index.m3u8"
    password = PASSWORD.replace(" ", "%20")
    assert "h264" in await probed(f"http://anna:{password}@{place}")
    assert "401" in await probed(f"http://anna:wrong@{place}")
    assert "401" in await probed(f"http://{place}")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"on": true}', {"Content-Type": "text/plain"}, 415),
        (b'{"on": true}', {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"on": true}', {"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        (b'{"on": true}', {"Content-Type": "application/json", "Origin": "null"}, 403),
    ],
)
async def test_other_web_sites_change_nothing_with_a_cookie(
    guarded: Site, program: aiohttp.ClientSession, body: bytes, headers: dict[str, str], status: int
) -> None:
    anna = signed_in(guarded, "anna")
    async with program.post(SWITCH, data=body, headers={**anna, **headers}) as answer:
        assert answer.status == status
    assert guarded.home.asked == []
    if "Origin" in headers:
        for path in ("/api/events", "/api/cameras/cam0/live.ws"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await program.ws_connect(path, headers={**anna, "Origin": headers["Origin"]})
            assert caught.value.status == 403


async def test_where_strangers_are_sent(guarded: Site, program: aiohttp.ClientSession) -> None:
    for path, wanted in (
        ("/past", "signin?next=past"),
        ("/past?next=//evil.example", "signin?next=past"),
        (
            "/wall?cameras=cam0,cam1&labels=0&next=//evil.example",
            "signin?next=wall?cameras%3Dcam0%252Ccam1%26labels%3D0",
        ),
        ("/", "signin"),
    ):
        async with program.get(path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, wanted)
            assert answer.headers["Cache-Control"] == "no-store"
    sneaky = URL(f"{guarded.url}//evil.example/..", encoded=True)
    async with program.get(sneaky, allow_redirects=False) as answer:
        assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    ("marks", "path", "secure"),
    [
        ({"X-Forwarded-Proto": "https"}, "/", True),
        ({"X-Forwarded-Prefix": "/cameras/"}, "/cameras", False),
        (
            {"X-Forwarded-Proto": "https", "X-Ingress-Path": "/api/hassio_ingress/abc"},
            "/api/hassio_ingress/abc",
            True,
        ),
    ],
)
async def test_the_cookie_belongs_to_the_place_where_a_proxy_shows_us(
    guarded: Site, marks: dict[str, str], path: str, secure: bool
) -> None:
    await guarded.server.stop()
    listen = ListenConfig(http_port=guarded.port, trusted_proxies=("127.0.0.1",))
    guarded.server = WebServer(listen, guarded.ports, access=guarded.access)
    await guarded.server.start()
    headers = {**marks, "X-Forwarded-For": "192.168.1.5"}
    async with http(guarded) as client:
        async with client.post(SESSION, json=ANNA, headers=headers) as answer:
            assert answer.status == 200
            given = answer.cookies[f"livecam_nvr_{guarded.port}"]
        assert (given["path"], bool(given["secure"])) == (path, secure)
        async with client.get("/past", headers=headers, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "signin?next=past", "relative, and so below the folder"
        mine = cookie(guarded, given.value)
        assert (await told(client.post(SWITCH, json={"on": True}, headers={**headers, **mine})))[0] == 200
    assert guarded.home.asked == [("cam0", True, "anna (192.168.1.5)")]
