"""Which figures are worth a message."""

from dataclasses import replace

import pytest
from fakes.runtime_clock import FakeClock

from livecam_nvr.domain.status import CameraState, CameraStatus, ProcessStatus
from livecam_nvr.mqtt.tell.pace import Pace

CAMERA = CameraStatus(
    "cam0", "Cam", "test", CameraState.LIVE, width=640, height=360, fps=30.0, bitrate_bps=2e6, dropped_frames=1
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({}, False),
        ({"fps": 31.4}, False),  # less than 5 %
        ({"fps": 28.5}, True),
        ({"bitrate_bps": 2.2e6}, False),
        ({"bitrate_bps": 2.21e6}, True),
        ({"bitrate_bps": 0.0}, True),
        ({"dropped_frames": 2}, True),
    ],
)
def test_stats_are_told_every_half_minute_if_they_differ_enough(
    clock: FakeClock, now: dict[str, float], told: bool
) -> None:
    pace = Pace(clock)
    assert pace.stats_due(CAMERA)
    changed = replace(CAMERA, **now)  # type: ignore[arg-type]
    clock.now_s += 29.9
    assert not pace.stats_due(changed)
    clock.now_s += 0.1
    assert pace.stats_due(changed) is told
    assert not pace.stats_due(changed)


def test_a_slow_camera_counts_half_frames(clock: FakeClock) -> None:
    pace = Pace(clock)
    assert pace.stats_due(replace(CAMERA, fps=2.0))
    clock.now_s += 30
    assert not pace.stats_due(replace(CAMERA, fps=2.4))
    assert pace.stats_due(replace(CAMERA, fps=2.5))


def test_another_size_is_told_at_once_and_other_cameras_are_apart(clock: FakeClock) -> None:
    pace = Pace(clock)
    assert pace.stats_due(CAMERA)
    assert pace.stats_due(replace(CAMERA, width=1280))
    assert pace.stats_due(replace(CAMERA, id="cam1"))
    pace.forget("cam0")
    assert pace.stats_due(replace(CAMERA, width=1280))


def test_small_steps_do_not_add_up_unnoticed(clock: FakeClock) -> None:
    pace = Pace(clock)
    assert pace.stats_due(CAMERA)
    clock.now_s += 599
    assert not pace.stats_due(replace(CAMERA, fps=30.2))
    clock.now_s += 1
    assert pace.stats_due(replace(CAMERA, fps=30.2))


def test_figures_are_told_first_at_once_then_seldom_and_only_if_they_differ(clock: FakeClock) -> None:
    pace = Pace(clock)
    assert pace.due({"a": b"1", "b": b"1"}, 60) == {"a": b"1", "b": b"1"}
    assert pace.due({"a": b"2", "c": b"1"}, 60) == {"c": b"1"}
    clock.now_s += 60
    assert pace.due({"a": b"2", "b": b"1"}, 60) == {"a": b"2"}
    assert pace.due({"a": b"3", "b": b"2"}, 60) == {"b": b"2"}
    pace.all_due()
    assert pace.due({"a": b"3", "b": b"2"}, 60) == {"a": b"3", "b": b"2"}


def test_what_the_service_costs_is_told_when_it_is_known_and_then_if_it_differs_enough(clock: FakeClock) -> None:
    pace = Pace(clock)
    assert pace.cost_due(ProcessStatus())
    assert not pace.cost_due(ProcessStatus(10.0, None))
    assert pace.cost_due(ProcessStatus(10.0, 100_000_000))
    clock.now_s += 59
    assert not pace.cost_due(ProcessStatus(90.0, 200_000_000))
    clock.now_s += 1
    assert not pace.cost_due(ProcessStatus(12.9, 109_000_000))
    assert not pace.cost_due(ProcessStatus())
    assert pace.cost_due(ProcessStatus(13.0, 100_000_000))
    clock.now_s += 60
    assert pace.cost_due(ProcessStatus(13.0, 111_000_000))
    clock.now_s += 600
    assert pace.cost_due(ProcessStatus(13.0, 111_000_001))
