"""What comes out of a Raspberry Pi camera: the real picamera2 on libcamera's virtual cameras, read by ffmpeg."""

import asyncio
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.clips import run
from support.virtual_cameras import FIXED, FOCUSING, PIPE_INPUT, copied, missing, packets
from support.waiting import until

from livecam_nvr.media.picam.facts import CaptureSettings
from livecam_nvr.media.picam.listing import picameras, snapshot

SMALL = CaptureSettings(size=(640, 480), fps=30, bitrate_kbps=1000)


async def recorded(camera: Any, settings: CaptureSettings, path: Path, frames: int) -> Any:
    """Records so many frames into a file; ends the camera's process."""
    recording = await camera.record(settings)
    reader = await copied(recording.read_fd, path)
    await until(lambda: camera.beat.encoded >= frames, f"{frames} frames")
    await camera.stop()
    await reader.wait()
    return recording


def picture(path: Path, frame: int, size: tuple[int, int]) -> list[bytes]:
    """The lines of a decoded frame's luma."""
    pick = f"select=eq(n\\,{frame})"
    raw = run(
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-vf",
        pick,
        "-frames:v",
        "1",
        "-pix_fmt",
        "gray",
        "-f",
        "rawvideo",
        "-",
    )
    return [raw[at : at + size[0]] for at in range(0, size[0] * size[1], size[0])]


async def test_lists_the_cameras_with_their_modes(virtual_cameras):
    cameras, reason = await picameras()
    assert reason == ""
    assert [(camera.number, camera.model, camera.has_focus) for camera in cameras] == [
        (0, FIXED, False),
        (1, FOCUSING, True),
    ]
    assert all((1920, 1080, 60.0) in [(m.width, m.height, m.fps) for m in camera.modes] for camera in cameras)
    assert cameras[1].id == "Virtual0"  # the list's number is not that of the connector


async def test_a_camera_that_nobody_uses_gives_a_picture(virtual_cameras, tmp_path):
    jpeg = tmp_path / "snapshot.jpg"
    jpeg.write_bytes(await snapshot(FIXED))
    assert run("ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", str(jpeg)) == (
        b"1280,720\n"
    )


async def test_the_sensors_times_come_through_to_the_microsecond(open_camera, sensor_log, tmp_path):
    camera = await open_camera(FOCUSING)
    before_ns = time.time_ns()
    recording = await recorded(camera, SMALL, tmp_path / "out.mkv", frames=90)
    got = packets(tmp_path / "out.mkv")
    sensor = sensor_log.frames_us(FOCUSING)
    # Matroska as ffmpeg writes it has milliseconds; what is read from the pipe itself is exact (next test).
    begin = sensor.index(recording.boot_ns // 1000)
    assert missing([p.pts_us for p in got], sensor[begin:]) <= camera.beat.dropped
    assert len(got) >= 90 - camera.beat.dropped
    assert abs(got[0].pts_us - recording.wall_ns / 1000) <= 1000
    assert before_ns < recording.wall_ns < time.time_ns()
    assert [p.pts_us for p in got] == [p.dts_us for p in got]  # no B-frames


async def test_ffmpeg_loses_nothing_of_the_times_in_the_pipe(open_camera, sensor_log, tmp_path):
    """Into fragmented MP4, as the service does it."""
    camera = await open_camera(FOCUSING)
    recording = await camera.record(SMALL)
    movflags = "+frag_every_frame+empty_moov+default_base_moof"
    reader = await asyncio.create_subprocess_exec(
        *(
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-y",
            *PIPE_INPUT,
            f"pipe:{recording.read_fd}",
            "-c",
            "copy",
            "-movflags",
            movflags,
            str(tmp_path / "out.mp4"),
        ),
        pass_fds=[recording.read_fd],
    )
    os.close(recording.read_fd)
    await until(lambda: camera.beat.encoded >= 60, what="60 frames")
    await camera.stop()
    await reader.wait()
    got = packets(tmp_path / "out.mp4")
    sensor = sensor_log.frames_us(FOCUSING)
    begin = sensor.index(recording.boot_ns // 1000)
    times = [p.pts_us - got[0].pts_us for p in got]
    assert set(times) <= {us - sensor[begin] for us in sensor[begin:]}
    assert missing(times, sensor[begin:]) <= camera.beat.dropped


async def test_a_keyframe_every_second_with_its_parameter_sets_and_no_b_frames(open_camera, tmp_path):
    camera = await open_camera(FIXED)
    path = tmp_path / "out.mkv"
    await recorded(camera, SMALL, path, frames=95)
    keyframes = [number for number, packet in enumerate(packets(path)) if packet.keyframe]
    # Behind a frame that its reader was too slow for, there is one more.
    assert camera.beat.dropped or keyframes[:4] == [0, 30, 60, 90]
    assert all(after - before <= 30 for before, after in pairwise(keyframes))
    show = ["-select_streams", "v", "-show_entries", "frame=pict_type", "-of", "csv=p=0"]
    types = run("ffprobe", "-v", "error", *show, str(path))
    assert {row.strip(",") for row in types.decode().split()} == {"I", "P"}
    # Read as a raw stream from its second keyframe on, it can only be decoded with parameter sets of its own.
    raw = tmp_path / "tail.h264"
    tail = ["-ss", "1.5", "-i", str(path), "-c", "copy", "-bsf:v", "h264_mp4toannexb", str(raw)]
    run("ffmpeg", "-v", "error", "-y", *tail)
    assert raw.read_bytes().count(b"\x00\x00\x01\x67") >= 2


async def test_the_quality_changes_while_the_camera_stays_open(open_camera, sensor_log, tmp_path):
    camera = await open_camera(FIXED)
    first = await camera.record(SMALL)
    reader = await copied(first.read_fd, tmp_path / "first.mkv")
    await until(lambda: camera.beat.encoded >= 10, what="frames")
    pid = camera.pid
    second = await camera.record(CaptureSettings(size=(1280, 720), fps=15, bitrate_kbps=2000))
    reader_2 = await copied(second.read_fd, tmp_path / "second.mkv")
    assert camera.pid == pid
    assert await reader.wait() == 0  # the stream before has come to its end by itself
    await until(lambda: camera.beat.encoded >= 20, what="frames of the new quality")
    await camera.stop()
    await reader_2.wait()
    old, new = packets(tmp_path / "first.mkv"), packets(tmp_path / "second.mkv")
    assert pid is not None
    assert (second.size, second.fps) == ((1280, 720), 15.0)
    assert new[0].pts_us > old[-1].pts_us
    assert sensor_log.control(FIXED, "FrameDurationLimits") == pytest.approx([66_667, 66_667], abs=1)


async def test_says_which_size_really_runs(open_camera):
    camera = await open_camera(FIXED)
    recording = await camera.record(CaptureSettings(size=(1000, 500), fps=30, bitrate_kbps=1000))
    os.close(recording.read_fd)
    assert recording.size == (1920, 1080)


async def test_a_new_reader_for_the_same_settings_does_not_touch_the_camera(open_camera, sensor_log, tmp_path):
    camera = await open_camera(FIXED)
    reader = await copied((await camera.record(SMALL)).read_fd, tmp_path / "first.mkv")
    await until(lambda: camera.beat.encoded >= 10, what="frames")
    controls = [entry for entry in sensor_log.entries(FIXED) if "control" in entry]
    reader.kill()
    await reader.wait()
    await until(lambda: camera.consumer_gone, what="the dead reader")
    reader = await copied((await camera.record(SMALL)).read_fd, tmp_path / "second.mkv")
    await until(lambda: camera.beat.encoded >= 10, what="frames for the new reader")
    assert not camera.consumer_gone
    await camera.stop()
    await reader.wait()
    assert len(packets(tmp_path / "second.mkv")) >= 10
    assert [entry for entry in sensor_log.entries(FIXED) if "control" in entry] == controls


async def test_what_is_masked_is_black_and_nothing_else(open_camera, tmp_path):
    camera = await open_camera(FIXED)
    masks = (((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0)),)
    path = tmp_path / "out.mkv"
    await recorded(
        camera, CaptureSettings(size=(640, 480), fps=30, bitrate_kbps=4000, masks=masks), path, frames=35
    )
    lines = picture(path, 20, (640, 480))
    inside = b"".join(line[320 + 8 :] for line in lines[240 + 8 :])  # the encoder blurs the border a little
    assert max(inside) <= 20
    assert max(b"".join(line[:312] for line in lines)) > 100
    assert max(b"".join(line[320:] for line in lines[:232])) > 100


async def test_name_and_clock_are_burnt_in(open_camera, tmp_path):
    camera = await open_camera(FIXED)
    path = tmp_path / "out.mkv"
    settings = CaptureSettings(size=(640, 480), fps=30, bitrate_kbps=4000, title="Gärtchen")
    await recorded(camera, settings, path, frames=5)
    corner = [line[:200] for line in picture(path, 2, (640, 480))[:26]]
    assert min(b"".join(corner)) <= 24
    assert max(b"".join(corner)) >= 220


async def test_a_fixed_focus_is_said_and_the_camera_goes_on(open_camera, sensor_log):
    fixed, focusing = await open_camera(FIXED), await open_camera(FOCUSING)
    settings = CaptureSettings(size=(640, 480), fps=30, bitrate_kbps=1000, focus=2.5)
    warned, quiet = await fixed.record(settings), await focusing.record(settings)
    os.close(warned.read_fd)
    os.close(quiet.read_fd)
    assert [w for w in warned.warnings if "fixed focus" in w]
    assert quiet.warnings == ()
    await until(lambda: focusing.beat.lens_position == 2.5, what="the lens at 2.5 dioptres")
    assert sensor_log.control(FOCUSING, "AfMode") == 0


async def test_settings_reach_the_sensor(open_camera, sensor_log):
    camera = await open_camera(FOCUSING)
    wanted = {"exposure_us": 5000, "gain": 4.0, "white_balance": (1.5, 2.0), "focus": "auto"}
    recording = await camera.record(CaptureSettings(size=(640, 480), fps=25, bitrate_kbps=1000, **wanted))
    os.close(recording.read_fd)
    await until(lambda: sensor_log.control(FOCUSING, "AfTrigger") == 0, what="the lens was told to look")
    for name, value in {
        "ExposureTime": 5000,
        "AnalogueGain": 4.0,
        "ColourGains": [1.5, 2.0],
        "FrameDurationLimits": [40_000, 40_000],
        "AfMode": 1,
    }.items():
        assert sensor_log.control(FOCUSING, name) == value, name
    await until(lambda: (camera.beat.exposure_us, camera.beat.gain) == (5000, 4.0), what="the exposure")


async def test_night_lets_the_frame_rate_fall_and_takes_the_colour_away(open_camera, sensor_log):
    camera = await open_camera(FIXED)
    recording = await camera.record(CaptureSettings(size=(640, 480), fps=30, bitrate_kbps=1000, preset="night"))
    os.close(recording.read_fd)
    assert (recording.fps, recording.least_fps) == (30.0, 10.0)
    assert sensor_log.control(FIXED, "FrameDurationLimits") == [33_333, 100_000]
    assert sensor_log.control(FIXED, "Saturation") == 0.0


async def test_two_cameras_line_up_without_knowing_of_each_other(open_camera, sensor_log):
    cameras = [await open_camera(FIXED), await open_camera(FOCUSING)]
    settings = CaptureSettings(size=(320, 240), fps=30, bitrate_kbps=500, line_up=True)
    readers = [await copied((await camera.record(settings)).read_fd, Path(os.devnull)) for camera in cameras]

    def lined_up() -> bool:
        phases = [camera.beat.phase_ms for camera in cameras]
        return all(phase is not None and abs(phase) < 1 for phase in phases)

    def apart_us() -> int:
        """By how much, in the median of the newest frames."""
        fixed, focusing = (sensor_log.frames_us(model)[-40:] for model in (FIXED, FOCUSING))
        return sorted(min(abs(us - other) for other in focusing) for us in fixed[10:30])[10]

    await until(lined_up, "both within 1 ms of the grid, so within 2 ms of each other")
    await until(lambda: apart_us() < 2000, "frames that are taken together")
    for camera, reader in zip(cameras, readers, strict=True):
        await camera.stop()
        await reader.wait()
