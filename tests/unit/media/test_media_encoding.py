"""The options of every encoder, and what is made of a trial's result."""

from pathlib import Path

import pytest

from livecam_nvr.domain.media import Fragment, InitSegment, Track
from livecam_nvr.media.encoding import KEYFRAMES, NVENC, V4L2M2M, X264, Encoder, Encoding, options_for, qsv, vaapi
from livecam_nvr.media.ffmpeg import command
from livecam_nvr.media.hardware import candidates, flaw, reason, trial_source

NODE = "/dev/dri/renderD129"
COMMON = {
    "b:v": "900k",
    "maxrate": "900k",
    "bufsize": "900k",
    "force_key_frames": KEYFRAMES,
}
GLOBAL = {"g": "25", "flags": "+global_header"}
ENCODERS: list[tuple[Encoder, dict[str, str]]] = [
    (
        X264,
        {"c:v": "libx264", "preset": "ultrafast", "tune": "zerolatency", "pix_fmt": "yuv420p", "sc_threshold": "0"}
        | GLOBAL,
    ),
    (
        NVENC,
        {"c:v": "h264_nvenc", "preset": "p4", "tune": "ull", "rc": "cbr", "zerolatency": "1", "delay": "0"}
        | {"bf": "0", "forced-idr": "1", "pix_fmt": "yuv420p"}
        | GLOBAL,
    ),
    (
        qsv(NODE),
        {"c:v": "h264_qsv", "preset": "veryfast", "bf": "0", "async_depth": "1", "look_ahead": "0"}
        | {"forced_idr": "1", "pix_fmt": "nv12"}
        | GLOBAL,
    ),
    (vaapi(NODE), {"c:v": "h264_vaapi", "bf": "0", "async_depth": "1"} | GLOBAL),
    (
        vaapi(NODE, low_power=True),
        {"c:v": "h264_vaapi", "bf": "0", "async_depth": "1", "low_power": "1"} | GLOBAL,
    ),
    # Its parameter sets come in-band, and its `g` must bring the keyframes if the driver cannot be told to.
    (V4L2M2M, {"c:v": "h264_v4l2m2m", "pix_fmt": "yuv420p", "g": "12"}),
]


@pytest.mark.parametrize(("encoder", "options"), ENCODERS, ids=lambda value: getattr(value, "name", ""))
def test_table(encoder: Encoder, options: dict[str, str]) -> None:
    assert options_for(encoder, Encoding(12.5, 900)) == COMMON | options


@pytest.mark.parametrize(
    ("encoder", "before"),
    [
        (vaapi(NODE), ["-init_hw_device", f"vaapi=card:{NODE}", "-filter_hw_device", "card"]),
        (qsv(NODE), ["-init_hw_device", f"qsv=card:hw,child_device={NODE}"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_device_is_named_before_the_input(encoder: Encoder, before: list[str]) -> None:
    argv = command(trial_source(), None, encoder)
    at = argv.index("-init_hw_device")
    assert argv[at : at + len(before)] == before
    assert at < argv.index("-i")


def test_every_encoder_gets_what_it_takes() -> None:
    for encoder, _ in ENCODERS:
        uploads = [name for name, _ in encoder.filters] == ["format", "hwupload"]
        assert uploads == (encoder.name == "vaapi")
        assert uploads or dict(encoder.options)["pix_fmt"] in {"yuv420p", "nv12"}


def test_devices_are_found_not_assumed(tmp_path: Path) -> None:
    for name in ("nvenc", "x264"):
        assert len(candidates(name, tmp_path)) == 1
    for name in ("qsv", "vaapi", "v4l2m2m"):
        assert candidates(name, tmp_path) == ()
    (tmp_path / "dri").mkdir()
    for node in ("renderD129", "renderD128", "card0"):
        (tmp_path / "dri" / node).touch()
    (tmp_path / "video11").touch()
    nodes = [f"{tmp_path}/dri/renderD{number}" for number in (128, 129)]
    assert candidates("qsv", tmp_path) == tuple(qsv(node) for node in nodes)
    ways: list[dict[str, bool]] = [{}, {"low_power": True}, {"in_band": True}]
    assert candidates("vaapi", tmp_path) == tuple(vaapi(node, **way) for node in nodes for way in ways)
    assert candidates("v4l2m2m", tmp_path) == (V4L2M2M,)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Unknown encoder 'h264_qsv'", "this ffmpeg is built without it"),
        ("[h264_nvenc @ 0x1] Cannot load libcuda.so.1", "NVIDIA's driver is not installed"),
        ("[h264_nvenc @ 0x1] Cannot load libnvidia-encode.so.1", "NVIDIA's driver is not installed"),
        ("[h264_nvenc @ 0x1] No capable devices found", "there is no NVIDIA card that encodes H.264"),
        ("[h264_nvenc @ 0x1] OpenEncodeSessionEx failed: out of memory (10)", "no encoding session left"),
        ("[h264_v4l2m2m @ 0x1] Could not find a valid device", "the Pi 5 has none"),
        ("[AVHWDeviceContext @ 0x1] No VA display found for device /dev/dri/renderD128.", "VA-API driver"),
        ("Failed to open /dev/dri/renderD128: Permission denied", "groups video and render"),
        (
            "[h264_vaapi @ 0x1] No usable encoding entrypoint found for profile VAProfileH264High (7).",
            "does not encode",
        ),
        ("[h264_qsv @ 0x1] Error initializing an internal MFX session: unsupported (-3)", "Quick Sync"),
        ("Something new", "ffmpeg says: Something new"),
    ],
)
def test_why_not_is_told_in_words(said: str, words: str) -> None:
    assert words in reason([said, "Conversion failed!"])


def test_silence_is_told_too() -> None:
    assert reason([]) == "ffmpeg gives no reason"


def fragments(codec: str = "avc1.42c01e", keys: tuple[int, ...] = (0, 15), count: int = 22) -> list[Fragment]:
    init = InitSegment(b"", (Track(1, "video", codec, 90_000, 640, 360),))
    return [Fragment(init, b"", n, n in keys, 1, 6000 * n, 6000, (), 0.0, 0) for n in range(count)]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (fragments(), ""),
        (fragments("avc1.64001f"), ""),
        (fragments("avc1.000000"), "cannot be played by every browser"),
        (fragments("avc1.f4000d"), "cannot be played by every browser"),
        (fragments(count=12), "of 22 frames it gave 12"),
        (fragments(keys=(0,)), "no keyframe each second"),
        (fragments(keys=(0, 4)), "no keyframe each second"),
        (fragments(keys=(5, 15)), "no keyframe each second"),
        (fragments(keys=(1, 16), count=23), ""),
    ],
)
def test_what_an_encoder_makes_must_be_a_cameras_stream(made: list[Fragment], words: str) -> None:
    assert words in flaw(made)
    assert bool(words) == bool(flaw(made))
