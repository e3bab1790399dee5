"""Reads a request's query."""

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError


def whole_number(request: web.Request, name: str, allowed: range) -> int | None:
    """The number `?name=`; None if it is not given.

    Raises:
        LivecamError: INVALID if it is not a number within `allowed`.
    """
    text = request.query.get(name)
    if text is None:
        return None
    # isdecimal alone would let other scripts' digits through.
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) in allowed:  # noqa: PLR2004
        return int(text)
    raise LivecamError(
        ErrorKind.INVALID,
        f"{name}={text[:40]!r} is not right",
        f"a whole number from {allowed.start} to {allowed.stop - 1} is needed",
    )
