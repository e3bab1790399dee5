"""What a request that changes something has to be like, and who sent it."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import caller_of


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


def texts(body: Mapping[str, Any], wanted: str, *keys: str) -> list[str]:
    """The texts under `keys`.

    Raises:
        LivecamError: INVALID with `wanted` as the hint if one is missing, or no text.
    """
    for key in keys:
        if not isinstance(body.get(key), str):
            raise LivecamError(ErrorKind.INVALID, f"`{key}` is missing, or no text", wanted)
    return [body[key] for key in keys]


def sender(request: web.Request) -> str:
    """Who asks, for logs and for what they leave behind: `anna (192.168.1.5)`."""
    return caller_of(request).whom()
