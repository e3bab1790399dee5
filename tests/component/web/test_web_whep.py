"""WHEP at the page's own address: what is handed on, and for whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from fakes.web_service import Site, http
from fakes.web_whep import SESSION, FakeWhep
from support.waiting import PATIENCE_S, until
from support.web_people import signed_in, told

from livecam_nvr.core.events import MediaServerChanged
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import MediaServerStatus, ServerState

WHEP = "/api/cameras/cam0/whep"
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


@pytest.fixture
def whep() -> FakeWhep:
    return FakeWhep()


@pytest.fixture
async def house(tmp_path: Path, whep: FakeWhep) -> AsyncIterator[Site]:
    site = Site(tmp_path, ["cam0", "cam1"])
    site.gate.demo = None
    site.gate.let_in("anna", Role.VIEWER)
    site.gate.let_in("bert", Role.VIEWER, ["cam1"])
    site.ports = replace(site.ports, whep=whep)
    site.server = site.server_of()
    await site.server.start()
    yield site
    await site.close()


@pytest.fixture
async def browser(house: Site) -> AsyncIterator[aiohttp.ClientSession]:
    async with http(house) as session:
        yield session


async def test_a_session_from_its_begin_to_its_end(
    house: Site, browser: aiohttp.ClientSession, whep: FakeWhep
) -> None:
    anna = signed_in(house, "anna")
    async with browser.post(WHEP, data="the offer", headers=SDP | anna) as answer:
        assert answer.status == 201
        assert answer.content_type == "application/sdp"
        assert await answer.text() == "the answer"
        session = answer.url.join(type(answer.url)(answer.headers["Location"])).path
    assert session == f"{WHEP}/{SESSION}"
    assert whep.offers == [("cam0", "the offer", "anna")]
    async with browser.patch(session, data="a candidate", headers=FRAGMENT | anna) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    assert whep.fragments == [("cam0", SESSION, "a candidate")]
    async with browser.delete(session, headers=anna) as answer:
        assert answer.status == 204
    assert whep.sessions == set()
    assert (await told(browser.delete(session, headers=anna)))[0] == 404


async def test_what_is_no_offer_is_not_handed_on(
    house: Site, browser: aiohttp.ClientSession, whep: FakeWhep
) -> None:
    anna = signed_in(house, "anna")
    most = "x" * (64 << 10)
    for body, headers, status in (
        ("the offer", {"Content-Type": "application/json"}, 415),
        (most + "x", SDP, 413),
        (b"\xff", SDP, 400),
        ("the offer", SDP | {"Origin": "http://elsewhere.example"}, 403),
    ):
        assert (await told(browser.post(WHEP, data=body, headers=anna | headers)))[0] == status
    assert whep.offers == []
    async with browser.post(WHEP, data=most, headers=SDP | anna) as answer:
        assert answer.status == 201


async def test_only_cameras_of_ones_own(house: Site, browser: aiohttp.ClientSession, whep: FakeWhep) -> None:
    bert = signed_in(house, "bert")
    assert (await told(browser.post(WHEP, data="o", headers=SDP | bert)))[0] == 404
    assert (await told(browser.post(WHEP, data="o", headers=SDP)))[0] == 401
    assert (await told(browser.post("/api/cameras/cam9/whep", data="o", headers=SDP | signed_in(house, "anna"))))[
        0
    ] == 404
    assert whep.offers == []


async def test_errors_are_told_as_everywhere(house: Site, browser: aiohttp.ClientSession, whep: FakeWhep) -> None:
    anna = signed_in(house, "anna")
    for kind, status in ((ErrorKind.INVALID, 400), (ErrorKind.UNAVAILABLE, 503)):
        whep.error = LivecamError(kind, "it does not go")
        found, body = await told(browser.post(WHEP, data="o", headers=SDP | anna))
        assert (found, body["error"]["message"]) == (status, "it does not go")


async def test_without_such_a_media_server(site: Site, client: aiohttp.ClientSession) -> None:
    status, body = await told(client.post(WHEP, data="o", headers=SDP))
    assert (status, body["error"]["kind"]) == (503, "unavailable")


async def test_whoever_signs_out_meanwhile_gets_no_session(
    house: Site, browser: aiohttp.ClientSession, whep: FakeWhep
) -> None:
    whep.hangs = True
    anna = signed_in(house, "anna")
    asking = asyncio.create_task(told(browser.post(WHEP, data="o", headers=SDP | anna)))
    await until(lambda: whep.offers, "the offer has come")
    async with browser.delete("/api/session", headers=anna | {"Origin": house.url}) as answer:
        assert answer.status == 200
    assert (await asking)[0] == 401


async def test_the_live_web_socket_tells_when_webrtc_can_be_asked_for(
    house: Site, browser: aiohttp.ClientSession, whep: FakeWhep
) -> None:
    async with browser.ws_connect("/api/cameras/cam0/live.ws", headers=signed_in(house, "anna")) as socket:

        async def ways() -> object:
            while True:
                message = json.loads(await socket.receive_str(timeout=PATIENCE_S))
                if message["type"] == "ways":
                    return message["webrtc"]

        assert await ways() is True
        whep.ready = False
        house.bus.publish(MediaServerChanged(MediaServerStatus("mediamtx", ServerState.BACKOFF)))
        assert await ways() is False
        assert json.loads(await socket.receive_str(timeout=PATIENCE_S)) == {"type": "alive"}
