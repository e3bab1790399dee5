"""The audit log, users and tokens over HTTP."""

import json
from typing import Any

import aiohttp
import pytest
from fakes.web_gate import PASSWORD
from fakes.web_service import Site
from support.web_people import QUALITY, SESSION, SWITCH, deeds, signed_in, told

from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.domain.access import Role

ANNA = {"name": "anna", "password": PASSWORD}


@pytest.fixture
async def visitor(visitor: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Of anna, who is signed in."""
    assert (await told(visitor.post(SESSION, json=ANNA)))[0] == 200
    return visitor


async def test_what_was_done_and_by_whom(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    assert (await told(visitor.post(SWITCH, json={"on": True})))[0] == 200
    assert (await told(visitor.post(SWITCH, json={"on": 5})))[0] == 400
    assert (await told(visitor.post(QUALITY, json={"height": 480})))[0] == 200
    token = {"Authorization": f"Bearer {guarded.gate.open_token('ha', Role.OPERATOR)}"}
    assert (await told(visitor.post("/api/cameras/cam1/restart", json={}, headers=token)))[0] == 202
    assert (await told(visitor.get(QUALITY)))[0] == 200
    assert deeds(guarded) == [
        (Deed.RECORDING, "anna", "cam0", True, "on"),
        (Deed.RECORDING, "anna", "cam0", False, "the body says something else than on or off"),
        (Deed.QUALITY, "anna", "cam0", True, "height 480"),
        (Deed.RESTART, "token ha", "cam1", True, ""),
    ]
    page, machine = Client("127.0.0.1", Door.PAGE), Client("127.0.0.1", Door.HTTP)
    assert [entry.client for entry in guarded.audit.entries] == [page, page, page, machine]
    assert guarded.home.asked == [("cam0", True, "anna (127.0.0.1)")]
    assert guarded.control.restarts == [("cam1", "token ha (127.0.0.1)")]


async def test_downloads(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    path = "cam0/261121/cam0_20261121_093000.mp4"
    (guarded.folder / path).parent.mkdir(parents=True)
    (guarded.folder / path).write_bytes(bytes(100_000))
    for method, headers, status in (
        ("GET", {}, 200),
        ("GET", {"Range": "bytes=0-9"}, 206),
        ("GET", {"Range": "bytes=200000-"}, 416),
        ("HEAD", {}, 200),
    ):
        async with visitor.request(method, f"/recordings/{path}", headers=headers) as answer:
            assert answer.status == status
            await answer.read()
    assert (await told(visitor.get("/recordings/cam0/nothing.mp4")))[0] == 404
    assert deeds(guarded) == 2 * [(Deed.DOWNLOAD, "anna", path, True, "")]


async def test_refusals(guarded: Site, program: aiohttp.ClientSession) -> None:
    ben = signed_in(guarded, "ben")
    await told(program.post(SWITCH, json={"on": True}, headers=ben))
    await told(program.get("/api/cameras/cam0/recordings?x=secret", headers=ben))
    await told(program.get("/api/cameras/nobody/recordings", headers=ben))
    await told(program.get("/recordings/cam0/x.mp4", headers=ben))
    await told(program.get("/api/status?ticket=secret"))
    await told(program.get("/api/status"))
    assert deeds(guarded) == [
        (Deed.REFUSED, "ben", f"POST {SWITCH}", False, ""),
        (Deed.REFUSED, "ben", "GET /api/cameras/cam0/recordings", False, ""),
        (Deed.REFUSED, "ben", "GET /recordings/cam0/x.mp4", False, ""),
        (Deed.REFUSED, "a ticket", "GET /api/status", False, ""),
    ]
    assert guarded.home.asked == []


async def test_it_can_be_read(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    for on in (True, False, True):
        await told(visitor.post(SWITCH, json={"on": on}))
    _, found = await told(visitor.get("/api/audit?limit=2"))
    assert [entry["detail"] for entry in found["entries"]] == ["on", "off"]
    newest = found["entries"][0]
    assert newest["at_utc"].endswith("Z")
    assert {key: value for key, value in newest.items() if not key.startswith("at_")} == {
        "deed": "recording", "who": "anna", "address": "127.0.0.1", "door": "page", "target": "cam0", "ok": True,
        "detail": "on", "times": 1,
    }  # fmt: skip
    _, rest = await told(visitor.get(f"/api/audit?limit=2&before={found['older']}"))
    assert ([entry["detail"] for entry in rest["entries"]], rest["older"]) == (["on"], None)
    assert (await told(visitor.get("/api/audit?deed=mode")))[1]["entries"] == []
    assert (await told(visitor.get("/api/audit?who=ben")))[1]["entries"] == []
    for query in ("deed=murder", "limit=0", "before=yesterday"):
        assert (await told(visitor.get(f"/api/audit?{query}")))[0] == 400


async def test_users(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    new = {"name": "carl", "password": "long enough", "role": "viewer", "cameras": ["cam0"]}
    status, carl = await told(visitor.post("/api/users", json=new))
    assert (status, carl["name"], carl["role"], carl["cameras"]) == (201, "carl", "viewer", ["cam0"])
    _, listed = await told(visitor.get("/api/users"))
    assert [user["name"] for user in listed["users"]] == ["anna", "ben", "carl", "olga"]
    assert "long enough" not in json.dumps(listed)
    _, carl = await told(visitor.post("/api/users/carl", json={"cameras": None}))
    assert (carl["role"], carl["cameras"]) == ("viewer", None)
    _, carl = await told(visitor.post("/api/users/carl", json={"role": "operator"}))
    assert (carl["role"], carl["cameras"]) == ("operator", None)
    assert (await told(visitor.post("/api/users/carl/password", json={"password": "another one"})))[0] == 200
    assert guarded.gate.people["carl"].password == "another one"
    assert (await told(visitor.delete("/api/users/carl")))[0] == 200
    assert "carl" not in guarded.gate.people
    assert (await told(visitor.delete("/api/users/carl")))[0] == 404


async def test_an_admin_keeps_the_session_in_which_the_own_password_is_set(
    guarded: Site, visitor: aiohttp.ClientSession
) -> None:
    assert (await told(visitor.post("/api/users/anna/password", json={"password": "another one"})))[0] == 200
    assert (await told(visitor.get("/api/users")))[0] == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/users", {"name": "carl", "password": "x", "role": "king"}),
        ("/api/users", {"name": "carl", "password": "x"}),
        ("/api/users", {"name": "carl", "role": "viewer"}),
        ("/api/users", {"name": "carl", "password": "x", "role": "viewer", "cameras": "cam0"}),
        ("/api/users", {"name": "carl", "password": "x", "role": "viewer", "cameras": [0]}),
        ("/api/users/ben", {}),
        ("/api/users/ben", {"role": None}),
        ("/api/users/ben", {"password": "x"}),
        ("/api/users/ben/password", {}),
        ("/api/tokens", {"name": "ha"}),
        ("/api/tokens", {"name": "ha", "role": "viewer", "expires": "soon"}),
        ("/api/tokens", {"name": "ha", "role": "viewer", "expires": True}),
        ("/api/tokens", {"name": "ha", "role": "viewer", "expires": "2001-01-01T00:00:00Z"}),
    ],
)
async def test_what_is_not_right(
    guarded: Site, visitor: aiohttp.ClientSession, path: str, body: dict[str, Any]
) -> None:
    status, answer = await told(visitor.post(path, json=body))
    assert status == 400
    assert answer["error"]["hint"]
    assert (sorted(guarded.gate.people), guarded.gate.machines) == (["anna", "ben", "olga"], {})
    assert guarded.gate.people["ben"].revision == 1


async def test_tokens(guarded: Site, visitor: aiohttp.ClientSession) -> None:
    new = {"name": "ha", "role": "viewer", "cameras": ["cam0"], "expires": "2035-01-01T00:00:00Z"}
    status, made = await told(visitor.post("/api/tokens", json=new))
    assert (status, made["expires_utc"]) == (201, "2035-01-01T00:00:00.000Z")
    secret = made.pop("token")
    _, listed = await told(visitor.get("/api/tokens"))
    assert listed == {"tokens": [made]}
    assert secret not in json.dumps(listed)
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (await told(visitor.get(QUALITY, headers=bearer)))[0] == 200
    assert (await told(visitor.delete(f"/api/tokens/{made['id']}")))[0] == 200
    assert (await told(visitor.get(QUALITY, headers=bearer)))[0] == 401
