import random

import pytest
from fakes.core_stream import make_fragment, make_init

from livecam_nvr.domain.media import EndCause
from livecam_nvr.media.figures import StreamFigures

INIT = make_init()


class Scene:
    def __init__(self) -> None:
        self.figures = StreamFigures()
        self.now_s = 100.0

    def frames(self, number: int, every_s: float = 0.04, *, size: int = 1000, duration: int = 40) -> None:
        for _ in range(number):
            self.now_s += every_s
            fragment = make_fragment(INIT, data=bytes(size), arrived_s=self.now_s, duration=duration)
            self.figures.on_fragment(fragment)

    def rates(self, later_s: float = 0.0) -> tuple[float, float]:
        return self.figures.rates(self.now_s + later_s)


def test_nothing_came_yet() -> None:
    assert StreamFigures().rates(5.0) == (0.0, 0.0)
    assert StreamFigures().last_arrived_s is None


def test_frames_and_bytes_are_counted() -> None:
    scene = Scene()
    scene.frames(3, size=10)
    scene.figures.on_fragment(make_fragment(INIT, frames=0, data=bytes(5), arrived_s=1.0))
    scene.figures.on_fragment(make_fragment(INIT, frames=4, data=bytes(5), arrived_s=1.0))
    assert (scene.figures.frames, scene.figures.bytes) == (7, 40)


@pytest.mark.parametrize("fps", [1, 15, 25, 30, 60])
def test_fps_and_bitrate_over_the_last_seconds(fps: int) -> None:
    scene = Scene()
    scene.frames(fps * 10, 1 / fps, size=2000)
    for later_s in (0.0, 0.5 / fps, 0.99 / fps):
        found_fps, bps = scene.rates(later_s)
        assert found_fps == pytest.approx(fps, rel=0.02)
        assert bps == pytest.approx(fps * 16_000, rel=0.02)


def test_a_change_shows_within_seconds() -> None:
    scene = Scene()
    scene.frames(300, 1 / 30)
    scene.frames(50, 1 / 10)
    assert scene.rates()[0] == pytest.approx(10, rel=0.02)


def test_too_little_to_tell_is_zero() -> None:
    scene = Scene()
    scene.frames(5)
    assert scene.rates() == (0.0, 0.0)


def test_a_stream_that_stopped_fades_and_is_zero() -> None:
    scene = Scene()
    scene.frames(200)
    assert 0 < scene.rates(2.0)[0] < 20
    assert scene.rates(4.5) == (0.0, 0.0)
    scene.frames(1)
    assert scene.rates()[0] >= 0


def test_the_end_of_a_run_begins_rates_anew_and_keeps_counts() -> None:
    scene = Scene()
    scene.frames(200)
    scene.figures.on_end(EndCause.CAMERA)
    assert scene.rates() == (0.0, 0.0)
    assert scene.figures.frames == 200


def test_frames_missing_from_the_timestamps_are_counted() -> None:
    scene = Scene()
    scene.frames(100)
    scene.frames(1, duration=40 * 4)
    scene.frames(50)
    scene.frames(1, duration=40 * 2)
    assert scene.figures.missing_frames == 4


def test_timestamps_that_jitter_are_no_missing_frames() -> None:
    scene, chance = Scene(), random.Random(1)
    for _ in range(2000):
        scene.frames(1, duration=chance.randrange(21, 60))
    assert scene.figures.missing_frames == 0


def test_one_odd_timestamp_at_the_beginning_spoils_nothing() -> None:
    scene = Scene()
    scene.frames(1, duration=1)
    scene.frames(500)
    assert scene.figures.missing_frames == 0


def test_a_lower_rate_at_night_is_soon_no_longer_missing_frames() -> None:
    scene = Scene()
    scene.frames(500, duration=40)
    scene.frames(100, duration=80)
    soon = scene.figures.missing_frames
    assert soon < 50
    scene.frames(10_000, duration=80)
    assert scene.figures.missing_frames == soon


def test_the_gap_between_two_runs_is_no_missing_frame() -> None:
    scene = Scene()
    scene.frames(100, duration=40)
    scene.figures.on_end(EndCause.ENCODER)
    scene.frames(100, duration=400)
    assert scene.figures.missing_frames == 0


def test_fragments_without_a_duration_are_passed_over() -> None:
    scene = Scene()
    scene.frames(100, duration=0)
    assert scene.figures.missing_frames == 0
