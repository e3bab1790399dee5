"""Areas of a picture that are blacked out, as the config has them."""

from typing import Annotated

from pydantic import AfterValidator, Field

_NO_AREA = 1e-6


def _with_area(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Refuses points that lie on one line: such a mask would hide nothing, and nobody would know."""
    (x0, y0), *others = points
    sides = [(x - x0, y - y0) for x, y in others]
    if all(abs(ax * by - ay * bx) < _NO_AREA for ax, ay in sides for bx, by in sides):
        raise ValueError("a mask whose points lie on one line hides nothing")
    return points


# Part of the picture's width or height, from its upper left corner.
Share = Annotated[float, Field(ge=0, le=1)]
Polygon = Annotated[
    tuple[tuple[Share, Share], ...], Field(min_length=3, max_length=64), AfterValidator(_with_area)
]
