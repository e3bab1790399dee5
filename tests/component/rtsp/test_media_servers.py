"""What holds for both media servers, in the same words."""

import asyncio
import contextlib
import logging
import os
import re
import signal
import socket
from collections.abc import Callable

import pytest
from rtsp_bench import HEIGHT, WIDTH, Bench, listening
from support.service import alive, descendants
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.status import ServerState


async def output(*argv: str) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return await process.wait(), out, err


async def test_viewers_get_the_stream_over_tcp_and_udp(bench: Bench) -> None:
    await bench.publish("cam0")
    await bench.sees("cam0", transport="tcp")
    await bench.sees("cam0", transport="udp")


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_player_learns_codec_and_size_before_it_plays(bench: Bench, codec: str) -> None:
    await bench.publish("cam1", codec)
    await bench.sees("cam1")
    ask = ("-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0")
    _, said, _ = await output("ffprobe", "-v", "error", *ask, "-rtsp_transport", "tcp", bench.url("cam1"))
    assert said.decode().strip() == f"{codec.replace('h265', 'hevc')},{WIDTH},{HEIGHT}"


async def test_many_watch_both_cameras_at_once(bench: Bench) -> None:
    await asyncio.gather(bench.publish("cam0"), bench.publish("cam1"))
    await asyncio.gather(bench.sees("cam0"), bench.sees("cam1"))
    viewers = [await bench.view(camera, how) for camera in ("cam0", "cam1") for how in ("tcp", "udp", "tcp")]
    await until(lambda: all(v.frames >= 40 for v in viewers), "40 frames for each of six")


async def test_large_keyframes_arrive_whole(bench: Bench) -> None:
    await bench.publish("cam0", size="1920x1080", kbps=12_000)
    await bench.sees("cam0")
    argv = ("ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", bench.url("cam0"), "-frames:v", "40")
    code, _, complaints = await output(*argv, "-f", "null", "-")
    # A viewer begins anywhere, so it may complain of what came before its first keyframe, and of nothing else.
    assert code == 0
    assert b"concealing" not in complaints
    assert b"corrupt" not in complaints


async def test_nobody_else_can_publish(bench: Bench) -> None:
    await bench.publish("cam0")
    await bench.sees("cam0")
    where = bench.url("cam0").rpartition("/")[0]
    stranger = where.replace("rtsp://", "rtsp://publisher:guess@")
    picture = ("-re", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5", "-c:v", "libx264", "-t", "2")
    for url in (f"{where}/cam0", f"{where}/cam1", f"{where}/other", f"{stranger}/cam0", f"{stranger}/cam1"):
        argv = ("ffmpeg", "-v", "error", "-nostdin", *picture, "-f", "rtsp", "-rtsp_transport", "tcp", url)
        code, _, words = await output(*argv)
        assert code != 0, url
        assert re.search(rb"40[0-9]|401|not|refused", words), words
    await bench.sees("cam0")


async def test_a_path_that_is_no_camera_is_refused(bench: Bench) -> None:
    await bench.publish("cam0")
    await bench.sees("cam0")
    code, _, words = await output("ffprobe", "-v", "error", f"{bench.url('cam0')}-not")
    assert code != 0
    assert b"40" in words


async def test_a_camera_that_sends_nothing_does_not_stop_the_other_one(bench: Bench) -> None:
    bench.server.stream_started("cam1", "avc1.42c01f")
    waiting = [await bench.view("cam1") for _ in range(3)]
    await bench.publish("cam0")
    await bench.sees("cam0")
    assert not any(viewer.frames for viewer in waiting)


async def test_killed_it_is_back_and_the_publisher_with_it(bench: Bench) -> None:
    await bench.publish("cam0")
    await bench.sees("cam0")
    pid = bench.server.pid
    assert pid
    bench.changes.clear()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bench.states[-1:] == [ServerState.READY], "ready again")
    await bench.sees("cam0")
    assert bench.states == [ServerState.BACKOFF, ServerState.STARTING, ServerState.READY]
    status = bench.server.status()
    assert status.restarts == 1
    assert status.fault
    assert "SIGKILL" in status.fault.message


async def test_hung_it_is_found_and_restarted(bench: Bench) -> None:
    pid = bench.server.pid
    assert pid
    bench.changes.clear()
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: bench.states[-1:] == [ServerState.READY], "ready again")
    assert bench.server.pid != pid
    assert not alive(pid)
    fault = bench.server.status().fault
    assert fault
    assert "hung" in fault.message
    await bench.publish("cam0")
    await bench.sees("cam0")


async def test_another_run_of_the_camera_can_be_watched(bench: Bench) -> None:
    publisher = await bench.publish("cam0")
    await bench.sees("cam0")
    await publisher.kill()
    await bench.publish("cam0")
    await bench.sees("cam0")


async def test_a_camera_may_change_its_codec(bench: Bench) -> None:
    publisher = await bench.publish("cam1", "h264")
    await bench.sees("cam1")
    viewer = await bench.view("cam1")
    await until(lambda: viewer.frames > 5)
    await publisher.kill()
    await bench.publish("cam1", "h265")
    await until(lambda: not viewer.connected, "the viewer of the earlier codec is sent away")
    await bench.sees("cam1")


async def test_stop_leaves_nothing(bench: Bench) -> None:
    await bench.publish("cam0")
    await bench.sees("cam0")
    before = descendants(os.getpid())
    pid = bench.server.pid
    assert pid in before
    await bench.server.stop()
    await bench.server.stop()
    assert not alive(pid)
    assert bench.server.pid is None
    assert bench.server.status().state is ServerState.STOPPED


async def test_on_loopback_nothing_listens_beyond_it(bench: Bench) -> None:
    await bench.publish("cam0")
    viewer = await bench.view("cam0", "udp")
    await until(lambda: viewer.frames > 5 or not viewer.connected)
    await bench.sees("cam0", transport="udp")
    pid = bench.server.pid
    assert pid
    open_now = listening(pid)
    assert ("tcp", "127.0.0.1", bench.config.listen.rtsp_port) in open_now
    assert {(p, a, n) for p, a, n in open_now if a not in {"127.0.0.1", "::1"}} == set()


async def test_on_all_interfaces_the_rest_stays_on_loopback(kind: str, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(kind, address="0.0.0.0")
    assert await bench.start()
    await bench.publish("cam0")
    await bench.sees("cam0", transport="tcp")
    await bench.sees("cam0", transport="udp")
    pid = bench.server.pid
    assert pid
    listen = bench.config.listen
    open_tcp = {port for proto, where, port in listening(pid) if proto == "tcp" and where != "127.0.0.1"}
    allowed = (
        {listen.rtsp_port} if kind == "gstreamer" else {listen.rtsp_port, listen.webrtc_port, listen.hls_port}
    )
    assert open_tcp == allowed


async def test_on_an_address_of_its_own_publishing_works(kind: str, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(kind, address="127.0.0.2")
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")
    await bench.sees("cam0")
    pid = bench.server.pid
    assert pid
    assert ("tcp", "127.0.0.2", bench.config.listen.rtsp_port) in listening(pid)


async def test_a_taken_port_is_named_and_had_when_it_is_free(kind: str, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(kind)
    port = bench.config.listen.rtsp_port
    with socket.create_server(("127.0.0.1", port)):
        assert not await bench.start(0.5)
        await until(lambda: bench.server.status().fault, "a fault")
        fault = bench.server.status().fault
        assert fault
        assert str(port) in fault.message
        assert "listen.rtsp_port" in fault.hint
    await until(lambda: bench.server.status().state is ServerState.READY, "ready once the port is free")


async def test_what_fails_again_and_again_is_logged_once_until_it_healed(
    kind: str, make_bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench = make_bench(kind)
    with socket.create_server(("127.0.0.1", bench.config.listen.rtsp_port)):
        await bench.start(0)
        await until(lambda: bench.server.status().restarts >= 3, "three attempts")
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"], caplog.text

    async def dies() -> None:
        await until(lambda: bench.server.status().state is ServerState.READY, "ready")
        caplog.clear()
        before, pid = bench.server.status().restarts, bench.server.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: bench.server.status().restarts > before, "the failure was seen")

    for _ in range(2):
        await dies()
        assert [record.levelname for record in caplog.records].count("WARNING") == 1, caplog.text


async def test_two_services_on_one_machine(kind: str, make_bench: Callable[..., Bench]) -> None:
    first, second = make_bench(kind), make_bench(kind)
    assert all(await asyncio.gather(first.start(), second.start()))
    await asyncio.gather(first.publish("cam0"), second.publish("cam0"))
    await asyncio.gather(first.sees("cam0", transport="udp"), second.sees("cam0", transport="udp"))


async def test_the_publish_target_is_stable(bench: Bench) -> None:
    targets = [bench.server.publish_target("cam0") for _ in range(2)]
    assert targets[0] == targets[1]
    assert bench.server.publish_target("cam1") != targets[0]
