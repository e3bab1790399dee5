"""Byte ranges of a file (RFC 9110, section 14). Pure."""

import re

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_SPEC = re.compile(r"(?P<first>\d{0,18})-(?P<last>\d{0,18})", re.ASCII)
_OWS = " \t"


class UnsatisfiableError(LivecamError):
    """The range cannot be served: 416."""

    def __init__(self, message: str, size: int) -> None:
        super().__init__(ErrorKind.INVALID, message, f"the file has {size} bytes; a range is like bytes=0-499")
        self.size = size


def parse_range(header: str | None, size: int) -> range | None:
    """The bytes to send; None for the whole file.

    The whole file is sent without a header, for a unit other than bytes (which has to be ignored) and for several
    ranges (which may be).

    Raises:
        UnsatisfiableError: It is malformed, reversed, or begins behind the end.
    """
    if header is None:
        return None
    unit, equals, specs = header.strip(_OWS).partition("=")
    if equals and unit.lower() != "bytes":
        return None
    found = [_one(spec.strip(_OWS), size) for spec in specs.split(",") if spec.strip(_OWS)]
    if not equals or not found:
        raise UnsatisfiableError(f"{header[:80]!r} is not a range", size)
    satisfiable = [one for one in found if one]
    if not satisfiable:
        raise UnsatisfiableError(f"{header[:80]!r} is behind the end", size)
    return satisfiable[0] if len(found) == 1 else None


def _one(spec: str, size: int) -> range:
    """One range, cut at the end of the file; empty if it cannot be satisfied."""
    match = _SPEC.fullmatch(spec)
    if match is None or spec == "-":
        raise UnsatisfiableError(f"{spec[:80]!r} is not a range", size)
    first, last = match["first"], match["last"]
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        raise UnsatisfiableError(f"{spec!r} ends before it begins", size)
    return range(int(first), min(int(last) + 1, size) if last else size)
