"""Reads a request's query."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock

_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_BLANK_OFFSET = re.compile(r" \d{2}:?\d{2}\Z", re.ASCII)


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


def moment(request: web.Request, name: str) -> int | None:
    """The moment `?name=`, UTC in nanoseconds; None if it is not given.

    Taken are ISO 8601 with an offset or `Z` (a `+` that arrives as a space is meant) and Unix seconds.

    Raises:
        LivecamError: INVALID if it is neither.
    """
    text = request.query.get(name)
    return None if text is None else moment_of(name, text)


def moment_of(name: str, text: str) -> int:
    """The moment that `text` means, which was given as `name`; see `moment`.

    Raises:
        LivecamError: INVALID if it is none.
    """
    if _SECONDS.fullmatch(text):
        return _within_reach(name, text, int(Decimal(text) * NS))
    try:
        found = datetime.fromisoformat(_BLANK_OFFSET.sub(lambda blank: f"+{blank[0][1:]}", text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise LivecamError(
            ErrorKind.INVALID,
            f"{name}={text[:40]!r} is no moment",
            "Unix seconds, or ISO 8601 with an offset, such as 2026-11-21T09:30:00Z or 2026-11-21T10:30:00+01:00",
        )
    since = found - _EPOCH
    return _within_reach(name, text, (since.days * 86_400 + since.seconds) * NS + since.microseconds * 1000)


def moment_in(body: Mapping[str, Any], key: str, wanted: str) -> int:
    """The moment under `key` of a JSON body: text as in a query, or a number of Unix seconds.

    Raises:
        LivecamError: INVALID if it is missing, or none.
    """
    value = body.get(key)
    # JSON's `true` is no number, although Python's is.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise LivecamError(ErrorKind.INVALID, f"`{key}` is missing, or no moment", wanted)
    return moment_of(key, value if isinstance(value, str) else f"{value:f}" if value % 1 else f"{value:.0f}")


def _within_reach(name: str, text: str, utc_ns: int) -> int:
    # The index holds 64-bit nanoseconds.
    if 0 <= utc_ns < 1 << 63:
        return utc_ns
    raise LivecamError(
        ErrorKind.INVALID, f"{name}={text[:40]!r} is no moment", "moments from 1970 to 2261 can be asked for"
    )


def time_range(request: web.Request, clock: Clock, *, usual_s: float, most_s: float) -> tuple[int, int]:
    """The range `?from=&to=`, UTC in nanoseconds; `to` is now if it is not given, `from` is `usual_s` before it.

    A `to` that lies ahead is taken for now: what is to come has not been recorded yet.

    Raises:
        LivecamError: INVALID if it is reversed or empty, longer than `most_s`, or lies ahead as a whole.
    """
    now = clock.utc_ns()
    asked_end = moment(request, "to")
    end = now if asked_end is None else min(asked_end, now)
    asked_begin = moment(request, "from")
    begin = end - round(usual_s * NS) if asked_begin is None else asked_begin
    if asked_end is not None and begin >= asked_end:
        raise LivecamError(
            ErrorKind.INVALID, "`from` does not lie before `to`", "give the earlier moment as `from`"
        )
    if begin >= end:
        raise LivecamError(ErrorKind.INVALID, "the range lies in the future", "only the past has been recorded")
    if end - begin > round(most_s * NS):
        raise LivecamError(
            ErrorKind.INVALID,
            "the range is too long",
            f"at most {most_s / 86_400:g} days can be asked for at once"
            if most_s > _DAY_S
            else "at most a day can be asked for at once",
        )
    return begin, end
