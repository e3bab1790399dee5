from itertools import pairwise

import pytest
from fakes.core_stream import SCALE, make_fragment, make_init
from fakes.runtime_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.media import Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.capture_clock import Beginning, CaptureClock

FRAME_S = 0.04


class Camera:
    """Frames every 40 ms of the camera's clock; each comes one frame and `delay_s` after it was taken."""

    def __init__(self, *, speed: float = 1.0, remote: bool = False) -> None:
        self.clock = FakeClock()
        self.capture = CaptureClock(self.clock, remote=remote)
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


@pytest.mark.parametrize("speed", [0.99, 0.97, 1.01, 1.03])
def test_an_ip_cameras_clock_that_runs_evenly_slow_or_fast_is_no_delay(speed: float) -> None:
    camera = Camera(speed=speed, remote=True)
    # Held up for two frames more than others, by ffmpeg.
    errors = [camera.frame(0.01 * (n % 3) + 2 * FRAME_S) for n in range(45_000)]  # half an hour
    assert max(map(abs, errors[:1000])) < 0.8
    assert max(map(abs, errors[1000:])) < 0.1
    assert camera.capture.lag_s < 0.1


def test_a_camera_of_this_machine_has_no_clock_of_its_own() -> None:
    camera = Camera(speed=0.99)
    for _ in range(1000):
        camera.frame()
    assert camera.capture.lag_s == pytest.approx(0.4, rel=0.1)


def test_a_delay_that_grows_is_no_slow_clock_once_it_ends() -> None:
    camera = Camera(remote=True)
    for n in range(1000):
        camera.frame(2 * FRAME_S + max(0.0, (n - 500) * 0.002))
    assert camera.capture.lag_s > 0.5
    errors = [camera.frame(2 * FRAME_S) for _ in range(500)]
    assert max(map(abs, errors[50:])) < 0.05


def test_frames_that_ffmpeg_hands_on_later_were_taken_before() -> None:
    clock = FakeClock()
    capture = CaptureClock(clock, remote=True)
    for n in range(10):
        _, utc_ns = capture.stamp(n * FRAME_S, FRAME_S)
        assert (utc_ns - clock.utc_ns()) / NS == pytest.approx(-3 * FRAME_S)
        clock.advance(FRAME_S)


def test_what_came_all_at_once_was_taken_one_after_the_other() -> None:
    clock = FakeClock()
    capture = CaptureClock(clock)
    beginning = Beginning(capture)
    init = make_init()

    def came(number: int, frames: int = 1) -> Fragment:
        arrived_s, utc_ns = capture.stamp(number * FRAME_S, FRAME_S if frames else None)
        return make_fragment(
            init,
            number,
            time=round(number * FRAME_S * SCALE),
            frames=frames,
            duration=40 * frames,
            arrived_s=arrived_s,
            utc_ns=utc_ns,
        )

    burst = [came(n) for n in range(10)]
    assert beginning.take(burst[:4]) == []
    assert beginning.take(burst[4:]) == []
    clock.advance(FRAME_S)
    assert beginning.take([came(10, frames=0)]) == [], "sound says nothing about the pictures' pace"
    found = beginning.take([came(10)])
    assert [f.number for f in found] == [*range(10), 10, 10]
    taken_s = [(f.utc_ns - clock.utc_ns()) / NS for f in found if f.frames]
    assert taken_s == pytest.approx([(n - 11) * FRAME_S for n in range(11)], abs=1e-3)
    clock.advance(FRAME_S)
    assert [f.number for f in beginning.take([came(11)])] == [11]
    assert beginning.rest() == []


def test_a_stream_that_comes_faster_than_its_pace_is_not_held_for_long() -> None:
    clock = FakeClock()
    capture = CaptureClock(clock)
    beginning = Beginning(capture)
    init = make_init()
    found = []
    for number in range(100):
        arrived_s, utc_ns = capture.stamp(number * FRAME_S, FRAME_S)
        found += beginning.take([make_fragment(init, number, arrived_s=arrived_s, utc_ns=utc_ns)])
        clock.advance(0.01)
    assert [f.number for f in found] == list(range(100))
    assert beginning.rest() == []


def test_what_was_held_back_is_there_at_the_end() -> None:
    capture = CaptureClock(FakeClock())
    beginning = Beginning(capture)
    assert beginning.take([make_fragment(number=7)]) == []
    assert [f.number for f in beginning.rest()] == [7]
    assert beginning.rest() == []
