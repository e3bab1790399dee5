"""Tables for people, in plain text."""

import unicodedata
from collections.abc import Iterable, Sequence

_WIDE = ("W", "F")
_NO_WIDTH = ("Mn", "Me", "Cf")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines whose columns are as wide on a terminal as what stands in them."""
    lines = [head, *rows]
    widths = [max(_width(cell) for cell in column) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _width(text: str) -> int:
    """How many places it takes: two for a letter of East Asia (UAX 11), none for what is put on another."""
    return sum(
        0
        if unicodedata.category(character) in _NO_WIDTH
        else 1 + (unicodedata.east_asian_width(character) in _WIDE)
        for character in text
    )
