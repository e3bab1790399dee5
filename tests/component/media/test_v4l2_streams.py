"""Pictures of a USB camera through the real ffmpeg into fragments: all of them, unchanged, also after a replug."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.v4l2_device import FakeCamera, Picture, UsbPorts, compiled, frames_in, h264_frames, mjpeg_frames
from support.waiting import PATIENCE_S, until

SIZE = "640x480"
LINK = "usb-Fake_UVC_Camera_0001-video-index0"
BY_ID = f"/dev/v4l/by-id/{LINK}"


@pytest.fixture
def usb(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> UsbPorts:
    return UsbPorts(tmp_path / "dev", compiled(tmp_path_factory.getbasetemp()))


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Picture, ...]:
    """What the camera sends, in every format, with frame numbers in the pictures."""
    folder = tmp_path_factory.getbasetemp()
    return (
        Picture("YUYV", {SIZE: (30, 15)}),
        Picture("MJPG", {SIZE: (30,)}, mjpeg_frames(folder, SIZE)),
        Picture("H264", {SIZE: (30,)}, h264_frames(folder, SIZE)),
    )


class Running:
    """A camera's pipeline in a process of its own, and all that it says."""

    def __init__(self, usb: UsbPorts, folder: Path, **settings: Any) -> None:
        folder.mkdir()
        self.folder = folder
        self.said: list[dict[str, Any]] = []
        wanted = {"device": "/dev/video0", "size": SIZE, "fps": 30, "bitrate_kbps": 1500, **settings}
        self._child = usb.child("camera", str(folder), wanted)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.said.append(json.loads(line))

    def last(self, key: str) -> Any:
        return next((answer[key] for answer in reversed(self.said) if key in answer), None)

    async def until(self, key: str, value: Any) -> None:
        await until(lambda: self.last(key) == value, f"{key} {value}; said: {self.said[-8:]}")

    async def until_frames(self, number: int, run: int = 1) -> None:
        await until(
            lambda: any(a.get("run") == run and a["frames"] >= number for a in self.said), str(self.said[-8:])
        )

    def stop(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._reader.join(PATIENCE_S)
        self._child.stdout.close()
        assert self._child.wait(PATIENCE_S) == 0


@pytest.fixture
def run(usb: UsbPorts, tmp_path: Path) -> Iterator[Any]:
    made: list[Running] = []

    def start(**settings: Any) -> Running:
        made.append(Running(usb, tmp_path / f"camera{len(made)}", **settings))
        return made[-1]

    yield start
    for running in made:
        running.stop()


def handed_out(usb: UsbPorts) -> tuple[int, int]:
    """Frames that the camera made while it ran last, and those that found no buffer."""
    found = re.fullmatch(r"STREAMOFF after (\d+) frames, (\d+) lost", usb.log()[-1])
    assert found, usb.log()
    return int(found[1]), int(found[2])


def pictures_in(data: bytes) -> list[bytes]:
    """The slices of pictures in an Annex B stream (H.264, 7.3.1 and table 7-1), without what goes with them."""
    units = re.split(rb"\x00\x00\x00?\x01", data)
    return [unit.rstrip(b"\x00") for unit in units if unit and unit[0] & 31 in (1, 5)]


@pytest.mark.parametrize(
    ("wanted", "sent"), [("raw", ("YUYV", 1 << 24)), ("mjpeg", ("MJPG", 60)), ("h264", ("H264", 60))]
)
async def test_every_frame_arrives_in_order(
    usb: UsbPorts, pictures: tuple[Picture, ...], run: Any, wanted: str, sent: tuple[str, int]
) -> None:
    fourcc, loop = sent
    usb.plug(FakeCamera(pictures), by_id=LINK)
    for _ in range(5):
        camera = run(format=wanted, device=BY_ID)
        await camera.until_frames(45)
        camera.stop()
        made, lost = handed_out(usb)
        if not lost:  # else nobody took them for seconds, as there were others on this machine
            break
    assert camera.last("state") == "LIVE"
    assert camera.last("dropped") == 0
    assert f"STREAMON {fourcc} {SIZE} at 1/30" in usb.log()
    assert lost == 0
    seen = clips.frame_numbers(camera.folder / "run1.mp4")
    assert seen == [number % loop for number in range(len(seen))]
    assert made - 8 <= len(seen) <= made  # what was on its way when it was stopped


async def test_a_copied_stream_is_the_cameras_bit_for_bit(
    usb: UsbPorts, pictures: tuple[Picture, ...], run: Any
) -> None:
    usb.plug(FakeCamera(pictures))
    camera = run(format="auto")
    await camera.until_frames(70)
    camera.stop()
    film = str(camera.folder / "run1.mp4")
    annex_b = clips.run(
        "ffmpeg", "-v", "error", "-i", film, "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-"
    )
    frames = pictures[2].frames
    assert frames is not None
    sent = [picture for frame in frames_in(frames) for picture in pictures_in(frame)]
    got = pictures_in(annex_b)
    assert len(got) * 60 >= len(sent) * 70
    assert got == [sent[number % len(sent)] for number in range(len(got))]


async def test_jpeg_pictures_keep_their_brightness(usb: UsbPorts, pictures: tuple[Picture, ...], run: Any) -> None:
    """JPEG's black is 0, video's is 16."""
    usb.plug(FakeCamera(pictures))
    camera = run(format="mjpeg")
    await camera.until_frames(3)
    camera.stop()
    look = "crop=8:8:4:ih-12,extractplanes=y"
    film = str(camera.folder / "run1.mp4")
    black = clips.run("ffmpeg", "-v", "error", "-i", film, "-vf", look, "-frames:v", "1", "-f", "rawvideo", "-")
    assert len(black) == 64
    assert 14 <= sum(black) / 64 <= 19


@pytest.mark.parametrize("wanted", ["raw", "mjpeg", "h264"])
@pytest.mark.parametrize(("pace", "spacing_s"), [("1/20", 0.05), ("1/31", 1 / 31)], ids=["slower", "faster"])
def test_the_cameras_own_times_reach_the_recording(
    usb: UsbPorts, pictures: tuple[Picture, ...], wanted: str, pace: str, spacing_s: float
) -> None:
    """It promised 30 frames a second, but it is dark, or its clock a little fast."""
    usb.plug(FakeCamera(pictures, more=(f"really {pace}",)))
    argv = [word.replace("pipe:3", "/dev/null") for word in usb.ask("command", "/dev/video0", SIZE, 30, wanted)]
    said = usb.folder.parent / "said"
    with (
        said.open("wb") as errors,
        subprocess.Popen(argv, env=usb.env, stdout=subprocess.PIPE, stderr=errors) as program,
    ):
        assert program.stdout is not None
        film = bytearray()
        while film.count(b"moof") < 30:
            chunk = program.stdout.read1(65536)
            assert chunk, said.read_text()
            film += chunk
        program.terminate()
        film += program.stdout.read()
    path = usb.folder.parent / "film.mp4"
    path.write_bytes(film)
    seen = clips.frame_numbers(path)
    assert seen == list(range(len(seen)))
    assert len(seen) >= 30
    show = ["-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    times = [float(word) for word in clips.run("ffprobe", "-v", "error", *show, str(path)).split()]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps[0] == pytest.approx(1 / 30, abs=0.02)  # a copied stream's first time is not known
    assert gaps[1:] == [pytest.approx(spacing_s, abs=0.0002)] * (len(times) - 2)
    assert "Non-monoton" not in said.read_text()


async def test_unplugged_and_plugged_in_again(usb: UsbPorts, pictures: tuple[Picture, ...], run: Any) -> None:
    camera_kind = FakeCamera(pictures)
    usb.plug(camera_kind, by_id=LINK)
    camera = run(device=BY_ID, format="raw")
    await camera.until_frames(15)
    usb.unplug()
    await camera.until("state", "OFFLINE")
    assert camera.last("fault") == f"{BY_ID} is not there"
    assert camera.last("end") == "camera"
    # By now it would be tried again only after 9.6 s, give or take a fifth.
    await camera.until("restarts", 6)
    usb.plug(camera_kind, "video1", by_id=LINK)  # under another number, as the old one may still be in use
    began = time.monotonic()
    await camera.until_frames(1, run=2)
    assert time.monotonic() - began < 7.5
    await camera.until("state", "LIVE")
    await camera.until_frames(15, run=2)
    camera.stop()
    for number in (1, 2):
        seen = clips.frame_numbers(camera.folder / f"run{number}.mp4")
        assert seen == list(range(len(seen)))


async def test_a_camera_that_another_program_has(usb: UsbPorts, pictures: tuple[Picture, ...], run: Any) -> None:
    usb.plug(FakeCamera(pictures))
    first = run(format="raw")
    await first.until("state", "LIVE")
    second = run(format="raw")
    await until(lambda: second.last("restarts"))
    assert re.fullmatch(r"/dev/video0 is used by ffmpeg \(pid \d+\)", second.last("fault"))
    first.stop()
    await second.until("state", "LIVE")
    assert not [line for line in usb.log() if "lost" in line and not line.endswith(" 0 lost")]


async def test_a_bus_that_is_full(usb: UsbPorts, run: Any) -> None:
    usb.plug(FakeCamera((Picture("YUYV", {SIZE: (30,)}),), more=("fail STREAMON 28",)))
    camera = run()
    await camera.until("state", "ERROR")
    assert camera.last("fault") == "the USB bus or the disk has no room left"
