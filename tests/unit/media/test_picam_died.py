"""What is said of a Pi camera's process that died."""

import pytest

from livecam_nvr.media.picam import process

INFO = "[5:34:14.425718241] [7619]  INFO Camera camera_manager.cpp:327 libcamera v0.5.0"
FATAL = "[5:34:15.425718241] [7619] FATAL default unique_fd.cpp:1 assertion failed"


@pytest.mark.parametrize(
    ("code", "lines", "said"),
    [
        (-9, [INFO, FATAL], "the camera's process was ended by signal 9"),
        (-11, [INFO], "the camera's process was ended by signal 11"),
        (-6, [FATAL, INFO], f"the camera's process was ended by signal 6: {FATAL}"),
        (1, [INFO, "OSError: no"], "the camera's process ended with status 1: OSError: no"),
    ],
)
def test_only_a_line_that_can_be_its_cause_is_told(code: int, lines: list[str], said: str) -> None:
    assert str(process._died(code, lines)) == said
