"""Turns the polygons of privacy masks into upright boxes that cover them whole. Pure.

ffmpeg draws boxes cheaply in pictures whose size is not known beforehand, and no polygons. A polygon is cut into
horizontal bands at its corners and wherever two of its sides cross; in between, its sides are straight and stand
side by side, and slanted ones are followed in steps. What is between two sides is covered as far as either reaches
anywhere in the band: boxes may stick out by a step, never in.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of the picture."""

_STEP = 0.01  # by how much, of the picture, a box may stick out of the polygon
_DIGITS = 6  # of a share that count: far less than a pixel
_GRAIN = 1e6
_NOTHING = 1e-9  # what is narrower comes from rounding


def boxes_of(polygon: Sequence[Point]) -> tuple[Box, ...]:
    """Boxes that together cover every point within `polygon` or on its border.

    Parts that the polygon runs around twice, as a star's middle, count as within. One without area has no boxes.
    """
    points = [(round(x, _DIGITS), round(y, _DIGITS)) for x, y in polygon]
    sides = [_Side(a, b) for a, b in zip(points, (*points[1:], points[0]), strict=True) if a[1] != b[1]]
    open_boxes: dict[tuple[float, float], float] = {}
    done: list[Box] = []
    for top, bottom in _bands(sides):
        spans = _spans(sides, top, bottom)
        # A box that goes on as it was becomes taller instead of a next one.
        ended = [span for span in open_boxes if span not in spans]
        done += [(span[0], open_boxes.pop(span), span[1], _up(top)) for span in ended]
        for span in spans:
            open_boxes.setdefault(span, _down(top))
    lowest = max((side.bottom for side in sides), default=0.0)
    done += [(left, top, right, _up(lowest)) for (left, right), top in open_boxes.items()]
    return tuple(sorted(done, key=lambda box: (box[1], box[0])))


class _Side:
    """One side that is not level, from its upper to its lower end."""

    def __init__(self, a: Point, b: Point) -> None:
        self.turn = 1 if a[1] < b[1] else -1
        (self.left, self.top), (self.right, self.bottom) = sorted((a, b), key=lambda point: point[1])
        self.slope = (self.right - self.left) / (self.bottom - self.top)

    def at(self, y: float) -> float:
        """Where it is at a height; at its ends exactly there."""
        if y >= self.bottom:
            return self.right
        return self.left if y <= self.top else self.left + (y - self.top) * self.slope

    def passes(self, y: float) -> bool:
        """Whether it reaches over that height."""
        return self.top < y < self.bottom

    def steps(self, top: float, bottom: float) -> int:
        """How often the part between two heights has to be cut so that no piece sticks out too far."""
        return math.ceil(min(abs(self.at(bottom) - self.at(top)), bottom - top) / _STEP)


def _bands(sides: Sequence[_Side]) -> Iterator[tuple[float, float]]:
    """The bands, from top to bottom."""
    heights = {y for side in sides for y in (side.top, side.bottom)}
    for at, side in enumerate(sides):
        heights.update(y for other in sides[at + 1 :] if (y := _crossing(side, other)) is not None)
    ordered = sorted(heights)
    for top, bottom in pairwise(ordered):
        if bottom - top <= _NOTHING:
            continue
        crossing = [side for side in sides if side.passes((top + bottom) / 2)]
        count = max((side.steps(top, bottom) for side in crossing), default=0) or 1
        for step in range(count):
            height = bottom - top
            yield top + height * step / count, bottom if step + 1 == count else top + height * (step + 1) / count


def _crossing(one: _Side, other: _Side) -> float | None:
    """The height at which two sides cross, if they do."""
    if one.slope == other.slope:
        return None
    y = (other.left - other.top * other.slope - one.left + one.top * one.slope) / (one.slope - other.slope)
    return y if one.passes(y) and other.passes(y) else None


def _spans(sides: Sequence[_Side], top: float, bottom: float) -> list[tuple[float, float]]:
    """From where to where the polygon reaches in a band, in which no side begins, ends or crosses another."""
    middle = (top + bottom) / 2
    crossing = sorted((side for side in sides if side.passes(middle)), key=lambda side: side.at(middle))
    spans: list[tuple[float, float]] = []
    turns, left = 0, None
    for side in crossing:
        left = left or side
        turns += side.turn
        if turns == 0:
            if max(side.at(top) - left.at(top), side.at(bottom) - left.at(bottom)) > _NOTHING:
                outermost = min(left.at(top), left.at(bottom)), max(side.at(top), side.at(bottom))
                spans.append((_down(outermost[0]), _up(outermost[1])))
            left = None
    return _merged(spans)


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans from left to right, with those that touch made one."""
    result: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if result and left <= result[-1][1]:
            result[-1] = (result[-1][0], max(right, result[-1][1]))
        else:
            result.append((left, right))
    return result


def _down(share: float) -> float:
    return math.floor(round(share * _GRAIN, 3)) / _GRAIN


def _up(share: float) -> float:
    return math.ceil(round(share * _GRAIN, 3)) / _GRAIN
