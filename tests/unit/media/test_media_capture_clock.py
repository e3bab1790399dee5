from itertools import pairwise

import pytest
from fakes.runtime_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.segment import NS
from livecam_nvr.media.capture_clock import CaptureClock

FRAME_S = 0.04


class Camera:
    """Frames every 40 ms of the camera's clock; each comes one frame and `delay_s` after it was taken."""

    def __init__(self, *, speed: float = 1.0) -> None:
        self.clock = FakeClock()
        self.capture = CaptureClock(self.clock)
        self.begin_s = self.clock.now_s
        self.begin_ns = self.clock.wall_ns
        self.speed = speed
        self.frames = 0
        self.jump_s = 0.0

    def frame(self, delay_s: float = 0.0) -> float:
        """The error of the stamp, seconds: positive if it says later than the frame was taken."""
        taken_s = self.frames * FRAME_S
        self.frames += 1
        now = max(self.clock.now_s, self.begin_s + taken_s + FRAME_S + delay_s)
        self.clock.advance(now - self.clock.now_s)
        arrived, utc_ns = self.capture.stamp(7000 + self.jump_s + taken_s * self.speed, FRAME_S)
        assert arrived == self.clock.now_s
        return (utc_ns - self.begin_ns) / NS - taken_s


def test_a_frame_was_taken_one_frame_before_it_came() -> None:
    camera = Camera()
    assert [camera.frame() for _ in range(5)] == pytest.approx([0] * 5, abs=1e-6)
    assert camera.capture.lag_s == pytest.approx(0, abs=1e-6)


def test_frames_that_were_held_up_keep_their_time() -> None:
    camera = Camera()
    for _ in range(10):
        camera.frame()
    for delay_s in (0.2, 0.9, 0.05, 1.4):
        assert camera.frame(delay_s) == pytest.approx(0, abs=1e-3)
    assert camera.capture.lag_s > 1.0
    while camera.capture.lag_s > 1e-3:
        camera.frame()
    assert camera.frame() == pytest.approx(0, abs=1e-3)


def test_a_first_frame_that_was_late_is_soon_forgotten() -> None:
    camera = Camera()
    assert camera.frame(0.5) == pytest.approx(0.5)
    for _ in range(20):
        error = camera.frame()
    assert error == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("speed", [1 + 100e-6, 1 - 100e-6])
def test_the_cameras_quartz_is_followed(speed: float) -> None:
    camera = Camera(speed=speed)
    errors = [camera.frame(0.01 * (n % 3)) for n in range(90_000)]  # an hour
    assert max(map(abs, errors[100:])) < 0.05
    assert camera.capture.lag_s < 0.05


def test_a_camera_clock_set_ahead_is_followed_at_once() -> None:
    camera = Camera()
    camera.frame()
    camera.jump_s = 3600
    assert [camera.frame() for _ in range(3)] == pytest.approx([0] * 3, abs=1e-3)


def test_a_camera_clock_set_back_is_followed_after_a_while() -> None:
    camera = Camera()
    for _ in range(10):
        camera.frame()
    camera.jump_s = -60
    assert camera.frame() == pytest.approx(-60, abs=0.1)
    assert camera.capture.lag_s == pytest.approx(60, abs=0.1)
    errors = [camera.frame() for _ in range(100)]  # 4 s
    assert errors[-1] == pytest.approx(0, abs=1e-3)
    assert camera.capture.lag_s == pytest.approx(0, abs=1e-3)


def test_the_machines_clock_set_anew_counts_from_then_on() -> None:
    camera = Camera()
    camera.frame()
    camera.clock.step(-100)
    assert camera.frame() == pytest.approx(-100, abs=1e-3)


@given(st.lists(st.floats(0, 1.4), min_size=2, max_size=100))
def test_time_never_runs_back_and_no_frame_is_of_the_future(delays_s: list[float]) -> None:
    camera = Camera()
    stamps = []
    for delay_s in delays_s:
        error = camera.frame(delay_s)
        stamps.append(error + camera.frames * FRAME_S)
        assert error >= -1e-3
        assert stamps[-1] + camera.begin_s <= camera.clock.now_s + FRAME_S / 2 + 1e-6
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(stamps))
