"""What settings become, as libcamera's controls."""

from dataclasses import asdict
from typing import Any

import pytest

from livecam_nvr.media.picam.child.controls import CameraControls, controls_for
from livecam_nvr.media.picam.facts import CaptureSettings

KNOWN: dict[str, Any] = {
    "FrameDurationLimits": (16_666, 200_000, None),
    "ExposureTime": (100, 66_666, 20_000),
    "AnalogueGain": (1.0, 8.0, 1.0),
    **dict.fromkeys(("AeEnable", "AeExposureMode", "ExposureValue", "AwbEnable", "AwbMode", "ColourGains")),
    "Saturation": (0.0, 32.0, 1.0),
}
LENS: dict[str, Any] = {"AfMode": (0, 2, 0), "AfTrigger": (0, 1, 0), "LensPosition": (0.0, 15.0, 1.0)}


def controls(known: dict[str, Any] | None = None, **wanted: Any) -> CameraControls:
    settings = CaptureSettings(**{"size": (640, 480), "fps": 30, "bitrate_kbps": 1000, **wanted})
    return controls_for(asdict(settings), {**KNOWN, **LENS} if known is None else known)


def test_all_automatic_says_so_as_a_running_camera_keeps_what_was_ordered_before():
    found = controls()
    assert found.values == {
        "FrameDurationLimits": (33_333, 33_333),
        "AeEnable": True,
        "AeExposureMode": 0,
        "ExposureValue": 0.0,
        "ExposureTime": 0,
        "AnalogueGain": 0.0,
        "AwbEnable": True,
        "AwbMode": 0,
        "Saturation": 1.0,
    }
    assert (found.fps, found.least_fps, found.warnings, found.after_start) == (30.0, 30.0, [], {})


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        ({"exposure_us": 8000}, {"ExposureTime": 8000, "AeEnable": True}),
        ({"exposure_us": 8000, "gain": 2.0}, {"ExposureTime": 8000, "AnalogueGain": 2.0, "AeEnable": False}),
        ({"white_balance": "daylight"}, {"AwbEnable": True, "AwbMode": 5}),
        ({"white_balance": (1.5, 2)}, {"ColourGains": (1.5, 2.0)}),
        ({"preset": "day"}, {"AeExposureMode": 1, "Saturation": 1.0}),
        (
            {"preset": "night"},
            {
                "AeExposureMode": 2,
                "Saturation": 0.0,
                "ExposureValue": 1.0,
                "FrameDurationLimits": (33_333, 100_000),
            },
        ),
        ({"focus": "continuous"}, {"AfMode": 2}),
        ({"focus": 3.5}, {"AfMode": 0, "LensPosition": 3.5}),
        ({"focus": 0}, {"AfMode": 0, "LensPosition": 0.0}),
    ],
)
def test_settings(wanted, values):
    found = controls(**wanted)
    assert {name: found.values[name] for name in values} == values
    assert found.warnings == []


def test_gains_by_hand_leave_the_automatic_alone():
    assert "AwbEnable" not in controls(white_balance=(1.0, 1.0)).values


def test_focus_once_is_started_when_the_camera_runs():
    found = controls(focus="auto")
    assert found.values["AfMode"] == 1
    assert found.after_start == {"AfTrigger": 0}


def test_a_fixed_focus_is_said_and_nothing_is_ordered():
    found = controls(KNOWN, focus="auto")
    assert [w for w in found.warnings if "fixed focus" in w]
    assert not [name for name in (*found.values, *found.after_start) if name.startswith(("Af", "Lens"))]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"fps": 120}, "120 frames a second cannot be had in this mode, 60 can"),
        ({"gain": 20}, "gain 20 is not possible, 8 is taken"),
        ({"exposure_us": 50}, "exposure 50 µs is not possible, 100 is taken"),
        ({"exposure_us": 50_000}, "an exposure of 50000 µs is longer than a frame of 33333 µs"),
        ({"focus": 20}, "focus 20 dioptres is not possible, 15 is taken"),
    ],
)
def test_what_cannot_be_is_said(wanted, said):
    assert [warning for warning in controls(**wanted).warnings if warning.startswith(said)]


def test_night_never_goes_below_five_frames_nor_above_what_was_asked_for():
    assert controls(preset="night", fps=12).least_fps == 5.0
    assert controls(preset="night", fps=4, known={**KNOWN, "FrameDurationLimits": (1, 10**6)}).least_fps == 4.0


def test_only_what_the_camera_knows_is_ordered():
    assert controls({"FrameDurationLimits": (1, 10**6, None)}).values == {"FrameDurationLimits": (33_333, 33_333)}
