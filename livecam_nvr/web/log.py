"""The newest lines of the service's log over HTTP, for admins."""

import logging
from dataclasses import asdict

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.query import whole_number
from livecam_nvr.web.status import plain

_LIMITS = range(1, 1001)
_USUAL = 200
_NUMBERS = range(1_000_000_000)
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


async def get_log(request: web.Request) -> web.Response:
    """`GET /api/log?limit=&after=&level=`: the newest lines, oldest first.

    `newest` is the `after` of those to come; one below what was known before tells of a new start of the service.
    """
    ring = request.app[PORTS].log
    limit = whole_number(request, "limit", _LIMITS) or _USUAL
    after = whole_number(request, "after", _NUMBERS) or 0
    newest = ring.newest
    lines = ring.lines(limit, after=after, least=_level(request))
    if lines:
        newest = max(newest, lines[-1].number)
    return web.json_response({"lines": [plain(asdict(line)) for line in lines], "newest": newest})


def _level(request: web.Request) -> int:
    text = request.query.get("level")
    if text is None:
        return logging.NOTSET
    if text.upper() not in _LEVELS:
        raise LivecamError(ErrorKind.INVALID, f"level={text[:40]!r} is unknown", f"there are {', '.join(_LEVELS)}")
    return logging.getLevelNamesMapping()[text.upper()]
