"""What settings mean to libcamera: its controls, and what of it this camera cannot. Pure.

The numbers are those of libcamera's control_ids_core.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_EXPOSURE_NORMAL, _EXPOSURE_SHORT, _EXPOSURE_LONG = 0, 1, 2
_EXPOSURE_MODES = {"auto": _EXPOSURE_NORMAL, "day": _EXPOSURE_SHORT, "night": _EXPOSURE_LONG}
_WHITE_BALANCE = {
    "auto": 0,
    "incandescent": 1,
    "tungsten": 2,
    "fluorescent": 3,
    "indoor": 4,
    "daylight": 5,
    "cloudy": 6,
}
_FOCUS_MANUAL, _FOCUS_AUTO, _FOCUS_CONTINUOUS = 0, 1, 2
_FOCUS_START = 0
# At night a frame may take three times as long, so that light is gathered for longer; but not slower than this.
_NIGHT_STRETCH = 3
_NIGHT_LEAST_FPS = 5.0
# In stops: what is dark is shown brighter, which the camera does by more gain when exposure is at its end.
_NIGHT_EXPOSURE_VALUE = 1.0


@dataclass
class CameraControls:
    """Controls by name, as picamera2 takes them."""

    values: dict[str, Any] = field(default_factory=dict)
    after_start: dict[str, Any] = field(default_factory=dict)
    """Those that only a running camera takes."""
    fps: float = 0.0
    """Frames a second while there is light enough."""
    least_fps: float = 0.0
    """What that may fall to."""
    warnings: list[str] = field(default_factory=list)
    """What was asked for and cannot be, in words."""


def controls_for(settings: dict[str, Any], known: dict[str, Any]) -> CameraControls:
    """The controls for `settings` of a camera with these controls (name: least, most and default)."""
    result = CameraControls()
    _set_pace(result, settings, known)
    _set_exposure(result, settings, known)
    _set_colour(result, settings, known)
    _set_focus(result, settings, known)
    for name in [name for name in result.values if name not in known]:
        del result.values[name]
    return result


def _set_pace(result: CameraControls, settings: dict[str, Any], known: dict[str, Any]) -> None:
    wanted = least = float(settings["fps"])
    if settings["preset"] == "night":
        least = min(wanted, max(_NIGHT_LEAST_FPS, wanted / _NIGHT_STRETCH))
    shortest, longest = known.get("FrameDurationLimits", (1, 10**9))[:2]

    def possible(fps: float) -> tuple[int, float]:
        frame_us = int(min(max(round(1e6 / fps), shortest), longest))
        # Whole microseconds: 33333 of them are meant to be 30 frames a second.
        return frame_us, fps if abs(1e6 / fps - frame_us) < 1 else 1e6 / frame_us

    (fast_us, result.fps), (slow_us, result.least_fps) = possible(wanted), possible(least)
    result.values["FrameDurationLimits"] = (fast_us, slow_us)
    if abs(result.fps - wanted) > 0.01 * wanted:
        result.warnings.append(f"{wanted:g} frames a second cannot be had in this mode, {result.fps:.4g} can")


def _set_exposure(result: CameraControls, settings: dict[str, Any], known: dict[str, Any]) -> None:
    values = result.values
    exposure_us, gain = settings["exposure_us"], settings["gain"]
    # Said in any case, also where it is the default: a running camera keeps what was ordered before.
    values["AeEnable"] = exposure_us is None or gain is None
    values["AeExposureMode"] = _EXPOSURE_MODES[settings["preset"]]
    values["ExposureValue"] = _NIGHT_EXPOSURE_VALUE if settings["preset"] == "night" else 0.0
    # 0: automatic, as picamera2 has it.
    values["ExposureTime"] = _within("exposure", exposure_us, known.get("ExposureTime"), result, "µs") or 0
    values["AnalogueGain"] = _within("gain", gain, known.get("AnalogueGain"), result, "") or 0.0
    frame_us = result.values["FrameDurationLimits"][1]
    if exposure_us is not None and exposure_us > frame_us:
        result.warnings.append(
            f"an exposure of {exposure_us} µs is longer than a frame of {frame_us} µs and is cut to that;"
            " choose fewer frames a second"
        )


def _set_colour(result: CameraControls, settings: dict[str, Any], known: dict[str, Any]) -> None:
    balance = settings["white_balance"]
    if isinstance(balance, str):
        result.values["AwbEnable"] = True
        result.values["AwbMode"] = _WHITE_BALANCE[balance]
    else:
        # Gains given by hand end the automatic by themselves; AwbEnable beside them would win on some versions.
        result.values["ColourGains"] = tuple(map(float, balance))
    result.values["Saturation"] = 0.0 if settings["preset"] == "night" else 1.0
    if "AwbMode" not in known and balance != "auto":
        result.warnings.append("this camera's white balance cannot be set")


def _set_focus(result: CameraControls, settings: dict[str, Any], known: dict[str, Any]) -> None:
    focus = settings["focus"]
    if focus is None:
        return
    if "AfMode" not in known:
        result.warnings.append("this camera has a fixed focus; take `focus` out of its settings")
    elif focus == "continuous":
        result.values["AfMode"] = _FOCUS_CONTINUOUS
    elif focus == "auto":
        result.values["AfMode"] = _FOCUS_AUTO
        result.after_start["AfTrigger"] = _FOCUS_START
    else:
        result.values["AfMode"] = _FOCUS_MANUAL
        dioptres = _within("focus", float(focus), known.get("LensPosition"), result, "dioptres")
        result.values["LensPosition"] = dioptres


def _within(what: str, value: Any, limits: Any, result: CameraControls, unit: str) -> Any:
    """The value, or the nearest that the camera can."""
    if value is None or not limits:
        return value
    least, most = limits[0], limits[1]
    near = value if least is None or most is None else min(max(value, least), most)
    if near != value:
        result.warnings.append(f"{what} {value:g} {unit} is not possible, {near:g} is taken".replace("  ", " "))
    return near
