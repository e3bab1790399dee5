"""What a USB camera is to send."""

from dataclasses import replace
from fractions import Fraction

import pytest

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media import ffmpeg
from livecam_nvr.media.v4l2.formats import (
    Mode,
    V4l2Plan,
    Wanted,
    choose,
    described,
    rates_between,
    sizes_between,
    source_of,
)


def mode(input_format: str, size: str, *rates: int | Fraction, emulated: bool = False) -> Mode:
    width, height = map(int, size.split("x"))
    return Mode(input_format, width, height, tuple(Fraction(rate) for rate in rates), emulated)


# As a usual webcam on USB 2: raw pictures in 720p fill the bus at 10 frames a second.
RAW_480, RAW_720 = mode("yuyv422", "640x480", 30, 15), mode("yuyv422", "1280x720", 10, 5)
JPEG_480, JPEG_720 = mode("mjpeg", "640x480", 30), mode("mjpeg", "1280x720", 30, 15)
JPEG_1080 = mode("mjpeg", "1920x1080", 30)
H264_720 = mode("h264", "1280x720", 30, 15)
WEBCAM = (RAW_480, RAW_720, JPEG_480, JPEG_720, JPEG_1080)
NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("modes", "size", "fps", "wanted", "plan"),
    [
        (WEBCAM, "640x480", 30, "auto", "640x480 at 30 frames a second, yuyv422, encoded"),
        (WEBCAM, "1280x720", 30, "auto", "1280x720 at 30 frames a second, mjpeg, encoded"),
        (WEBCAM, "1280x720", 10, "auto", "1280x720 at 10 frames a second, yuyv422, encoded"),
        (WEBCAM, "1280x720", 30, "raw", "1280x720 at 10 frames a second, yuyv422, encoded"),
        (WEBCAM, "640x480", 30, "mjpeg", "640x480 at 30 frames a second, mjpeg, encoded"),
        (WEBCAM, "1280x720", 60, "auto", "1280x720 at 30 frames a second, mjpeg, encoded"),
        ((*WEBCAM, H264_720), "1280x720", 30, "auto", "1280x720 at 30 frames a second, h264, copied"),
        ((*WEBCAM, H264_720), "1280x720", 12, "auto", "1280x720 at 15 frames a second, h264, copied"),
        ((*WEBCAM, H264_720), "640x480", 30, "auto", "640x480 at 30 frames a second, yuyv422, encoded"),
        # Its own H.264 is slower than what is wanted, and MJPEG is not.
        (
            (JPEG_720, replace(H264_720, rates=(Fraction(15),))),
            "1280x720",
            30,
            "auto",
            "1280x720 at 30 frames a second, mjpeg, encoded",
        ),
        # Nothing gives the rate: what is fastest.
        (
            (RAW_720, replace(JPEG_720, rates=(Fraction(20),))),
            "1280x720",
            30,
            "auto",
            "1280x720 at 20 frames a second, mjpeg, encoded",
        ),
        # Made by software from another format: not trusted, unless that is what the config says.
        (
            (JPEG_720, replace(H264_720, emulated=True)),
            "1280x720",
            30,
            "auto",
            "1280x720 at 30 frames a second, mjpeg, encoded",
        ),
        (
            (JPEG_720, replace(H264_720, emulated=True)),
            "1280x720",
            30,
            "h264",
            "1280x720 at 30 frames a second, h264, copied",
        ),
        # 29.97 is 30; and nothing is known of the rates of a driver that does not tell.
        (
            (mode("mjpeg", "640x480", 60, NTSC),),
            "640x480",
            30,
            "auto",
            "640x480 at 29.97 frames a second, mjpeg, encoded",
        ),
        ((mode("mjpeg", "640x480"),), "640x480", 12.5, "auto", "640x480 at 12.5 frames a second, mjpeg, encoded"),
        # Of raw formats the one that is cheapest to encode; grey only if there is nothing else.
        (
            (mode("gray", "640x480", 30), RAW_480, mode("nv12", "640x480", 30)),
            "640x480",
            30,
            "auto",
            "640x480 at 30 frames a second, nv12, encoded",
        ),
    ],
)
def test_the_format_that_fits(modes: tuple[Mode, ...], size: str, fps: float, wanted: Wanted, plan: str) -> None:
    width, height = map(int, size.split("x"))
    assert str(choose(modes, (width, height), fps, wanted)) == plan
    assert str(choose(modes[::-1], (width, height), fps, wanted)) == plan


def test_h264_is_not_copied_when_something_is_drawn() -> None:
    assert choose((JPEG_720, H264_720), (1280, 720), 30, copy=False).input_format == "mjpeg"
    alone = choose((H264_720,), (1280, 720), 30, copy=False)
    assert (alone.input_format, alone.copy) == ("h264", False)
    forced = choose((JPEG_720, H264_720), (1280, 720), 30, "h264", copy=False)
    assert (forced.input_format, forced.copy) == ("h264", False)


def test_another_width_of_the_same_height_is_taken_and_told() -> None:
    modes = (JPEG_480, mode("mjpeg", "800x480", 25), mode("mjpeg", "432x240", 30))
    plan = choose(modes, (848, 480), 30)
    assert (plan.width, plan.height, plan.fps) == (800, 480, 25)
    assert plan.remark == "the camera has no 848x480 at 30 frames a second: it sends 800x480 at 25"


def test_nothing_is_told_when_all_is_as_wanted() -> None:
    assert choose(WEBCAM, (1280, 720), 30).remark == ""
    assert choose((mode("mjpeg", "640x480", NTSC),), (640, 480), 30).remark == ""
    assert choose(WEBCAM, (1280, 720), 30, "raw").remark.endswith("it sends 1280x720 at 10")


@pytest.mark.parametrize(
    ("modes", "wanted", "message", "hint"),
    [
        (WEBCAM, "h264", "the camera does not send h264", "set format to auto, or to one of mjpeg, raw"),
        ((), "auto", "the camera does not send pictures that are known here", "use another camera"),
        (
            (RAW_480, JPEG_480, JPEG_720),
            "auto",
            "the camera has no pictures of 1080 lines",
            "set size to one that it has: mjpeg: 640x480 at 30, 1280x720 at 30; raw: 640x480 at 30",
        ),
        (
            WEBCAM,
            "raw",
            "the camera has no pictures of 1080 lines as raw",
            "set size to one that it has: raw: 640x480 at 30, 1280x720 at 10",
        ),
    ],
)
def test_what_it_cannot_do_is_said_with_what_it_can(
    modes: tuple[Mode, ...], wanted: Wanted, message: str, hint: str
) -> None:
    with pytest.raises(LivecamError) as error:
        choose(modes, (1920, 1080), 30, wanted)
    assert (error.value.kind, error.value.message, error.value.hint) == (ErrorKind.CONFIG, message, hint)


def test_each_size_is_described_once_with_its_fastest_rate() -> None:
    assert described(
        [RAW_480, mode("nv12", "640x480", 50), mode("h264", "64x64"), mode("h264", "64x48", NTSC)]
    ) == ("h264: 64x48 at 29.97, 64x64; raw: 640x480 at 50")


def test_of_ranges_the_usual_sizes_and_rates_are_offered() -> None:
    sizes = list(sizes_between(range(32, 1296 + 1, 16), range(32, 976 + 1, 8), (848, 480)))
    assert sizes == [
        (320, 240), (640, 360), (640, 480), (800, 600), (848, 480), (1024, 768), (1280, 720), (1296, 976),
    ]  # fmt: skip
    assert (850, 480) not in list(sizes_between(range(32, 1296 + 1, 16), range(32, 976 + 1, 8), (850, 480)))
    assert list(rates_between(Fraction(10), Fraction(42))) == [10, 15, 20, 24, 25, 30, 42]
    assert list(rates_between(Fraction(0), Fraction(0))) == []


def opening(plan: V4l2Plan) -> list[str]:
    argv = ffmpeg.command(source_of(plan, "/dev/v4l/by-id/usb-A-index0", 900), None)
    return argv[argv.index("-f") :]


def test_ffmpegs_command_for_an_encoded_camera() -> None:
    plan = V4l2Plan("mjpeg", 1280, 720, NTSC, copy=False)
    argv = opening(plan)
    assert argv[: argv.index("-i") + 2] == [
        "-f", "v4l2", "-video_size", "1280x720", "-framerate", "30000/1001", "-input_format", "mjpeg",
        "-i", "/dev/v4l/by-id/usb-A-index0",
    ]  # fmt: skip
    assert argv[argv.index("-c:v") + 1] == "libx264"
    assert argv[argv.index("-b:v") + 1] == "900k"
    assert argv[argv.index("-g") + 1] == "60"
    assert argv[argv.index("-fps_mode") + 1] == "vfr"


def test_ffmpegs_command_for_a_copied_camera() -> None:
    plan = V4l2Plan("h264", 1280, 720, Fraction(15), copy=True)
    argv = opening(plan)
    assert argv[: argv.index("tee") + 1] == [
        "-f", "v4l2", "-video_size", "1280x720", "-framerate", "15", "-input_format", "h264",
        "-i", "/dev/v4l/by-id/usb-A-index0", "-map", "0:v", "-f", "tee",
    ]  # fmt: skip
    assert argv[argv.index("-c") : argv.index("-c") + 4] == ["-c", "copy", "-copytb", "1"]
    assert "-1/15/TB" in argv[argv.index("-bsf:v") + 1]


def test_what_is_drawn_is_drawn_before_it_is_encoded() -> None:
    box = ("drawbox", (("x", "0"), ("color", "black")))
    source = source_of(V4l2Plan("h264", 640, 480, Fraction(30), copy=False), "/dev/video0", 900, (box,))
    assert source.filters == (box,)
    assert source.encoding is not None
    assert source.encoding.fps == 30
