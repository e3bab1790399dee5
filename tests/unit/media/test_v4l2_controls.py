"""Which controls of a USB camera can be set to what, and in which order."""

import pytest

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.v4l2.controls import Control, in_order

BRIGHTNESS = Control("brightness", 1, "integer", -64, 64, 1, 0)
FOCUS = Control("focus_absolute", 2, "integer", 0, 250, 5, 0, inactive=True)
AUTO_FOCUS = Control("focus_automatic_continuous", 3, "boolean", 0, 1, 1, 1)
EXPOSURE = Control("auto_exposure", 4, "menu", 0, 3, 1, 3, items={1: "Manual Mode", 3: "Aperture Priority Mode"})
SERIAL = Control("serial_number", 5, "integer", 0, 9, 1, 0, read_only=True)
ALL = (BRIGHTNESS, FOCUS, AUTO_FOCUS, EXPOSURE, SERIAL)


def test_switches_are_set_before_what_they_switch() -> None:
    wanted = {"focus_absolute": 30, "brightness": -64, "auto_exposure": 1, "focus_automatic_continuous": 0}
    assert [(control.name, value) for control, value in in_order(ALL, wanted)] == [
        ("auto_exposure", 1),
        ("focus_automatic_continuous", 0),
        ("focus_absolute", 30),
        ("brightness", -64),
    ]
    assert in_order(ALL, {}) == []


@pytest.mark.parametrize(
    ("controls", "name", "value", "message", "hint"),
    [
        (ALL, "brighness", 1, "the camera has no control brighness", "did you mean brightness?"),
        (
            ALL,
            "zoom",
            1,
            "the camera has no control zoom",
            "it has: brightness, focus_absolute, focus_automatic_continuous, auto_exposure, serial_number",
        ),
        ((), "zoom", 1, "the camera has no control zoom", "it has: none at all"),
        (ALL, "brightness", 65, "the camera's control brightness cannot be 65", "it can be: -64 to 64"),
        (ALL, "brightness", -65, "the camera's control brightness cannot be -65", "it can be: -64 to 64"),
        (
            ALL,
            "focus_absolute",
            255,
            "the camera's control focus_absolute cannot be 255",
            "it can be: 0 to 250 in steps of 5",
        ),
        (
            ALL,
            "auto_exposure",
            2,
            "the camera's control auto_exposure cannot be 2",
            "it can be: 1 (Manual Mode), 3 (Aperture Priority Mode)",
        ),
        (
            ALL,
            "focus_automatic_continuous",
            2,
            "the camera's control focus_automatic_continuous cannot be 2",
            "it can be: 0 (off), 1 (on)",
        ),
        (
            ALL,
            "serial_number",
            1,
            "the camera's control serial_number can only be read",
            "take serial_number out of controls",
        ),
    ],
)
def test_mistakes_are_said_with_what_would_be_right(
    controls: tuple[Control, ...], name: str, value: int, message: str, hint: str
) -> None:
    with pytest.raises(LivecamError) as error:
        in_order(controls, {name: value})
    assert (error.value.kind, error.value.message, error.value.hint) == (ErrorKind.CONFIG, message, hint)
