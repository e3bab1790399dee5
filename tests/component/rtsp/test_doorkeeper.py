"""The doorkeeper over its real socket: who gets which answer."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from fakes.rtsp_gate import FakeAudit, FakeGate
from support.waiting import PATIENCE_S

from livecam_nvr.config import models
from livecam_nvr.config.models import Config, ListenConfig, RtspCamera, TlsConfig
from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Kind, Principal, Role
from livecam_nvr.rtsp.doorkeeper import CONTROL, PUBLISHER, Doorkeeper

TOKEN = "lnv_" + "t" * 43
Ask = Callable[..., Awaitable[int]]


@pytest.fixture
def gate() -> FakeGate:
    made = FakeGate(demo=None)
    made.add_user("anna", "right one")
    made.add_user("ben", "right one", "cam1")
    made.add_token(TOKEN, "cam0")
    return made


def config(address: str = "127.0.0.1", *, only: bool = False) -> Config:
    cameras = [
        models.TestCamera(id="cam0", kind="test"),
        RtspCamera(id="cam1", kind="rtsp", url="rtsp://192.0.2.1/x", sub_url="rtsp://192.0.2.1/y"),
        models.TestCamera(id="resting", kind="test", enabled=False),
    ]
    tls = TlsConfig(certificate="c", private_key="k", only=True) if only else TlsConfig()
    return Config(cameras=cameras, listen=ListenConfig(address=address), tls=tls)


@pytest.fixture
async def keeper(gate: FakeGate) -> AsyncIterator[Doorkeeper]:
    made = Doorkeeper(gate, FakeAudit(), config())
    await made.start()
    yield made
    await made.stop()
    await made.stop()


@pytest.fixture
async def ask(keeper: Doorkeeper) -> AsyncIterator[Ask]:
    """Posts a question as MediaMTX does; what is not said is as for a reader of cam0 from the network."""
    async with aiohttp.ClientSession() as session:

        async def post(**question: object) -> int:
            usual = {"ip": "192.0.2.9", "action": "read", "path": "cam0", "protocol": "rtsp", "id": None}
            async with session.post(keeper.address, json=usual | question) as response:
                return response.status

        yield post


async def test_whom_it_lets_in(ask: Ask, gate: FakeGate) -> None:
    gate.tickets["ticket", "/media/cam1"] = Principal(Kind.USER, "anna", Role.VIEWER)
    assert await ask(user="anna", password="right one", token="right one") == 200
    assert await ask(user="x", password=TOKEN, token=TOKEN) == 200
    assert await ask(user=TOKEN) == 200
    assert await ask(token=TOKEN, protocol="webrtc") == 200
    assert await ask(user="ben", password="right one", path="cam1_sub") == 200
    for path in ("cam1", "cam1_sub"):
        assert await ask(token="ticket", protocol="hls", path=path) == 200
        assert await ask(query="a=b&ticket=ticket", protocol="hls", path=path) == 200
        assert await ask(user="x", password="ticket", path=path) == 200
        assert await ask(user="ticket", path=path) == 200


async def test_whom_it_does_not(ask: Ask, gate: FakeGate) -> None:
    gate.tickets["ticket", "/media/cam1"] = Principal(Kind.USER, "anna", Role.VIEWER)
    assert await ask() == 401
    assert await ask(user="anna", password="wrong") == 401
    assert await ask(user="anna") == 401
    assert await ask(token="lnv_wrong") == 401
    assert await ask(token="ticket") == 401
    assert await ask(query="ticket=ticket") == 401
    # Right, but not theirs, or not there: the same answer.
    assert await ask(user="ben", password="right one") == 404
    assert await ask(user="anna", password="right one", path="resting") == 404
    assert await ask(user="anna", password="right one", path="../cam0") == 404
    assert await ask(token=TOKEN, path="cam1") == 404
    gate.throttled = True
    assert await ask(user="anna", password="right one") == 429


async def test_only_the_service_publishes_and_controls(ask: Ask, keeper: Doorkeeper) -> None:
    ours = {"user": PUBLISHER, "password": keeper.publisher_password, "action": "publish", "ip": "127.0.0.1"}
    assert await ask(**ours) == 200
    assert await ask(**ours, path="cam1_sub") == 200
    assert await ask(**ours | {"ip": "::ffff:127.0.0.1"}) == 200
    others: tuple[dict[str, str], ...] = (
        {"ip": "192.0.2.9"},
        {"password": "guess"},
        {"password": keeper.control_password},
        {"user": "anna", "password": "right one"},
        {"user": "x", "password": TOKEN},
        {"protocol": "webrtc"},
        {"protocol": "rtmp"},
        {"path": "resting"},
        {"path": ""},
    )
    for other in others:
        assert await ask(**ours | other) == 401, other
    control = {
        "user": CONTROL,
        "password": keeper.control_password,
        "action": "api",
        "path": "",
        "ip": "127.0.0.1",
    }
    assert await ask(**control) == 200
    assert await ask(**control | {"ip": "192.0.2.9"}) == 401
    assert await ask(**control | {"user": "anna", "password": "right one"}) == 401
    for action in ("metrics", "pprof", "playback", "", "something"):
        assert await ask(**control | {"action": action}) == 401
    # The service's own passwords open nothing else.
    assert await ask(**ours | {"action": "read"}) == 401


async def test_attempts_to_publish_are_noted_and_a_challenge_is_not(gate: FakeGate) -> None:
    audit = FakeAudit()
    keeper = Doorkeeper(gate, audit, config())
    await keeper.start()
    async with aiohttp.ClientSession() as session:
        for user in ("", "x" * 500 + "\n\udc80"):
            question = {"ip": "192.0.2.9", "user": user, "action": "publish", "path": "cam0", "protocol": "rtsp"}
            await session.post(keeper.address, data=json.dumps(question))
    await keeper.stop()
    # What was sent as the name may be a password.
    assert audit.notes == [(Deed.REFUSED, "somebody", Client("192.0.2.9", Door.RTSP), "cam0", False)]


async def test_the_demo(ask: Ask, gate: FakeGate) -> None:
    gate.demo = Principal(Kind.DEMO, "demo", Role.OPERATOR)
    assert await ask() == 200
    assert await ask(path="nothing") == 404
    assert await ask(user="anna", password="wrong") == 401
    assert await ask(token="wrong") == 401
    assert await ask(action="publish", ip="127.0.0.1") == 401


async def test_where_we_publish_from(gate: FakeGate) -> None:
    async def status(keeper: Doorkeeper, ip: str) -> int:
        await keeper.start()
        question = {"ip": ip, "user": PUBLISHER, "password": keeper.publisher_password, "action": "publish"}
        async with aiohttp.ClientSession() as session:
            more = {"path": "cam0", "protocol": "rtsp"}
            async with session.post(keeper.address, json=question | more) as response:
                await keeper.stop()
                return response.status

    # To an address of its own, a connection from this machine comes from that very address.
    assert await status(Doorkeeper(gate, FakeAudit(), config("192.0.2.7")), "192.0.2.7") == 200
    assert await status(Doorkeeper(gate, FakeAudit(), config("192.0.2.7", only=True)), "192.0.2.7") == 401
    assert await status(Doorkeeper(gate, FakeAudit(), config("0.0.0.0")), "192.0.2.7") == 401


async def test_only_a_media_server_may_ask(keeper: Doorkeeper, gate: FakeGate) -> None:
    bare = f"http://127.0.0.1:{keeper.port}/"
    right = {"user": "anna", "password": "right one", "action": "read", "path": "cam0", "protocol": "rtsp"}
    async with aiohttp.ClientSession() as session:
        for url in (bare, bare.replace("//", "//media-server:guess@")):
            async with session.post(url, json=right) as response:
                assert response.status == 404
        for text in ("", "no json", "[]", '"x"', "null", '{"user": {"a": 1}, "action": ["read"]}', "\xff"):
            async with session.post(keeper.address, data=text.encode("latin-1")) as response:
                assert response.status in {400, 401}
        async with session.post(keeper.address, data=b"x" * 100_000) as response:
            assert response.status == 413
        async with session.get(keeper.address) as response:
            assert response.status == 405
    assert not gate.attempts
    assert keeper.secret not in repr(keeper)


async def test_a_gate_that_hangs_refuses(gate: FakeGate) -> None:
    right = {"user": "anna", "password": "right one", "action": "read", "path": "cam0", "protocol": "rtsp"}
    for gate.hangs, within_s, status in ((True, 0.1, 503), (False, PATIENCE_S, 200)):
        keeper = Doorkeeper(gate, FakeAudit(), config(), answer_within_s=within_s)
        await keeper.start()
        async with aiohttp.ClientSession() as session, session.post(keeper.address, json=right) as response:
            assert response.status == status
        await keeper.stop()


async def test_it_knows_what_ran_on_what(ask: Ask, keeper: Doorkeeper) -> None:
    await ask(user="anna", password="right one", id="a")
    await ask(user="x", password=TOKEN, id="t")
    await ask(user="anna", password="wrong", id="w")
    assert keeper.ended(AccessEnded(frozenset({"user:anna#1"}))) == {"a"}
    assert keeper.ended(AccessEnded(frozenset({"user:anna#1", f"token:{TOKEN}#1"}))) == {"a", "t"}
    assert keeper.ended(AccessEnded(frozenset({"user:anna#2"}))) == set()
    assert keeper.unknown({"a", "z"}) == set()
