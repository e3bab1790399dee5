"""USB cameras as the kernel shows them: found, described, set, and refused with reasons; on the fake device."""

import asyncio
import ctypes
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.v4l2_device import (
    CONTROLS,
    H264_CONTROLS,
    METADATA,
    FakeCamera,
    Picture,
    UsbPorts,
    compiled,
    compiler,
)
from support.waiting import PATIENCE_S, until

from livecam_nvr.media.v4l2 import abi
from livecam_nvr.media.v4l2.prepare import appears

YUYV = Picture("YUYV", {"640x480": (30, 15), "1280x720": (10,)})
MJPG = Picture("MJPG", {"640x480": (30,), "1280x720": (30, 15)})
H264 = Picture("H264", {"1280x720": (30,)})
WEBCAM = FakeCamera((YUYV, MJPG, H264))
LINK = "usb-Fake_UVC_Camera_0001-video-index0"
BY_ID = f"/dev/v4l/by-id/{LINK}"


@pytest.fixture
def usb(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> UsbPorts:
    return UsbPorts(tmp_path / "dev", compiled(tmp_path_factory.getbasetemp()))


@contextmanager
def streaming(usb: UsbPorts) -> Iterator[int]:
    """Another program shows the camera's pictures; its process id."""
    read = ["ffmpeg", "-v", "error", "-f", "v4l2", "-input_format", "yuyv422", "-video_size", "640x480"]
    program = subprocess.Popen([*read, "-i", "/dev/video0", "-f", "null", "-"], env=usb.env)
    try:
        yield program.pid
    finally:
        program.terminate()
        program.wait(PATIENCE_S)


async def streams(usb: UsbPorts) -> None:
    await until(lambda: any(line.startswith("STREAMON") for line in usb.log()))


def test_our_structures_are_those_of_the_header(tmp_path: Path) -> None:
    structures = {
        "v4l2_capability": abi.Capability,
        "v4l2_fmtdesc": abi.FormatDescription,
        "v4l2_frmsizeenum": abi.FrameSize,
        "v4l2_frmivalenum": abi.FrameInterval,
        "v4l2_format": abi.Format,
        "v4l2_streamparm": abi.StreamParameters,
        "v4l2_requestbuffers": abi.RequestBuffers,
        "v4l2_query_ext_ctrl": abi.QueryControl,
        "v4l2_querymenu": abi.QueryMenu,
        "v4l2_control": abi.ControlValue,
    }
    requests = (
        "QUERYCAP", "ENUM_FMT", "S_FMT", "REQBUFS", "S_PARM", "G_CTRL", "S_CTRL", "QUERYMENU", "ENUM_FRAMESIZES",
        "ENUM_FRAMEINTERVALS", "QUERY_EXT_CTRL",
    )  # fmt: skip
    lines = [f'printf("%zu\\n", sizeof(struct {name}));' for name in structures]
    lines += [f'printf("%lu\\n", (unsigned long)VIDIOC_{name});' for name in requests]
    source = tmp_path / "sizes.c"
    head = "#include <stdio.h>\n#include <linux/videodev2.h>\nint main(void) {"
    source.write_text("\n".join([head, *lines, "return 0;}"]))
    clips.run(compiler(), "-o", str(tmp_path / "sizes"), str(source))
    theirs = [int(word) for word in clips.run(str(tmp_path / "sizes")).split()]
    ours = [ctypes.sizeof(structure) for structure in structures.values()]
    assert ours + [getattr(abi, name) for name in requests] == theirs


def test_a_camera_is_listed_with_its_stable_path_and_all_it_can_send(usb: UsbPorts) -> None:
    usb.plug(WEBCAM, by_id=LINK)
    usb.plug(FakeCamera(caps=METADATA), "video1", by_id=LINK.replace("index0", "index1"))
    (found,) = usb.ask("devices")
    modes = [(m["input_format"], m["width"], m["height"], m["rates"]) for m in found.pop("modes")]
    assert found == {
        "path": "/dev/video0",
        "stable_path": BY_ID,
        "card": "Fake UVC Camera",
        "driver": "uvcvideo",
        "bus": "usb-0000:00:14.0-1",
        "held_by": [],
        "problem": "",
    }
    assert modes == [
        ("yuyv422", 640, 480, [30, 15]),
        ("yuyv422", 1280, 720, [10]),
        ("mjpeg", 640, 480, [30]),
        ("mjpeg", 1280, 720, [30, 15]),
        ("h264", 1280, 720, [30]),
    ]


def test_only_cameras_are_listed(usb: UsbPorts) -> None:
    assert usb.ask("devices") == []
    usb.plug(FakeCamera((YUYV,), driver="bcm2835-codec", card="bcm2835-codec-decode"), "video10")
    usb.plug(FakeCamera((YUYV,), driver="unicam", card="unicam"), "video11")
    usb.plug(FakeCamera((YUYV,), driver="rp1-cfe", caps=0x24200001), "video12")  # behind a media controller
    usb.plug(FakeCamera((H264,), driver="coda", caps=0x04008001), "video13")  # a codec
    usb.plug(FakeCamera(driver="vivid", caps=0x04200002), "video14")  # shows video
    (usb.folder / "video15").write_text("no device at all")
    (usb.folder / "video-none").write_text("")
    # Its driver tells ranges instead of sizes, and a format that is unknown here.
    old = ("format H264 0 -", "stepwise 32 1296 2 32 976 2 1/90 1/1", "format BA81 0 -", "size 640 480 1/30")
    usb.plug(FakeCamera(driver="bm2835 mmal", bus="platform:bcm2835-v4l2-0", more=old), "video2")
    usb.plug(FakeCamera(more=("fail OPEN 13",)), "video3")
    usb.plug(WEBCAM, "video0")
    found = {device["path"]: device for device in usb.ask("devices")}
    assert list(found) == ["/dev/video0", "/dev/video2", "/dev/video3"]
    assert found["/dev/video0"]["stable_path"] == "/dev/video0"  # where udev does not run
    assert found["/dev/video3"]["problem"] == "this user may not open it"
    assert {mode["input_format"] for mode in found["/dev/video2"]["modes"]} == {"h264"}
    sizes = {(mode["width"], mode["height"]): mode["rates"] for mode in found["/dev/video2"]["modes"]}
    assert sizes[640, 480] == [90, 60, 50, 30, 25, 24, 20, 15, 10, 5, 1]
    assert (1296, 976) in sizes


def test_its_controls_are_listed_by_name(usb: UsbPorts) -> None:
    usb.plug(WEBCAM)
    found = {control["name"]: control for control in usb.ask("controls", "/dev/video0")}
    assert found["brightness"]["allowed"] == "-64 to 64"
    assert found["power_line_frequency"]["allowed"] == "0 (Disabled), 1 (50 Hz), 2 (60 Hz)"
    assert found["auto_exposure"]["items"] == {"1": "Manual Mode", "3": "Aperture Priority Mode"}
    assert found["exposure_time_absolute"]["value"] == 250
    assert found["white_balance_automatic"]["kind"] == "boolean"
    assert found["serial_number"]["read_only"]
    assert found["focus_absolute"]["inactive"]


def test_controls_are_set_before_the_camera_runs(usb: UsbPorts) -> None:
    usb.plug(WEBCAM)
    wanted = {"exposure_time_absolute": 100, "brightness": -10, "auto_exposure": 1}
    plan = usb.ask("planned", "/dev/video0", "640x480", 30, "auto", wanted)
    assert plan == {
        "input_format": "yuyv422", "width": 640, "height": 480, "rate": 30, "copy": False, "remark": "",
    }  # fmt: skip
    assert usb.log() == [
        "S_FMT YUYV 640x480",
        "S_PARM 1/30",
        "S_CTRL Auto Exposure = 1",
        "S_CTRL Exposure Time, Absolute = 100",
        "S_CTRL Brightness = -10",
    ]
    values = {control["name"]: control["value"] for control in usb.ask("controls", "/dev/video0")}
    assert {name: values[name] for name in wanted} == wanted


def test_a_wrong_control_is_told_and_none_is_set(usb: UsbPorts) -> None:
    usb.plug(WEBCAM)
    error = usb.ask("planned", "/dev/video0", "640x480", 30, "auto", {"brightness": 1, "power_line_frequency": 9})
    assert error == {
        "kind": "config",
        "message": "the camera's control power_line_frequency cannot be 9",
        "hint": "it can be: 0 (Disabled), 1 (50 Hz), 2 (60 Hz)",
    }
    assert not [line for line in usb.log() if "S_CTRL" in line]


def test_a_control_that_an_automatic_rules(usb: UsbPorts) -> None:
    usb.plug(WEBCAM)
    error = usb.ask("planned", "/dev/video0", "640x480", 30, "auto", {"focus_absolute": 5})
    assert error["message"] == "the camera refuses to set focus_absolute to 5"
    assert "turn off the automatic that rules it" in error["hint"]


def test_the_cameras_own_encoder_makes_a_keyframe_a_second(usb: UsbPorts) -> None:
    usb.plug(FakeCamera((H264,), more=(*CONTROLS, *H264_CONTROLS)))
    plan = usb.ask("planned", "/dev/video0", "1280x720", 30)
    assert (plan["input_format"], plan["copy"]) == ("h264", True)
    set_to = [line for line in usb.log() if "S_CTRL" in line]
    assert set_to == [
        "S_CTRL Video GOP Size = 30",
        "S_CTRL Repeat Sequence Header = 1",
        "S_CTRL H264 I-Frame Period = 30",
    ]
    usb.ask("planned", "/dev/video0", "1280x720", 30, "h264", {"video_gop_size": 60})
    assert "S_CTRL Video GOP Size = 60" in usb.log()[len(set_to) :]
    assert usb.log().count("S_CTRL Video GOP Size = 30") == 1


def test_a_camera_that_is_not_there(usb: UsbPorts) -> None:
    error = usb.ask("planned", BY_ID, "640x480", 30)
    assert error == {
        "kind": "unavailable",
        "message": f"{BY_ID} is not there",
        "hint": "is the camera plugged in? there are none now",
    }
    usb.plug(WEBCAM, "video4", by_id="usb-Other-video-index0")
    assert usb.ask("planned", BY_ID, "640x480", 30)["hint"] == (
        "is the camera plugged in? there are: /dev/v4l/by-id/usb-Other-video-index0 (Fake UVC Camera)"
    )


def test_what_is_no_camera(usb: UsbPorts) -> None:
    usb.plug(WEBCAM, by_id=LINK)
    usb.plug(FakeCamera(caps=METADATA), "video1")
    usb.plug(FakeCamera((YUYV,), driver="unicam", card="unicam-image", bus="platform:fe801000.csi"), "video9")
    refused = {
        path: usb.ask("planned", path, "640x480", 30) for path in ("/dev/video1", "/dev/video9", "/dev/null")
    }
    assert {error["kind"] for error in refused.values()} == {"config"}
    assert refused["/dev/video1"]["message"] == "/dev/video1 is a node of Fake UVC Camera that gives no pictures"
    assert refused["/dev/video1"]["hint"] == f"set device to {BY_ID}"
    assert refused["/dev/video9"]["message"] == "/dev/video9 is no USB camera but unicam-image (unicam)"
    assert "set kind to picamera2" in refused["/dev/video9"]["hint"]
    assert refused["/dev/null"]["message"] == "/dev/null is no video device"
    assert refused["/dev/null"]["hint"] == f"there are: {BY_ID} (Fake UVC Camera)"


@pytest.mark.parametrize(
    ("failure", "kind", "message", "hint"),
    [
        ("fail OPEN 13", "unavailable", "/dev/video0 may not be opened by the user ", "sudo usermod -aG video "),
        ("fail OPEN 19", "unavailable", "/dev/video0 is not there", "is the camera plugged in?"),
        ("fail ENUM_FMT 19", "unavailable", "/dev/video0 is not there", "is the camera plugged in?"),
        (
            "fail S_FMT 5",
            "media",
            "/dev/video0 fails: input/output error",
            "unplug the camera and plug it in again",
        ),
        ("fail REQBUFS 12", "media", "/dev/video0 fails: cannot allocate memory", "unplug the camera"),
        (
            "fail S_CTRL 5",
            "config",
            "the camera refuses to set brightness to 5 (Input/output error)",
            "it can be:",
        ),
        ("fail S_CTRL 19", "unavailable", "/dev/video0 is not there", "is the camera plugged in?"),
    ],
)
def test_what_fails_is_told(usb: UsbPorts, failure: str, kind: str, message: str, hint: str) -> None:
    usb.plug(FakeCamera((YUYV,), more=(*CONTROLS, failure)))
    error = usb.ask("planned", "/dev/video0", "640x480", 30, "auto", {"brightness": 5})
    assert error["kind"] == kind
    assert error["message"].startswith(message)
    assert error["hint"].startswith(hint)


async def test_who_has_the_camera_is_named(usb: UsbPorts) -> None:
    usb.plug(WEBCAM, by_id=LINK)
    with streaming(usb) as pid:
        await streams(usb)
        error = await asyncio.to_thread(usb.ask, "planned", BY_ID, "640x480", 30)
        assert error == {
            "kind": "unavailable",
            "message": f"{BY_ID} is used by ffmpeg (pid {pid})",
            "hint": "end that program, or give it this service's RTSP address instead",
        }
        (listed,) = await asyncio.to_thread(usb.ask, "devices")
        assert listed["held_by"] == [f"ffmpeg (pid {pid})"]
    assert (await asyncio.to_thread(usb.ask, "planned", BY_ID, "640x480", 30))["width"] == 640


class Looks(ThreadPoolExecutor):
    """The loop's threads: one after the other, and counted."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self.done = 0

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:
        future = super().submit(fn, *arguments, **more)
        future.add_done_callback(lambda _future: setattr(self, "done", self.done + 1))
        return future


async def test_a_camera_that_comes_back_is_noticed_and_one_that_stays_is_not(tmp_path: Path) -> None:
    looks = Looks()
    asyncio.get_running_loop().set_default_executor(looks)
    device, other = tmp_path / "video0", tmp_path / "new"
    device.touch()
    back = asyncio.create_task(appears(device))
    await until(lambda: looks.done >= 3)
    assert not back.done()
    device.unlink()
    seen = looks.done
    await until(lambda: looks.done >= seen + 2)
    assert not back.done()
    device.touch()
    async with asyncio.timeout(PATIENCE_S):
        await back

    # It was away for so short a time that nobody looked.
    back = asyncio.create_task(appears(device))
    seen = looks.done
    await until(lambda: looks.done > seen)
    other.touch()
    other.rename(device)
    async with asyncio.timeout(PATIENCE_S):
        await back
