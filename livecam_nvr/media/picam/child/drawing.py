"""Blacks out areas of a frame and burns in name and clock, in place, before the encoder sees it.

Everything that can be is worked out once: a frame costs two bitwise operations a masked rectangle and one copy of
the text. In colour planes neutral is 128, and video's black is 16 (ITU-R BT.709, 3.4).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found,unused-ignore] # picamera2 needs it
from PIL import Image, ImageDraw, ImageFont  # type: ignore[import-not-found,unused-ignore] # picamera2 needs it

_BLACK, _WHITE, _NEUTRAL = 16, 235, 128
_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf")
_OPAQUE = 255
_NV12_LIKE = ("NV12", "NV21")
FORMATS = ("YUV420", "YVU420", *_NV12_LIKE)
"""The formats, by libcamera's names, that can be drawn into."""


class Painter:
    """Draws into the frames of one configuration of a camera."""

    def __init__(
        self, size: tuple[int, int], pixels: str, masks: list[list[tuple[float, float]]], title: str | None
    ) -> None:
        """Plans it.

        Args:
            size: Of the picture.
            pixels: Its format, one of `FORMATS`.
            masks: Polygons to black out; points as parts of the picture's width and height.
            title: Burnt in with the clock; None: neither is.
        """
        self._size = size
        self._interleaved = pixels in _NV12_LIKE
        self._title = title
        self._text: Any = None
        self._second = -1
        self._areas = [area for polygon in masks for area in self._areas_of(polygon)]

    def paint(self, array: Any) -> None:
        """Draws into a frame: the planes below each other, as picamera2's MappedArray has them."""
        planes = self._planes(array)
        for number, rows, columns, keep, fill in self._areas:
            part = planes[number][rows, columns]
            np.bitwise_and(part, keep, out=part)
            np.bitwise_or(part, fill, out=part)
        if self._title is not None:
            self._write(planes)

    def _planes(self, array: Any) -> list[Any]:
        """Luma, then colour: one plane with both in turn, or one each."""
        width, height = self._size
        below = array[height:]
        if self._interleaved:
            return [array[:height, :width], below[:, :width]]
        # Two lines of a colour plane, which has half the stride, stand in one line of the array.
        flat = below.reshape(-1, array.shape[1] // 2)
        lines = height // 2
        return [array[:height, :width], flat[:lines, : width // 2], flat[lines : 2 * lines, : width // 2]]

    def _areas_of(self, polygon: list[tuple[float, float]]) -> list[Any]:
        """For each plane: its number, the rectangle around the polygon, what to keep there and what to add."""
        width, height = self._size
        image = Image.new("L", self._size)
        points = [(x * width, y * height) for x, y in polygon]
        # Its border, too, which no middle of a point may be within.
        ImageDraw.Draw(image).polygon(points, fill=_OPAQUE, outline=_OPAQUE)
        inside = np.asarray(image) | np.where(_turns(points, self._size) != 0, _OPAQUE, 0).astype(np.uint8)
        inside = inside[: height & ~1, : width & ~1]
        # Colours are shared by four points: all of them are black if one is.
        blocks = inside.reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3))
        rows, columns = np.flatnonzero(blocks.any(axis=1)), np.flatnonzero(blocks.any(axis=0))
        if not len(rows):
            return []
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        coarse = blocks[top:bottom, left:right]
        luma = (0, slice(2 * top, 2 * bottom), slice(2 * left, 2 * right))
        areas = [(*luma, *_keep_and_add(coarse.repeat(2, axis=0).repeat(2, axis=1), _BLACK))]
        if self._interleaved:
            pairs = (1, slice(top, bottom), slice(2 * left, 2 * right))
            areas.append((*pairs, *_keep_and_add(coarse.repeat(2, axis=1), _NEUTRAL)))
        else:
            one = (slice(top, bottom), slice(left, right), *_keep_and_add(coarse, _NEUTRAL))
            areas += [(1, *one), (2, *one)]
        return areas

    def _write(self, planes: list[Any]) -> None:
        second = int(time.time())
        if second != self._second:
            self._second = second
            clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._text = self._drawn(f"{self._title}  {clock}")
        height, width = self._text.shape
        planes[0][:height, :width] = self._text
        for plane in planes[1:]:
            plane[: height // 2, : width if self._interleaved else width // 2] = _NEUTRAL

    def _drawn(self, text: str) -> Any:
        """White on black, of an even size that fits into the picture."""
        points = max(12, self._size[1] // 18)
        font = ImageFont.truetype(str(_FONT), points) if _FONT.exists() else ImageFont.load_default()
        left, top, right, bottom = font.getbbox(text)
        pad = points // 2
        width = min(self._size[0], int(right - left) + 2 * pad) & ~1
        height = min(self._size[1], int(bottom - top) + 2 * pad) & ~1
        image = Image.new("L", (width, height), _BLACK)
        ImageDraw.Draw(image).text((pad - left, pad - top), text, fill=_WHITE, font=font)
        return np.asarray(image)


def _turns(points: list[tuple[float, float]], size: tuple[int, int]) -> Any:
    """How often the polygon runs around the middle of each point: Pillow leaves out what it runs around twice."""
    width, height = size
    turns = np.zeros((height, width), np.int8)
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        first, last = np.searchsorted(rows, sorted((y0, y1)))
        if first < last:
            crossing = x0 + (rows[first:last] - y0) * (x1 - x0) / (y1 - y0)
            turns[first:last] += (columns < crossing[:, None]).astype(np.int8) * (1 if y0 < y1 else -1)
    return turns


def _keep_and_add(mask: Any, value: int) -> tuple[Any, Any]:
    return ~mask, mask & value
