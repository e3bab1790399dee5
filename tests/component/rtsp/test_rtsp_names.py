"""Nobody learns from RTSP which cameras there are, however they ask."""

from collections.abc import Callable

import pytest
from fakes.rtsp_gate import FakeGate
from rtsp_bench import Bench
from support.rtsp_talk import RtspTalk, basic
from support.waiting import until

RIGHT = basic("anna", "right one")
FOREIGN = basic("ben", "right one")
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"
# What stands behind a camera's name: as players write it, and as those do who look for a difference.
TAILS = (
    "",
    "/",
    "/x",
    "/x/y",
    "/stream=0",
    "/trackID=0",
    "/stream=9",
    "//stream=0",
    "/%20",
    "?query",
    "/stream=0?query",
)


async def status(bench: Bench, method: str, path: str, authorization: str) -> int:
    headers = {"Authorization": authorization} if authorization else {}
    async with RtspTalk(bench.config.listen.rtsp_port) as talk:
        return (await talk.ask(method, path, Transport=TCP, **headers)).status


@pytest.fixture
async def house(kind: str, make_bench: Callable[..., Bench]) -> Bench:
    """cam0 is published; anna may see it, ben may not."""
    gate = FakeGate(demo=None)
    gate.add_user("anna", "right one")
    gate.add_user("ben", "right one", "cam1")
    bench = make_bench(kind, gate=gate)
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")

    async def is_there() -> bool:
        return await status(bench, "DESCRIBE", "/cam0", RIGHT) == 200

    await until(is_there, "cam0 is published")
    return bench


async def test_a_camera_that_is_not_theirs_looks_like_none(house: Bench) -> None:
    told = {
        (method, tail, authorization): [
            await status(house, method, f"/{name}{tail}", authorization) for name in ("cam0", "nothing")
        ]
        for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER")
        for tail in TAILS
        for authorization in ("", FOREIGN)
    }
    assert {asked: answers for asked, answers in told.items() if len(set(answers)) > 1} == {}


async def test_who_is_signed_in_is_told_that_there_is_no_such_camera(house: Bench) -> None:
    """And is not asked for a password again. (MediaMTX knows only one sort of refusal.)"""
    answers = [await status(house, "DESCRIBE", path, RIGHT) for path in ("/nothing", "/cam1")]
    assert answers == ([404, 404] if house.kind == "gstreamer" else [401, 404])
