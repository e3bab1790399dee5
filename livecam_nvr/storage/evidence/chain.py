"""A day's manifest: lines that each commit to all lines before them, and to the day before; pure.

A manifest is text: one JSON object a line. Each has `chain`, the SHA-256 (hex) of the line before it, without the
line's end; a day's first line has that of the last line of the day before. So the last hash proves all the lines
before it, and a line that was changed, put in, left out or moved breaks the chain.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BEGINNING = "0" * 64
"""What the very first line of all commits to."""
MOST_LINE_BYTES = 8192


class ChainError(ValueError):
    """The lines are not what was written."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that has been read."""

    raw: bytes
    """Without the line's end."""
    values: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """What the next line commits to."""
        return line_hash(self.raw)


def line_hash(raw: bytes) -> str:
    """SHA-256 of a line without its end, hex."""
    return hashlib.sha256(raw).hexdigest()


def make_line(values: Mapping[str, Any], before: str) -> bytes:
    """The line that follows the one whose hash is `before`; without the line's end."""
    return json.dumps({"chain": before, **values}, separators=(",", ":"), ensure_ascii=True).encode()


def read_line(raw: bytes) -> Line:
    """Reads one line.

    Raises:
        ChainError: It is none.
    """
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        raise ChainError("a line is not what was written") from None
    if not isinstance(values, dict) or not isinstance(values.get("chain"), str):
        raise ChainError("a line is not what was written")
    return Line(raw, values)


def split(data: bytes) -> Iterator[bytes]:
    """The whole lines of a manifest; a torn last one, left by a power cut, is left out."""
    whole, _, _ = data.rpartition(b"\n")
    if whole:
        yield from whole.split(b"\n")


def check(lines: Iterable[bytes], before: str | None) -> Iterator[Line]:
    """The lines, each proven to follow the one before.

    Args:
        lines: Without their ends.
        before: What the first one has to commit to; None if that is not known.

    Raises:
        ChainError: One does not.
    """
    for number, raw in enumerate(lines, 1):
        line = read_line(raw)
        if before is not None and line.values["chain"] != before:
            raise ChainError(f"line {number} does not follow the one before it: something was changed or left out")
        before = line.hash
        yield line
