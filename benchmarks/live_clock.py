"""Stands in front of ffmpeg: test pictures then show the wall clock's milliseconds where their number would be."""

import os
import re
import sys

_BIT = re.compile(r"bitand\(n(\\*,)(\d+)\)")
_MODULO = 1 << 24


def with_clock(argument: str) -> str:
    """An ffmpeg argument with each square of the frame's number made one of the clock, in a Gray code."""

    def square(found: re.Match[str]) -> str:
        comma, bit = found[1], int(found[2])
        ms = f"mod(time(0)*1000{comma}{_MODULO})"
        return f"mod(floor({ms}/{bit})+floor({ms}/{2 * bit}){comma}2)"

    return _BIT.sub(square, argument)


if __name__ == "__main__":
    real, *arguments = sys.argv[1:]
    os.execv(real, ["ffmpeg", *map(with_clock, arguments)])  # noqa: S606
