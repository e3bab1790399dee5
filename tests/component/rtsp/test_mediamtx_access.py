"""WebRTC and LL-HLS of MediaMTX: who gets in, and how it ends with their access."""

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from fakes.rtsp_gate import FakeGate
from rtsp_bench import Bench, listening
from support.rtsp_talk import basic
from support.waiting import until

from livecam_nvr.core.access import Door
from livecam_nvr.domain.access import Kind, Principal, Role

pytestmark = pytest.mark.mediamtx

TOKEN = "lnv_" + "t" * 43
BEARER = {"Authorization": f"Bearer {TOKEN}"}
RIGHT = basic("anna", "right one")
SDP = {"Content-Type": "application/sdp"}
# What a browser that wants to see H.264 offers, without its candidates.
OFFER = "\r\n".join(
    (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux",
        "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "",
    )
)


@pytest.fixture
async def house(make_bench: Callable[..., Bench]) -> Bench:
    gate = FakeGate(demo=None)
    gate.add_user("anna", "right one")
    gate.add_token(TOKEN, "cam0")
    gate.tickets["ticket", "/media/cam0"] = Principal(Kind.USER, "anna", Role.VIEWER, credential="user:anna#1")
    bench = make_bench("mediamtx", gate=gate)
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")

    async def is_there() -> bool:
        return any(path.ready for path in await bench.server.paths())  # type: ignore[union-attr]

    await until(is_there, "cam0 is published")
    return bench


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_strangers_get_nothing(house: Bench, browser: aiohttp.ClientSession) -> None:
    hls, whep = house.url("cam0", what="ll_hls"), house.url("cam0", what="webrtc")
    base = hls.rpartition("/")[0]
    for url in (hls, f"{base}/", f"{base}/video1_stream.m3u8", f"{base}/x_init.mp4", f"{base}-not/index.m3u8"):
        async with browser.get(url) as response:
            assert response.status == 401, url
            assert b"EXTM3U" not in await response.read()
    for method, url in (("POST", whep), ("OPTIONS", whep), ("POST", whep.replace("cam0", "cam9"))):
        async with browser.request(method, url, data=OFFER, headers=SDP) as response:
            assert response.status == 401, (method, url)
    async with browser.post(whep.replace("whep", "whip"), data=OFFER, headers=SDP | BEARER) as response:
        assert response.status == 401
    async with browser.get(f"{hls}?ticket=other") as response:
        assert response.status == 401


async def test_hls_goes_on_as_long_as_the_right_to_it(house: Bench, browser: aiohttp.ClientSession) -> None:
    async def playlist(headers: dict[str, str], query: str = "") -> str:
        """The address of the media playlist, with the session's secret in it."""
        async with browser.get(house.url("cam0", what="ll_hls") + query, headers=headers) as response:
            assert response.status == 200, await response.text()
            lines = (await response.text()).splitlines()
            return str(response.url).partition("?")[0].rpartition("/")[0] + "/" + lines[-1]

    by_token, by_ticket = await playlist(BEARER), await playlist({}, "?ticket=ticket")

    async def status(url: str) -> int:
        async with browser.get(url) as response:
            return response.status

    assert [await status(by_token), await status(by_ticket)] == [200, 200]
    house.gate.end(house.bus, house.gate.tokens[TOKEN])

    async def is_over() -> bool:
        return await status(by_token) == 401

    await until(is_over, "its session has ended")
    assert await status(by_ticket) == 200
    assert {client.door for _, _, client in house.gate.attempts} <= {Door.HLS}


async def test_webrtc_ends_with_the_right_to_it(house: Bench, browser: aiohttp.ClientSession) -> None:
    whep = house.url("cam0", what="webrtc")
    sessions = []
    for headers in (BEARER, {"Authorization": RIGHT}):
        async with browser.post(whep, data=OFFER, headers=SDP | headers) as response:
            assert response.status == 201, await response.text()
            sessions.append(response.headers["Location"])
    house.gate.end(house.bus, house.gate.tokens[TOKEN])
    control = house.server._control  # type: ignore[union-attr]
    assert control

    async def one_is_left() -> bool:
        return len(await control.readers(encrypted=False)) == 1

    await until(one_is_left, "the token's session has ended")
    origin = whep.partition("/cam0")[0]
    statuses = []
    for session in sessions:
        async with browser.delete(origin + session) as response:
            statuses.append(response.status)
    assert statuses == [404, 200]


async def test_nothing_else_listens(house: Bench) -> None:
    listen = house.config.listen
    assert house.server.pid
    tcp = {port for proto, _, port in listening(house.server.pid) if proto == "tcp"}
    known = {listen.rtsp_port, listen.webrtc_port, listen.hls_port}
    assert known < tcp
    (api,) = tcp - known
    async with aiohttp.ClientSession() as session:
        for sent in ({}, {"Authorization": RIGHT}, {"Authorization": basic("control", "guess")}):
            async with session.get(f"http://127.0.0.1:{api}/v3/paths/list", headers=sent) as response:
                assert response.status == 401
