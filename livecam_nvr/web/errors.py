"""Turns every failure into a status and the same small JSON: `{"error": {"kind", "message", "hint"}}`."""

import errno
import json
import logging
import math
import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from livecam_nvr.domain.access import ThrottledError
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import CALLER
from livecam_nvr.web.proxies import client_address

_log = logging.getLogger(__name__)

STATUS = {
    ErrorKind.CONFIG: 500,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.INVALID: 400,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.CONFLICT: 409,
    ErrorKind.MEDIA: 502,
    ErrorKind.DISK: 507,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.THROTTLED: 429,
}
_REFUSALS = {
    400: ("invalid", "the request is malformed", ""),
    403: ("forbidden", "this is not allowed", ""),
    404: ("not_found", "there is nothing here", "docs/ref/http.md names everything there is"),
    405: ("method_not_allowed", "this method is not for this address", "the Allow header names those that are"),
    413: ("invalid", "the request is too large", ""),
    415: ("invalid", "the request's Content-Type is not right", ""),
    416: ("invalid", "the range cannot be served", ""),
}
_QUIET_S = 60.0
_REALM = "livecam-nvr"
_BROWSER = "Mozilla/"
_REMEMBERED = 256


def error_body(kind: str, message: str, hint: str = "") -> str:
    """The JSON of every error."""
    return json.dumps({"error": {"kind": kind, "message": message, "hint": hint}})


def error_response(
    status: int, kind: str, message: str, hint: str, headers: dict[str, str] | None = None
) -> web.Response:
    """An error as an answer."""
    return web.Response(
        status=status, text=error_body(kind, message, hint), content_type="application/json", headers=headers
    )


class Seldom:
    """Says whether something was not said within the last minute; players that try again must not fill the log."""

    def __init__(self) -> None:
        self._said: dict[object, float] = {}

    def new(self, what: object) -> bool:
        """Whether `what` is to be said now; if so, not again within the minute."""
        now = time.monotonic()
        if now - self._said.get(what, -_QUIET_S) < _QUIET_S:
            return False
        self._said.pop(what, None)
        if len(self._said) >= _REMEMBERED:
            del self._said[next(iter(self._said))]
        self._said[what] = now
        return True


def error_middleware() -> Middleware:
    """The one place where failures become answers. Nothing internal leaks; each is logged once."""
    seldom = Seldom()

    def told(request: web.Request, response: web.Response, message: str) -> web.Response:
        path, address = request.rel_url.raw_path[:200], client_address(request)
        # Of strangers one line a minute will do: scanners ask for a thousand different paths.
        asked = (request.method, path) if CALLER in request else (address,)
        if seldom.new((*asked, response.status)):
            _log.warning("%s %s from %s: %d, %s", request.method, path, address, response.status, message)
        return response

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except LivecamError as error:
            failed = error_response(STATUS[error.kind], error.kind, error.message, error.hint)
            failed.headers.extend(_for_next_time(request, error))
            return told(request, failed, error.message)
        except web.HTTPException as refusal:
            if refusal.status not in _REFUSALS:
                raise
            kind, message, hint = _REFUSALS[refusal.status]
            # aiohttp's own text just repeats the status.
            if refusal.text and refusal.text != f"{refusal.status}: {refusal.reason}":
                message = refusal.text
            kept = {name: refusal.headers[name] for name in ("Allow",) if name in refusal.headers}
            return told(request, error_response(refusal.status, kind, message, hint, kept), message)
        except ConnectionError:
            raise
        except Exception as error:
            return _unforeseen(request, error)

    return answer


def _for_next_time(request: web.Request, error: LivecamError) -> list[tuple[str, str]]:
    """Headers that say how, or when, the request would be answered."""
    if isinstance(error, ThrottledError):
        return [("Retry-After", str(max(1, math.ceil(error.retry_after_s))))]
    if error.kind is not ErrorKind.UNAUTHENTICATED:
        return []
    challenges = [("WWW-Authenticate", f'Bearer realm="{_REALM}"')]
    if not request.headers.get("User-Agent", "").startswith(_BROWSER):
        # Players and scripts send the name and password of an address only when they are asked (and then some of
        # them read only one header). A browser would ask its user in a window of its own.
        challenges.insert(0, ("WWW-Authenticate", f'Basic realm="{_REALM}", charset="UTF-8"'))
    return challenges


def _unforeseen(request: web.Request, error: Exception) -> web.Response:
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        # No file can have such a name, but aiohttp's static files look for it all the same.
        return error_response(404, *_REFUSALS[404])
    _log.error("%s %s failed in an unforeseen way", request.method, request.rel_url.raw_path[:200], exc_info=error)
    return error_response(500, "internal", "the service failed on this request", "its log says more")
