"""Why a camera's process ended, from what it said."""

import signal

import pytest

from livecam_nvr.media.picam.process import _died

CHATTER = "[5:34:14.420000001] [7619]  INFO Camera camera_manager.cpp:326 libcamera v0.5"
TROUBLE = "[5:34:14.420000001] [7619] ERROR V4L2 v4l2_videodevice.cpp:2094 Failed to start streaming"


@pytest.mark.parametrize(
    ("code", "lines", "expected"),
    [
        (-signal.SIGKILL, [TROUBLE], "the camera's process was ended by signal 9"),
        (1, [TROUBLE, CHATTER], f"the camera's process ended with status 1: {TROUBLE}"),
        (1, [CHATTER], "the camera's process ended with status 1"),
        (
            -signal.SIGSEGV,
            ["Fatal Python error"],
            "the camera's process was ended by signal 11: Fatal Python error",
        ),
    ],
)
def test_chatter_is_no_cause(code: int, lines: list[str], expected: str) -> None:
    assert _died(code, lines).message == expected
