"""`livecam-nvr cameras` as a person runs it: beside fake USB cameras and virtual Raspberry Pi cameras."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.v4l2_device import METADATA, FakeCamera, Picture, UsbPorts, compiled, mjpeg_frames
from support.virtual_cameras import virtual_path
from support.waiting import PATIENCE_S, until

from livecam_nvr.config.load import parse_config

JPEG = b"\xff\xd8\xff"
YUYV = Picture("YUYV", {"640x480": (30, 15), "1280x720": (10,)})
LINK = "usb-Fake_UVC_Camera_0001-video-index0"


@pytest.fixture
def usb(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> UsbPorts:
    return UsbPorts(tmp_path / "dev", compiled(tmp_path_factory.getbasetemp()))


async def cameras(env: dict[str, str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, what was found, and the progress."""
    argv = [sys.executable, "-m", "livecam_nvr", "cameras", *map(str, arguments)]
    done = await asyncio.to_thread(subprocess.run, argv, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def entries(text: str) -> dict[str, Any]:
    """The cameras of the config that was printed."""
    config = parse_config(text[text.index("cameras:") :], "config.yaml", Path("/srv"))
    return {camera.id: camera for camera in config.cameras}


async def test_usb_cameras_with_all_that_they_can(usb: UsbPorts, tmp_path: Path) -> None:
    sizes = {"640x480": (30,), "1280x720": (30, 15), "1920x1080": (30,)}
    mjpeg = Picture("MJPG", sizes, mjpeg_frames(tmp_path, "1280x720", 30))
    usb.plug(FakeCamera((YUYV, mjpeg)), "video0", by_id=LINK)
    usb.plug(FakeCamera((), caps=METADATA), "video1")
    usb.plug(FakeCamera((YUYV,), bus="usb-0000:00:14.0-2"), "video2")
    folder = tmp_path / "pictures of today"
    status, said, progress = await cameras(usb.env, "--snapshots", folder)
    assert status == 0
    assert f"/dev/v4l/by-id/{LINK}, now /dev/video0" in said
    assert "mjpeg: 640x480 at 30, 1280x720 at 30, 1920x1080 at 30; raw: 640x480 at 30, 1280x720 at 10" in said
    assert "brightness: -64 to 64, now" in said
    assert "power_line_frequency: 0 (Disabled), 1 (50 Hz), 2 (60 Hz)" in said
    assert "/dev/video1" not in said
    first, second = entries(said).values()
    assert (first.id, str(first.device), first.size, first.fps) == (
        "fake_uvc_camera",
        f"/dev/v4l/by-id/{LINK}",
        "1280x720",
        30,
    )
    assert (second.id, str(second.device), second.fps) == ("fake_uvc_camera_2", "/dev/video2", 10)
    for camera in (first, second):
        assert (folder / f"{camera.id}.jpg").read_bytes().startswith(JPEG), said
    assert "Looking for USB cameras" in progress
    assert "picamera2 is not installed" in said


async def test_a_camera_in_use_is_named_with_who_has_it_and_left_alone(usb: UsbPorts, tmp_path: Path) -> None:
    usb.plug(FakeCamera((YUYV,)), "video0")
    read = ["ffmpeg", "-v", "error", "-f", "v4l2", "-input_format", "yuyv422", "-video_size", "640x480"]
    program = subprocess.Popen([*read, "-i", "/dev/video0", "-f", "null", "-"], env=usb.env)
    try:
        await until(lambda: any(line.startswith("STREAMON") for line in usb.log()))
        status, said, _ = await cameras(usb.env, "--json", "--snapshots", tmp_path / "shots")
    finally:
        program.terminate()
        program.wait(PATIENCE_S)
    assert status == 0
    (found,) = json.loads(said)["cameras"]
    assert found["held_by"] == [f"ffmpeg (pid {program.pid})"]
    assert found["snapshot"] is None
    assert found["no_snapshot"] == f"in use by ffmpeg (pid {program.pid})"
    assert found["entry"]["device"] == "/dev/video0"
    assert found["modes"][0] == {"format": "yuyv422", "width": 640, "height": 480, "fps": [30.0, 15.0]}
    assert {"name": "brightness", "least": -64, "most": 64}.items() <= found["controls"][0].items()


async def test_nothing_there_is_said_with_what_to_check(usb: UsbPorts) -> None:
    status, said, progress = await cameras(usb.env)
    assert status == 1
    assert "picamera2 is not installed" in said
    assert "No camera was found." in progress
    assert "lsusb" in progress
    status, said, _ = await cameras(usb.env, "--json")
    assert (status, json.loads(said)["cameras"]) == (1, [])


async def test_a_folder_that_cannot_be_written_to(usb: UsbPorts, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, _, progress = await cameras(usb.env, "--snapshots", tmp_path / "file" / "shots")
    assert status == 1
    assert "cannot be written to: not a directory" in progress
    assert "Traceback" not in progress


async def test_raspberry_pi_cameras_by_number_and_id(usb: UsbPorts, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    env = {**usb.env, "PATH": virtual_path(path)}
    status, said, progress = await cameras(env, "--json", "--snapshots", tmp_path / "shots")
    assert status == 0, progress
    found = json.loads(said)["cameras"]
    assert [camera["number"] for camera in found] == [0, 1]
    assert {camera["model"] for camera in found} == {"imx708", "ov5647"}
    for camera in found:
        assert camera["modes"]
        assert camera["entry"]["camera"] == camera["id"]
        assert Path(camera["snapshot"]).read_bytes().startswith(JPEG), camera
    _, said, _ = await cameras(env)
    made = entries(said)
    assert set(made) == {"imx708", "ov5647"}
    assert made["ov5647"].camera == next(c["id"] for c in found if c["model"] == "ov5647")
    assert "its focus can be set" in said
    assert "its focus is fixed" in said
