"""Who gets a camera's stream from either media server, and how it ends with their access."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.rtsp_gate import FakeGate
from rtsp_bench import Bench, Viewer
from support.rtsp_talk import Answer, RtspTalk, basic
from support.waiting import until

from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.status import ServerState

TOKEN = "lnv_" + "t" * 43
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
SDP += "a=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
RIGHT, WRONG = basic("anna", "right one"), basic("anna", "wrong one")


@pytest.fixture
async def house(kind: str, make_bench: Callable[..., Bench]) -> Bench:
    """Ready, nothing published; anna may see both cameras, ben cam1 only; one token for cam0."""
    gate = FakeGate(demo=None)
    gate.add_user("anna", "right one")
    gate.add_user("ben", "right one", "cam1")
    gate.add_token(TOKEN, "cam0")
    bench = make_bench(kind, gate=gate)
    assert await bench.start(), bench.server.status()
    return bench


@pytest.fixture
async def lively(house: Bench) -> Bench:
    """With cam0 published."""
    await house.publish("cam0")

    async def is_there() -> bool:
        return (await describe(house, "/cam0", RIGHT)).status == 200

    await until(is_there, "cam0 is published")
    return house


def track(bench: Bench) -> str:
    """What a SETUP asks for."""
    return "/cam0/stream=0" if bench.kind == "gstreamer" else "/cam0/trackID=0"


async def describe(bench: Bench, path: str, authorization: str | bytes = "") -> Answer:
    async with RtspTalk(bench.config.listen.rtsp_port) as talk:
        headers = {"Authorization": authorization} if authorization else {}
        return await talk.ask("DESCRIBE", path, Accept="application/sdp", **headers)


async def test_without_credentials_nothing_is_told_but_how_to_sign_in(house: Bench) -> None:
    answers = [await describe(house, path) for path in ("/cam0", "/cam1", "/nothing", "/")]
    assert [answer.status for answer in answers[:3]] == [401] * 3
    assert answers[0].headers["www-authenticate"][0].startswith("Basic realm=")
    assert len(answers[0].headers["www-authenticate"]) == 1
    # A stranger does not learn which cameras there are.
    plain = [{k: v for k, v in answer.headers.items() if k != "date"} for answer in answers[:3]]
    assert plain[0] == plain[1] == plain[2]
    assert not any(b"m=video" in answer.body for answer in answers)
    async with RtspTalk(house.config.listen.rtsp_port) as talk:
        assert (await talk.ask("OPTIONS", "/cam0")).status == 200
        assert (await talk.ask("SETUP", track(house), Transport=TCP)).status == 401
    async with RtspTalk(house.config.listen.rtsp_port) as talk:
        assert (await talk.ask("PLAY", "/cam0")).status >= 400
    # That there is a password to be asked for is no attempt yet.
    assert not house.gate.attempts
    assert not house.audit.notes


async def test_user_or_token_may_watch(lively: Bench) -> None:
    ways = (RIGHT, basic("anybody", TOKEN), basic(TOKEN, ""), basic(TOKEN, "x"), basic("x", "ticket"))
    lively.gate.tickets["ticket", "/media/cam0"] = lively.gate.users["anna", "right one"]
    answers = await asyncio.gather(*(describe(lively, "/cam0", way) for way in ways))
    assert [answer.status for answer in answers] == [200] * len(ways)
    assert (await describe(lively, "/cam0?ticket=ticket")).status == 200
    assert (await describe(lively, "/cam0?ticket=other")).status == 401
    await lively.sees("cam0", frames=2, url=lively.url("cam0", "anna:right%20one"))
    clients = {client for _, _, client in lively.gate.attempts}
    assert clients == {Client("127.0.0.1", Door.RTSP)}


async def test_wrong_credentials_are_refused(house: Bench) -> None:
    digest = (
        'Digest username="anna", realm="x", nonce="1", uri="rtsp://127.0.0.1/cam0", response="0123456789abcdef"'
    )
    bad = (WRONG, basic("nobody", "right one"), digest, basic("", ""), basic("publisher", ""))
    answers = await asyncio.gather(*(describe(house, "/cam0", value) for value in bad))
    assert [answer.status for answer in answers] == [401] * len(bad)
    # Another user's camera looks like one that is not there.
    foreign, none = await asyncio.gather(
        *(describe(house, p, basic("ben", "right one")) for p in ("/cam0", "/nothing"))
    )
    assert foreign.status == none.status
    assert foreign.status in {401, 404}
    assert any(note[0] is Deed.REFUSED and note[1] == "ben" and note[3] == "cam0" for note in house.audit.notes)


async def test_what_is_no_header_harms_nobody(house: Bench) -> None:
    junk = (
        b"Basic \xff\xfe",
        b"Basic ====",
        b"Basic",
        b"\xff",
        b"Bearer x",
        b"Basic " + b"A" * 8000,
        b"Basic YQ==",
    )

    async def attempt(value: bytes) -> int:
        try:
            return (await describe(house, "/cam0", value)).status
        except (ConnectionError, asyncio.IncompleteReadError):
            return 0

    statuses = await asyncio.gather(*(attempt(value) for value in junk))
    assert set(statuses) <= {0, 400, 401}
    assert house.server.status().state is ServerState.READY
    assert house.server.status().restarts == 0
    async with RtspTalk(house.config.listen.rtsp_port) as talk:
        assert (await talk.ask("OPTIONS", "/cam0")).status == 200


async def test_whoever_has_tried_too_often_is_not_even_looked_at(house: Bench) -> None:
    house.gate.throttled = True
    before = len(house.gate.attempts)
    assert (await describe(house, "/cam0", RIGHT)).status == 401
    assert len(house.gate.attempts) == before


async def test_nobody_but_the_service_publishes(lively: Bench) -> None:
    ways = ("", RIGHT, basic("publisher", "guess"), basic("anybody", TOKEN), basic("control", "x"))
    viewer = await lively.view("cam0", who="anna:right%20one")
    await until(lambda: viewer.frames > 5, "somebody watches")

    async def announce(path: str, authorization: str) -> int:
        async with RtspTalk(lively.config.listen.rtsp_port) as talk:
            headers = {"Authorization": authorization} if authorization else {}
            return (await talk.ask("ANNOUNCE", path, SDP, **headers)).status

    tries = [announce(path, way) for way in ways for path in ("/cam0", "/cam1", "/new")]
    assert {status // 100 for status in await asyncio.gather(*tries)} == {4}
    before = viewer.frames
    await until(lambda: viewer.frames > before + 10, "the camera's own picture goes on")


async def test_a_viewer_s_rights_end_and_the_stream_with_them(lively: Bench) -> None:
    anna = lively.gate.users["anna", "right one"]
    token = lively.gate.tokens[TOKEN]
    lively.gate.add_user("cleo", "right one")
    tcp, udp, other, machine = await asyncio.gather(
        lively.view("cam0", "tcp", "anna:right%20one"),
        lively.view("cam0", "udp", "anna:right%20one"),
        lively.view("cam0", "tcp", "cleo:right%20one"),
        lively.view("cam0", "udp", f"x:{TOKEN}"),
    )
    viewers = (tcp, udp, other, machine)
    await until(lambda: all(viewer.frames > 5 for viewer in viewers), "everybody watches")
    lively.gate.end(lively.bus, anna)
    await ended(tcp, udp, beside=other)
    seen = other.frames, machine.frames
    lively.gate.end(lively.bus, token)
    await ended(machine, beside=other)
    await until(lambda: other.frames > seen[0] + 20, "the others go on")
    assert (await describe(lively, "/cam0", RIGHT)).status == 401


async def ended(*viewers: Viewer, beside: Viewer) -> None:
    """No more frames come to them while somebody else gets as many as two seconds have.

    (That they do not get a last frame late is not promised; over UDP a player may not notice at once.)
    """
    before: list[int] = []

    def seen() -> list[int]:
        return [viewer.frames for viewer in viewers]

    for _ in range(5):
        before, others = seen(), beside.frames
        await until(lambda others=others: beside.frames >= others + 40, "the other one's next frames")
        if seen() == before:
            return
    raise AssertionError(f"{before} and then {seen()} frames")


async def test_what_ends_while_somebody_comes_in_ends_for_them_too(lively: Bench) -> None:
    """As when a password is changed between the answer and the first picture."""
    anna = lively.gate.users["anna", "right one"]
    async with RtspTalk(lively.config.listen.rtsp_port) as talk:
        assert (await talk.ask("DESCRIBE", "/cam0", Authorization=RIGHT)).status == 200
        lively.bus.publish(AccessEnded(frozenset({anna.credential})))
        if lively.kind == "gstreamer":
            assert await talk.is_closed()
        else:
            del lively.gate.users["anna", "right one"]
            assert (await talk.ask("SETUP", track(lively), Authorization=RIGHT, Transport=TCP)).status == 401


async def test_where_nobody_can_be_asked_nobody_gets_in(kind: str, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(kind, watch_every_s=60)
    assert await bench.start()
    await bench.doorkeeper.stop()
    assert (await describe(bench, "/cam0")).status == 401
    assert (await describe(bench, "/cam0", RIGHT)).status == 401


async def test_in_the_demo_wrong_passwords_and_publishers_are_refused(bench: Bench) -> None:
    assert (await describe(bench, "/cam0", WRONG)).status == 401
    assert (await describe(bench, "/nothing")).status in {401, 404}
    async with RtspTalk(bench.config.listen.rtsp_port) as talk:
        assert (await talk.ask("ANNOUNCE", "/cam1", SDP)).status // 100 == 4


async def test_no_secret_is_an_argument_or_for_others_to_read(house: Bench) -> None:
    secrets = (house.doorkeeper.publisher_password, house.doorkeeper.control_password, house.doorkeeper.secret)
    arguments = Path(f"/proc/{house.server.pid}/cmdline").read_bytes().decode()
    assert not any(secret in arguments for secret in secrets)
    files = [path for path in house.config.data_dir.rglob("*") if path.is_file()]
    telling = [path for path in files if any(secret in path.read_text("utf-8") for secret in secrets)]
    assert all(path.stat().st_mode & 0o077 == 0 for path in telling)
    assert bool(telling) == (house.kind == "mediamtx")
    assert not any(secret in value for secret in secrets for value in os.environ.values())
