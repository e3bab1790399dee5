"""Cameras that come and go while GStreamer's RTSP server runs."""

import os
import signal
from collections.abc import Callable

from rtsp_bench import RFC6381, Bench
from support.waiting import until


async def test_cameras_come_and_go_and_the_viewers_of_others_stay(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("gstreamer")
    assert await bench.start(), bench.server.status()
    pid = bench.server.pid
    await bench.publish("cam0")
    watching = await bench.view("cam0")
    await until(lambda: watching.frames > 5, "a viewer of the camera that stays")

    for _ in range(2):  # a camera may come back
        bench.doorkeeper.add("late")
        bench.server.add("late", h264=True)
        publisher = await bench.publish("late")
        await bench.sees("late")
        guest = await bench.view("late")
        await until(lambda guest=guest: guest.frames > 5, "a viewer of the new camera")
        await publisher.kill()
        bench.server.remove("late")
        bench.doorkeeper.remove("late")
        await until(lambda guest=guest: not guest.connected, "its viewer is sent away")

    before = watching.frames
    await until(lambda: watching.frames > before + 10, "the other viewer goes on")
    assert bench.server.pid == pid

    # A server that is started anew knows the camera that came later, and whatever its codec is.
    bench.doorkeeper.add("later")
    bench.server.add("later", h264=False)
    bench.server.stream_started("later", RFC6381["h265"])
    await bench.publish("later", codec="h265")
    await bench.sees("later")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bench.server.pid not in (None, pid), "another server")
    await bench.sees("later")
