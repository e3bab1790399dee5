"""What a request that changes something has to be like, and who sent it."""

import json
from collections.abc import Collection
from typing import Any

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError


async def ordered(request: web.Request, keys: Collection[str], wanted: str) -> dict[str, Any]:
    """The request's JSON object, whose keys are all among `keys`; the caller looks at the values.

    Only `application/json` is taken: a browser does not send that for a foreign page without asking us first
    (Fetch standard, CORS-preflight), and we never agree.

    Raises:
        LivecamError: INVALID with `wanted` as the hint.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="the Content-Type has to be application/json")
    try:
        value = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise LivecamError(ErrorKind.INVALID, "the body is not JSON", wanted) from None
    if not isinstance(value, dict):
        raise LivecamError(ErrorKind.INVALID, "the body is no JSON object", wanted)
    if unknown := [key for key in value if key not in keys]:
        raise LivecamError(ErrorKind.INVALID, f"the body has a key {unknown[0][:40]!r}, which is unknown", wanted)
    return value


def sender(request: web.Request) -> str:
    """Who asks, for the log."""
    return f"the page ({request.remote})" if request.headers.get("Origin") else f"HTTP ({request.remote})"
