import random
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.media.timestamps import Timeline

SCALE = 90_000
FPS = 15
FRAME = SCALE // FPS


def as_ffmpeg_does(stamps: Iterable[int]) -> list[tuple[int, int]]:
    """What ffmpeg makes of RTP timestamps: times that never run back, and durations until the next one."""
    times: list[int] = []
    for stamp in stamps:
        times.append(max(stamp, times[-1] + 1) if times else stamp)
    return [(begin, end - begin) for begin, end in pairwise(times)]


def placed(
    stamps: Iterable[int],
    arrives_s: Callable[[int], float] = lambda n: n / FPS,
) -> list[tuple[int, int]]:
    """What becomes of a camera's frames, one after the other."""
    line = Timeline(SCALE)
    out = [line.place(*claim, arrives_s(n)) for n, claim in enumerate(as_ffmpeg_does(stamps))]
    for (begin, lasted), (following, _) in pairwise(out):
        assert following == begin + lasted
    return out


def length_s(out: list[tuple[int, int]]) -> float:
    return (sum(out[-1]) - out[0][0]) / SCALE


def good(frames: int) -> list[int]:
    return [n * FRAME for n in range(frames + 1)]


def test_what_can_be_true_is_left_alone() -> None:
    chance = random.Random(1)
    stamps = [n * FRAME + chance.randrange(-2000, 2000) for n in range(1000)]
    assert placed(stamps, lambda n: n / FPS + chance.random()) == as_ffmpeg_does(stamps)


@pytest.mark.parametrize("fps", [0.2, 1, 30, 120])
def test_slow_and_fast_cameras_are_left_alone(fps: float) -> None:
    stamps = [round(n / fps * SCALE) for n in range(200)]
    assert placed(stamps, lambda n: n / fps) == as_ffmpeg_does(stamps)


def test_a_burst_at_the_beginning_is_left_alone() -> None:
    stamps = good(1000)
    assert placed(stamps, lambda n: max(0.0, (n - 120) / FPS)) == as_ffmpeg_does(stamps)


def test_a_pause_of_the_network_is_left_alone() -> None:
    stamps = good(1000)
    assert placed(stamps, lambda n: max(n / FPS, 28.0) if n > 300 else n / FPS) == as_ffmpeg_does(stamps)


def test_a_clock_one_percent_off_is_the_cameras_own() -> None:
    stamps = [round(n * FRAME * 1.01) for n in range(FPS * 3600)]
    assert placed(stamps) == as_ffmpeg_does(stamps)


@pytest.mark.parametrize("stamp", [0, 4711])
def test_timestamps_that_stand_still_are_replaced_by_the_arrivals(stamp: int) -> None:
    out = placed([stamp] * 901)
    assert length_s(out) == pytest.approx(60, abs=0.2)
    assert all(0.8 * FRAME < lasted < 1.2 * FRAME for _, lasted in out[60:])


def test_only_the_first_frame_of_ffmpegs_parser_is_short() -> None:
    stamps = [0, 1, *good(900)[1:]]
    out = placed(stamps, lambda n: max(0.0, (n - 10) / FPS))
    assert [lasted for _, lasted in out[:3]] == [SCALE // 1000, FRAME - 1, FRAME]
    assert length_s(out) == pytest.approx(60, abs=0.01)


def test_the_arrivals_jitter_is_smoothed() -> None:
    chance = random.Random(1)
    late_s = [chance.random() * 0.04 for _ in range(901)]
    out = placed([0] * 901, lambda n: n / FPS + late_s[n])
    assert length_s(out) == pytest.approx(60, abs=0.2)
    assert all(0.7 * FRAME < lasted < 1.3 * FRAME for _, lasted in out[60:])


def test_a_pause_of_a_camera_without_timestamps_lasts_as_long_as_it_did() -> None:
    out = placed([0] * 601, lambda n: n / FPS + (4 if n > 300 else 0))
    assert length_s(out) == pytest.approx(44, abs=0.2)
    assert max(lasted for _, lasted in out) == pytest.approx(4 * SCALE, rel=0.05)


@pytest.mark.parametrize("leap_s", [11, 3600, 40_000, -0.6, -2, -60, -40_000])
def test_a_leap_of_the_cameras_clock_is_no_time(leap_s: float) -> None:
    stamps = [stamp + (round(leap_s * SCALE) if stamp > 300 * FRAME else 0) for stamp in good(900)]
    out = placed(stamps)
    assert length_s(out) == pytest.approx(60, abs=0.1)
    assert all(0.5 * FRAME < lasted < 1.5 * FRAME for _, lasted in out)


def test_a_leap_between_two_samples_is_no_time() -> None:
    line = Timeline(SCALE)
    out = [line.place(n * FRAME + 3600 * SCALE * (n > 50), FRAME, n / FPS) for n in range(100)]
    assert out == [(n * FRAME, FRAME) for n in range(100)]


def test_a_clock_that_leaps_to_and_fro() -> None:
    stamps = [stamp + 3600 * SCALE * (stamp // (30 * FRAME) % 2) for stamp in good(900)]
    out = placed(stamps)
    assert length_s(out) == pytest.approx(60, abs=0.5)
    assert all(0.5 * FRAME < lasted < 1.5 * FRAME for _, lasted in out[31:])


def test_a_stray_timestamp_costs_nothing() -> None:
    stamps = good(900)
    for stray in (100, 400):
        stamps[stray] = stamps[stray - 1] - 500
    out = placed(stamps)
    assert length_s(out) == pytest.approx(60, abs=1e-3)
    assert all(0.9 * FRAME < lasted < 1.1 * FRAME for _, lasted in out)


def test_frames_in_pairs_of_one_timestamp_keep_the_cameras_time() -> None:
    stamps = [n // 2 * 2 * FRAME for n in range(901)]
    assert length_s(placed(stamps)) == pytest.approx(60, abs=3)


@pytest.mark.parametrize("rate", [1000, 8000, 48_000, 60_000, 140_000, 1_000_000])
def test_a_wrong_rate_is_soon_replaced_by_the_arrivals(rate: int) -> None:
    stamps = [n * rate // FPS for n in range(3601)]
    out = placed(stamps)
    late = out[2400:]
    assert length_s(late) == pytest.approx(80, abs=0.5)
    assert all(0.8 * FRAME < lasted < 1.2 * FRAME for _, lasted in late)


@pytest.mark.parametrize("seed", range(5))
def test_any_numbers_at_all(seed: int) -> None:
    chance = random.Random(seed)
    out = placed([chance.randrange(1 << 32) for _ in range(1801)])
    assert length_s(out) == pytest.approx(120, abs=15)


@given(st.lists(st.tuples(st.integers(0, 1 << 33), st.floats(0, 30)), min_size=2, max_size=200))
def test_no_sample_is_shorter_than_a_tick_and_none_overlap(claims: list[tuple[int, float]]) -> None:
    arrivals_s = []
    now_s = 0.0
    for _, pause_s in claims:
        now_s += pause_s
        arrivals_s.append(now_s)
    for _, lasted in placed([stamp for stamp, _ in claims], lambda n: arrivals_s[n]):
        assert lasted >= 1
