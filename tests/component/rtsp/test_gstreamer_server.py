"""What only GStreamer's RTSP server does."""

import re
import socket
import sys
from collections.abc import Callable

import pytest
from rtsp_bench import Bench
from support.waiting import until

from livecam_nvr.rtsp.gstreamer import really_works, seems_installed

pytestmark = pytest.mark.skipif(not seems_installed(), reason="GStreamer's RTSP server is not installed")


@pytest.fixture
async def ready(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench("gstreamer")
    assert await bench.server.start(10), bench.server.status()
    return bench


async def test_a_connected_viewer_sees_the_next_run_of_the_camera(ready: Bench) -> None:
    publisher = await ready.publish("cam0")
    await ready.sees("cam0")
    viewer = await ready.view("cam0")
    await until(lambda: viewer.frames > 10, 15)
    await publisher.kill()
    seen = viewer.frames
    await ready.publish("cam0")
    await until(lambda: viewer.frames > seen + 40, 15, "frames of the next run on the same connection")
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
    assert not await bench.server.start(1)
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
