"""Complaints come with their cause and go with it."""

import pytest
from fakes.runtime_clock import FakeClock

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import Complaint
from livecam_nvr.media.health import CameraHealth, PaceMark
from livecam_nvr.media.picture_check import is_black

ERROR = LivecamError(ErrorKind.UNAVAILABLE, "it is away", "plug it in")


class Watched:
    """A camera's health, and what it told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.told: list[list[str]] = []
        self.health = CameraHealth(self.clock, self._changed)
        self.frames = 0
        self.stream_s = 500.0

    def _changed(self, complaints: tuple[Complaint, ...]) -> None:
        self.told.append([complaint.kind for complaint in complaints])

    @property
    def kinds(self) -> list[str]:
        return [complaint.kind for complaint in self.health.complaints]

    def runs(self, seconds: float, *, fps: float = 30, pace: float = 1.0, wanted: float | None = 30) -> None:
        for _ in range(round(seconds * 2)):
            self.clock.advance(0.5)
            self.stream_s += 0.5 * pace
            self.frames += round(fps / 2)
            self.health.look(PaceMark(self.clock.monotonic(), self.stream_s, self.frames), wanted)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_camera_that_does_as_asked_gives_no_reason_to_complain(watched: Watched) -> None:
    watched.health.began()
    watched.runs(60)
    assert watched.told == []


def test_many_failures_make_one_alarm_that_says_what_to_check(watched: Watched) -> None:
    for _ in range(7):
        watched.health.failed(ERROR)
        watched.clock.advance(10)
    assert watched.told == []
    for _ in range(3):
        watched.health.failed(ERROR)
    assert watched.told == [["restarts"]]
    complaint = watched.health.complaints[0]
    assert complaint.message == "it failed 10 times within 10 minutes, last: it is away"
    assert "power" in complaint.hint
    assert complaint.since_utc_ns == watched.clock.utc_ns()


def test_the_alarm_goes_after_five_calm_minutes(watched: Watched) -> None:
    for _ in range(8):
        watched.health.failed(ERROR)
    watched.health.began()
    watched.runs(200)
    assert watched.kinds == ["restarts"]
    watched.runs(500)
    assert watched.told == [["restarts"], []]


def test_failures_that_are_far_apart_are_no_alarm(watched: Watched) -> None:
    for _ in range(30):
        watched.health.failed(ERROR)
        watched.clock.advance(120)
    assert watched.told == []


def test_too_few_frames_are_told_and_forgiven(watched: Watched) -> None:
    watched.health.began()
    watched.runs(20, fps=8)
    assert watched.health.complaints[0].message == "it sends 8 frames a second instead of 30"
    watched.runs(20, fps=20)
    assert watched.kinds == ["slow"]  # not while it is near the border
    watched.runs(20, fps=30)
    assert watched.kinds == []


def test_a_camera_that_chooses_its_rate_is_measured_by_what_it_did_before(watched: Watched) -> None:
    watched.health.began()
    watched.runs(20, fps=12, wanted=None)
    assert watched.kinds == []
    watched.runs(20, fps=4, wanted=None)
    assert watched.kinds == ["slow"]


def test_growing_latency_is_told(watched: Watched) -> None:
    watched.health.began()
    watched.runs(20, pace=0.8)
    assert watched.kinds == ["late"]
    assert watched.health.complaints[0].message == "its pictures come later and later: 2.0 s in 10 s"
    watched.runs(20)
    assert watched.kinds == []


@pytest.mark.parametrize("pace", [0.995, 1.01, 3.0, -4.0])
def test_a_camera_s_clock_may_be_inexact_or_jump(watched: Watched, pace: float) -> None:
    watched.health.began()
    watched.runs(30, pace=pace)
    assert watched.told == []


def test_a_run_that_ended_says_nothing_of_the_pace(watched: Watched) -> None:
    watched.health.began()
    watched.runs(20, fps=8, pace=0.5)
    assert watched.kinds == ["slow", "late"]
    watched.health.ended()
    assert watched.kinds == []


def test_black_and_frozen_pictures(watched: Watched) -> None:
    watched.health.picture(black=True, frozen_s=90)
    assert watched.kinds == ["black"]  # of course it does not change
    watched.health.picture(black=False, frozen_s=90)
    assert watched.kinds == ["frozen"]
    watched.health.picture(black=False, frozen_s=0)
    assert watched.told == [["black"], [], ["frozen"], []]


def test_what_is_black() -> None:
    assert is_black(bytes([16, 17, 18, 16] * 100))
    assert is_black(bytes([16] * 997 + [235] * 3)), "a camera's own clock in a black picture"
    assert not is_black(bytes([16] * 900 + [60] * 100)), "a lamp in the dark"
    assert not is_black(bytes(range(256)))
    assert not is_black(bytes([90] * 400)), "gray is not black"


def test_the_alarm_about_a_wrong_setting_says_what_to_set(watched: Watched) -> None:
    for _ in range(8):
        watched.health.failed(
            LivecamError(ErrorKind.CONFIG, "the camera has no control warp", "it has: brightness")
        )
    assert watched.health.complaints[0].hint == "it has: brightness"
