"""Everything that can be wrong with a Raspberry Pi camera: told in words, in time, and the others unharmed."""

import asyncio
import fcntl
import os
import signal
from pathlib import Path

import pytest
from support.own_time import within_own_time
from support.virtual_cameras import FIXED, FOCUSING, copied, missing, numbered, packets
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.picam.facts import CaptureSettings
from livecam_nvr.media.picam.listing import picameras
from livecam_nvr.media.picam.process import PicameraChild
from livecam_nvr.runtime.clock import SystemClock

SMALL = CaptureSettings(size=(320, 240), fps=30, bitrate_kbps=500)


def open_fds() -> set[str]:
    return {link.name for link in Path("/proc/self/fd").iterdir()}


async def test_without_picamera2_it_says_how_to_get_it(tmp_path, monkeypatch):
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    if os.access("/usr/lib/python3/dist-packages/picamera2", os.R_OK):
        pytest.skip("this machine's own Python has picamera2")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    camera = PicameraChild("cam0", 0, None, SystemClock())
    with pytest.raises(LivecamError, match="picamera2 is not installed") as caught:
        await camera.open()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "python3-picamera2" in caught.value.hint
    await camera.stop()
    cameras, reason = await picameras()
    assert cameras == []
    assert "python3-picamera2" in reason


async def test_without_a_camera_it_says_what_to_check(virtual_cameras, monkeypatch):
    monkeypatch.setenv("LIBCAMERA_PIPELINES_MATCH_LIST", "none")
    assert await picameras() == ([], "no camera is connected")
    camera = PicameraChild("cam0", 0, None, SystemClock())
    with pytest.raises(LivecamError, match="no camera is connected") as caught:
        await camera.open()
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert "ribbon" in caught.value.hint


@pytest.mark.parametrize("selector", [7, "imx219", "Virtual9"])
async def test_no_such_camera_lists_those_that_are_there(open_camera, selector):
    with pytest.raises(LivecamError, match=f"there is no camera '{selector}'") as caught:
        await open_camera(selector)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert caught.value.hint == f"there are: 0: {FIXED} at back, Virtual1; 1: {FOCUSING} at front, Virtual0"


async def test_a_part_that_fits_two_is_no_choice(open_camera):
    with pytest.raises(LivecamError, match="'virtual' fits 2 cameras"):
        await open_camera("virtual")


async def test_a_camera_that_another_process_has_is_busy(open_camera):
    await open_camera(FIXED)
    with pytest.raises(LivecamError, match=f"{FIXED}.* is in use") as caught:
        await open_camera(FIXED)
    assert caught.value.kind is ErrorKind.CONFLICT
    cameras, _ = await picameras()
    assert "is in use" in cameras[0].trouble
    assert cameras[1].trouble == ""


async def test_a_missing_tuning_file_is_named(virtual_cameras, tmp_path):
    camera = PicameraChild("cam0", 0, tmp_path / "none.json", SystemClock())
    with pytest.raises(LivecamError, match=r"there is no tuning file .*none\.json"):
        await camera.open()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_camera_that_dies_or_freezes_is_told_and_the_other_loses_no_frame(
    open_camera, sensor_log, tmp_path, how
):
    victim, other = await open_camera(FIXED, stall_s=2.0), await open_camera(FOCUSING)
    os.close((await victim.record(SMALL)).read_fd)
    recording = await other.record(SMALL)
    reader = await copied(recording.read_fd, tmp_path / "other.mkv")
    await until(lambda: other.beat.encoded >= 15, what="frames")
    os.kill(victim.pid, how)
    async with asyncio.timeout(PATIENCE_S):
        error = await victim.failed
    assert ("was ended by signal 9" if how == signal.SIGKILL else "no sign of life") in error.message
    async with within_own_time(1, "the stop"):
        await victim.stop()
    with pytest.raises(LivecamError, match="is not open"):
        await victim.record(SMALL)
    again = await open_camera(FIXED)  # it can be had again
    assert again.facts.model == FIXED
    encoded = other.beat.encoded
    await until(lambda: other.beat.encoded > encoded, what="more frames of the other")
    await other.stop()
    await reader.wait()
    got = [packet.pts_us for packet in packets(tmp_path / "other.mkv")]
    sensor = sensor_log.frames_us(FOCUSING)
    begin = sensor.index(recording.boot_ns // 1000)
    assert missing(got, sensor[begin:]) <= other.beat.dropped  # by its reader, where this machine is busy
    assert not other.failed.done()


async def test_a_ribbon_that_comes_off_is_told(open_camera):
    camera = await open_camera(FIXED, stall_s=1.5)
    reader = await copied((await camera.record(SMALL)).read_fd, Path(os.devnull))
    os.kill(camera.pid, signal.SIGUSR1)  # see the shim: no more frames
    async with asyncio.timeout(PATIENCE_S):
        error = await camera.failed
    assert "the camera sends no frames" in error.message
    assert "ribbon" in error.hint
    await camera.stop()
    await reader.wait()


async def test_a_camera_that_never_sends_a_frame_refuses_and_can_be_asked_again(open_camera):
    camera = await open_camera(FIXED, stall_s=20)
    os.kill(camera.pid, signal.SIGUSR1)
    with pytest.raises(LivecamError, match="the camera sent no frame for 5 s") as caught:
        await camera.record(SMALL)
    assert caught.value.kind is ErrorKind.MEDIA
    assert not camera.failed.done()
    async with within_own_time(1, "the stop"):
        await camera.stop()


async def test_a_reader_that_is_too_slow_misses_frames_and_gets_whole_ones(open_camera, sensor_log, tmp_path):
    camera = await open_camera(FIXED)
    recording = await camera.record(CaptureSettings(size=(640, 480), fps=30, bitrate_kbps=2000))
    fcntl.fcntl(recording.read_fd, fcntl.F_SETPIPE_SZ, 65536)
    await until(lambda: camera.beat.dropped > 0, "frames that nobody takes")
    frames = camera.beat.frames
    await until(lambda: camera.beat.frames > frames, what="that the camera goes on")
    reader = await copied(recording.read_fd, tmp_path / "out.mkv")
    encoded = camera.beat.encoded
    await until(lambda: camera.beat.encoded > encoded + 30, "frames again")
    await camera.stop()
    assert await reader.wait() == 0
    got = packets(tmp_path / "out.mkv")
    sensor = sensor_log.frames_us(FIXED)
    sent = sensor[sensor.index(recording.boot_ns // 1000) :]
    numbers = numbered([packet.pts_us for packet in got], sent)
    gaps = [at for at in range(1, len(got)) if numbers[at] > numbers[at - 1] + 1]
    assert gaps
    assert all(got[at].keyframe for at in gaps)


async def test_what_kills_picameras_thread_is_told_at_once(open_camera):
    camera = await open_camera(FIXED)
    async with within_own_time(7, "the answer"):  # who is not told waits for 8 s
        with pytest.raises(LivecamError, match="picamera2 failed: ArgumentError"):
            await camera.record(CaptureSettings(size=(320, 240), fps=30, bitrate_kbps=-1))
    assert camera.failed.done()


async def test_a_setting_that_cannot_be_leaves_the_camera_open(open_camera):
    camera = await open_camera(FIXED)
    with pytest.raises(LivecamError) as caught:
        await camera.record(CaptureSettings(size=(-2, 240), fps=30, bitrate_kbps=500))
    assert caught.value.kind is ErrorKind.MEDIA
    recording = await camera.record(SMALL)
    os.close(recording.read_fd)
    assert recording.size == (320, 240)


async def test_nothing_is_left_open_or_running(open_camera):
    before = open_fds()
    camera = await open_camera(FIXED)
    pid = camera.pid
    os.close((await camera.record(SMALL)).read_fd)
    assert (await camera.snapshot())[:2] == b"\xff\xd8"
    await camera.stop()
    await camera.stop()
    assert camera.pid is None
    assert not Path(f"/proc/{pid}").exists()
    await until(lambda: open_fds() <= before, what="no descriptor left")
