"""One HTTP connection: what it takes at most, and what it answers to bytes that are not HTTP."""

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from livecam_nvr.web.errors import Seldom, error_response
from livecam_nvr.web.guard import NOTHING, SECURITY

_log = logging.getLogger(__name__)

_KEEPALIVE_S = 60.0
_LINGERING_S = 1.0  # how long a body that was refused is still read, so that the client gets to see the answer


class Connection(web.RequestHandler):
    """aiohttp's connection, with errors in our words and our headers; keeps `transports` up to date.

    `seldom` is shared by all connections, so that a port scanner does not fill the log.
    """

    __slots__ = ("_mine", "_seldom", "_transports")

    def __init__(self, server: web.Server, transports: set[asyncio.Transport], seldom: Seldom) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None is what turns it off
            keepalive_timeout=_KEEPALIVE_S,
            lingering_time=_LINGERING_S,
            # Nothing we take is ever compressed; taken as it is, a packed body is refused like any other garbage.
            auto_decompress=False,
        )
        self._seldom = seldom
        self._transports = transports
        # `self.transport` is None already when the base class has closed it itself.
        self._mine: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport):
            self._mine = transport
            self._transports.add(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        if self._mine is not None:
            self._transports.discard(self._mine)
            self._mine = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what never became a request; one line in the log instead of a traceback.

        Raises:
            ConnectionError: `exc` itself if it is one: a viewer who leaves in mid-answer is no failure, and
                aiohttp just closes the connection then.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        reason = _first_line(exc)
        if self._seldom.new((request.remote, reason)):
            _log.warning("a malformed request from %s: %s", request.remote, reason)
        headers: dict[str, Any] = {**SECURITY, "Content-Security-Policy": NOTHING, "Cache-Control": "no-store"}
        response = error_response(400, "invalid", "this is not an HTTP request", reason, headers)
        response.force_close()
        return response


def _first_line(error: HttpProcessingError) -> str:
    return (error.message.splitlines() or [""])[0].rstrip(":")[:120]
