"""What only GStreamer's RTSP server does."""

import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.rtsp_gate import FakeGate
from rtsp_bench import Bench
from support.rtsp_talk import RtspTalk, basic
from support.waiting import PATIENCE_S, until

from livecam_nvr.rtsp.gstreamer import really_works, seems_installed

pytestmark = pytest.mark.skipif(not seems_installed(), reason="GStreamer's RTSP server is not installed")


@pytest.fixture
async def ready(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench("gstreamer")
    assert await bench.start(), bench.server.status()
    return bench


async def test_a_connected_viewer_sees_the_next_run_of_the_camera(ready: Bench) -> None:
    publisher = await ready.publish("cam0")
    await ready.sees("cam0")
    viewer = await ready.view("cam0")
    await until(lambda: viewer.frames > 10)
    await publisher.kill()
    seen = viewer.frames
    await ready.publish("cam0")
    await until(lambda: viewer.frames > seen + 40, "frames of the next run on the same connection")
    assert viewer.connected


async def test_a_stranger_cannot_send_into_the_camera_s_port(ready: Bench) -> None:
    target = ready.server.publish_target("cam0")
    found = re.match(r"udp://127\.0\.0\.1:(\d+)\?.*localport=(\d+)", target.url)
    assert found
    receiver = ready.server._ingests["cam0"].receiver  # type: ignore[union-attr]
    receiver.setblocking(False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"not ours", ("127.0.0.1", int(found[1])))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", int(found[2])))
        ours.sendto(b"ours", ("127.0.0.1", int(found[1])))
    assert receiver.recv(100) == b"ours"
    with pytest.raises(BlockingIOError):
        receiver.recv(100)


async def test_where_python_lacks_gstreamer_the_fault_says_so(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("gstreamer")
    bench.server._python = sys.executable  # type: ignore[union-attr]
    assert not await bench.start(1)
    await until(lambda: bench.server.status().fault, "a fault")
    fault = bench.server.status().fault
    assert fault
    assert "cannot be used from Python: No module named 'gi'" in fault.message
    assert "apt install" in fault.hint


async def test_the_check_loads_it_really() -> None:
    works, found = await really_works()
    assert works
    assert found.startswith("GStreamer 1.")
    works, found = await really_works(sys.executable)
    assert not works
    assert "No module named 'gi'" in found


async def test_viewers_with_another_query_share_the_stream(ready: Bench) -> None:
    await ready.publish("cam0")
    viewers = [await ready.view("cam0"), await ready.view("cam0?x=1")]
    await until(lambda: all(viewer.frames > 60 for viewer in viewers), "each gets all of the packets")


async def test_a_session_is_worth_nothing_on_another_connection(make_bench: Callable[..., Bench]) -> None:
    gate = FakeGate(demo=None)
    gate.add_user("anna", "right one")
    bench = make_bench("gstreamer", gate=gate)
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")
    port, right = bench.config.listen.rtsp_port, basic("anna", "right one")
    tcp = "RTP/AVP/TCP;unicast;interleaved=0-1"
    async with RtspTalk(port) as anna, RtspTalk(port) as thief:
        answer = await anna.ask("SETUP", "/cam0/stream=0", Transport=tcp, Authorization=right)
        assert answer.status == 200
        session = answer.headers["session"][0].partition(";")[0]
        for method in ("PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"):
            assert (await thief.ask(method, "/cam0", Session=session)).status == 454, method
        assert (await thief.ask("SETUP", "/cam0/stream=0", Transport=tcp, Session=session)).status == 454
        assert (await anna.ask("GET_PARAMETER", "/cam0", Session=session)).status == 200


async def test_one_question_for_each_connection(make_bench: Callable[..., Bench]) -> None:
    gate = FakeGate(demo=None)
    gate.add_user("anna", "right one")
    bench = make_bench("gstreamer", gate=gate)
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")
    right = basic("anna", "right one")
    async with RtspTalk(bench.config.listen.rtsp_port) as talk:
        for _ in range(3):
            assert (await talk.ask("DESCRIBE", "/cam0", Authorization=right)).status == 200
        assert (await talk.ask("DESCRIBE", "/cam0", Authorization=basic("anna", "other"))).status == 401
    assert [password for _, password, _ in gate.attempts] == ["right one", "other"]


async def test_a_password_that_is_still_being_looked_at_is_not_called_wrong(
    make_bench: Callable[..., Bench],
) -> None:
    gate = FakeGate(demo=None, hangs=True)
    gate.add_user("anna", "right one")
    bench = make_bench("gstreamer", gate=gate, answer_within_s=0.1)
    assert await bench.start(), bench.server.status()
    async with RtspTalk(bench.config.listen.rtsp_port) as talk:
        asked = asyncio.create_task(talk.ask("DESCRIBE", "/nothing", Authorization=basic("anna", "right one")))
        await until(lambda: len(gate.attempts) > 1, "the door asks again")
        gate.hangs = False
        assert (await asked).status == 404


async def test_many_at_once_are_no_trouble_right_after_the_start(ready: Bench) -> None:
    async def describe() -> int:
        async with RtspTalk(ready.config.listen.rtsp_port) as talk:
            return (await talk.ask("DESCRIBE", "/nothing", Authorization=basic("anna", "wrong"))).status

    assert await asyncio.gather(*(describe() for _ in range(30))) == [401] * 30
    assert ready.server.status().restarts == 0


async def test_strangers_cannot_take_all_connections(ready: Bench) -> None:
    port, pid = ready.config.listen.rtsp_port, ready.server.pid
    assert pid
    strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(140)]
    try:
        # The first go for the last, who may be one of us.
        async with asyncio.timeout(PATIENCE_S):
            assert await strangers[0][0].read() == b""
        assert not strangers[-1][0].at_eof()
        assert ready.server.pid == pid
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        assert threads < 160
    finally:
        for _, writer in strangers:
            writer.transport.abort()

    async def answers() -> bool:
        with contextlib.suppress(ConnectionError):
            async with RtspTalk(port) as talk:
                return (await talk.ask("OPTIONS", "/cam0")).status == 200
        return False

    await until(answers, "there is room again")
