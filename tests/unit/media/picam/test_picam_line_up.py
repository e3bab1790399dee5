"""The control loop against sensors that take orders late, round to lines and have a clock of their own."""

import random
from collections import deque

import pytest

from livecam_nvr.media.picam.child.line_up import LineUp


@pytest.mark.parametrize("late_frames", [0, 3, 6])
@pytest.mark.parametrize("ppm", [-100, 100])
@pytest.mark.parametrize("line_us", [1, 60])
@pytest.mark.parametrize("fps", [15, 30])
def test_frames_come_onto_the_grid_and_stay_there(late_frames, ppm, line_us, fps):
    period_us = 1e6 / fps
    dice = random.Random(late_frames * 1000 + ppm + line_us + fps)
    loop = LineUp(period_us)
    orders = deque([period_us] * (late_frames + 1))
    at_us, wanted_us = dice.uniform(1e10, 2e10), period_us
    late = []
    for _ in range(fps * 30):
        wanted_us = loop.frame(round(dice.gauss(at_us, 50))) or wanted_us
        orders.append(wanted_us)
        at_us += round(orders.popleft() / line_us) * line_us * (1 + ppm * 1e-6)
        late.append(abs((at_us + period_us / 2) % period_us - period_us / 2))
    assert max(late[fps * 15 :]) < 2000
    assert loop.phase_us is not None
    assert abs(loop.phase_us) < 2000


def test_no_frame_becomes_much_longer_or_shorter():
    loop = LineUp(33_333.3)
    orders = [loop.frame(15_000 + number * 33_333) for number in range(100)]
    assert all(abs(order - 33_333) <= 1000 for order in orders if order is not None)
    assert any(order is not None and order != 33_333 for order in orders)
