"""Boxes that cover polygons."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecam_nvr.media.masks import Box, Point, boxes_of

SHARES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1).map(lambda share: round(share, 6)))
POLYGONS = st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=8)
GRID = [n / 24 for n in range(25)]


def winds(polygon: Sequence[Point], x: float, y: float) -> int:
    """How often a polygon runs around a point."""
    turns = 0
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        if y1 <= y < y2 and side > 0:
            turns += 1
        elif y2 <= y < y1 and side < 0:
            turns -= 1
    return turns


def distance(polygon: Sequence[Point], x: float, y: float) -> float:
    """From a point to the nearest side."""
    nearest = math.inf
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        dx, dy = x2 - x1, y2 - y1
        length = dx * dx + dy * dy
        at = max(0.0, min(1.0, ((x - x1) * dx + (y - y1) * dy) / length)) if length else 0.0
        nearest = min(nearest, math.hypot(x - x1 - at * dx, y - y1 - at * dy))
    return nearest


def covered(boxes: Sequence[Box], x: float, y: float) -> bool:
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


@settings(deadline=None)
@given(POLYGONS)
def test_every_point_within_is_covered_and_none_far_from_it(polygon: list[Point]) -> None:
    boxes = boxes_of(polygon)
    for x in GRID:
        for y in GRID:
            if winds(polygon, x, y) and distance(polygon, x, y) > 1e-9:  # not on the border by rounding
                assert covered(boxes, x, y)
            elif distance(polygon, x, y) > 0.015:
                assert not covered(boxes, x, y)
    assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in boxes)


@settings(deadline=None)
@given(POLYGONS)
def test_corners_are_covered_too(polygon: list[Point]) -> None:
    boxes = boxes_of(polygon)
    inner = [(x, y) for x in GRID for y in GRID if winds(polygon, x, y) and distance(polygon, x, y) > 0.02]
    for x, y in polygon if inner else []:
        near = [(x + dx, y + dy) for dx in (-1e-4, 0, 1e-4) for dy in (-1e-4, 0, 1e-4)]
        assert all(covered(boxes, *p) for p in near if winds(polygon, *p) and distance(polygon, *p) > 1e-9)


def test_an_upright_rectangle_is_one_box() -> None:
    assert boxes_of([(0, 0.2), (0.3, 0.2), (0.3, 0.5), (0, 0.5)]) == ((0, 0.2, 0.3, 0.5),)


def test_rectangles_on_top_of_each_other_are_no_more_boxes_than_needed() -> None:
    steps = [(0.1, 0.1), (0.5, 0.1), (0.5, 0.3), (0.8, 0.3), (0.8, 0.9), (0.1, 0.9)]
    assert boxes_of(steps) == ((0.1, 0.1, 0.5, 0.3), (0.1, 0.3, 0.8, 0.9))


def test_the_inner_court_of_a_horseshoe_stays_visible() -> None:
    horseshoe = [(0, 0), (1, 0), (1, 1), (0.7, 1), (0.7, 0.3), (0.3, 0.3), (0.3, 1), (0, 1)]
    boxes = boxes_of(horseshoe)
    assert boxes == ((0, 0, 1, 0.3), (0, 0.3, 0.3, 1), (0.7, 0.3, 1, 1))
    assert not covered(boxes, 0.5, 0.6)


def test_the_middle_of_a_star_is_covered() -> None:
    star = [(0.5, 0), (0.8, 0.95), (0, 0.35), (1, 0.35), (0.2, 0.95)]
    assert covered(boxes_of(star), 0.5, 0.5)


def test_the_way_around_does_not_matter() -> None:
    triangle = [(0.1, 0.1), (0.9, 0.2), (0.5, 0.9)]
    assert boxes_of(triangle) == boxes_of(triangle[::-1])


def test_a_line_has_no_boxes() -> None:
    assert boxes_of([(0.1, 0.1), (0.9, 0.9), (0.5, 0.5)]) == ()
    assert boxes_of([(0.1, 0.5), (0.9, 0.5), (0.5, 0.5)]) == ()


@pytest.mark.parametrize(
    ("polygon", "most"), [([(0, 0), (0.3, 0), (0.3, 0.2)], 20), ([(0, 0), (1, 0), (1, 1)], 100)]
)
def test_slanted_sides_cost_few_boxes(polygon: list[Point], most: int) -> None:
    assert len(boxes_of(polygon)) <= most
