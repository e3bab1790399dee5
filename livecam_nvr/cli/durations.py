"""Reads durations as people write them: `90s`, `30m`, `1h30m`, `7d`."""

import re

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_SHAPE = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_SECONDS = (86_400, 3_600, 60, 1)


def parse_duration(text: str) -> float:
    """Seconds, more than zero; days, hours, minutes and seconds in this order, each at most once.

    Raises:
        LivecamError: INVALID, with an example.
    """
    word = text.strip().lower()
    hint = "write it like 90s, 30m, 1h30m or 7d"
    if word.isascii() and word.isdecimal():
        raise LivecamError(ErrorKind.INVALID, f'"{text}" has no unit', f"{word}s, {word}m or {word}h?")
    found = _SHAPE.fullmatch(word)
    if not word or found is None:
        raise LivecamError(ErrorKind.INVALID, f'"{text}" is not a duration', hint)
    seconds = sum(int(number or 0) * unit for number, unit in zip(found.groups(), _SECONDS, strict=True))
    if seconds == 0:
        raise LivecamError(ErrorKind.INVALID, f'"{text}" is no time at all', hint)
    return float(seconds)
