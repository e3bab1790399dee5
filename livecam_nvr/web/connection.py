"""One HTTP connection: what it takes at most, and what it answers to bytes that are not HTTP."""

import asyncio
import contextlib
import logging
import socket
import struct
from enum import Enum, auto

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from livecam_nvr.web.errors import Seldom, error_body, error_response
from livecam_nvr.web.guard import SECURITY
from livecam_nvr.web.limits import Crowd

_log = logging.getLogger(__name__)

_LINGERING_S = 1.0  # how long a body that was refused is still read, so that the client gets to see the answer
# Of Linux' struct tcp_info (linux/tcp.h): segments that are not acknowledged, bytes that were since the beginning,
# bytes that are not even sent.
_TCP_INFO = struct.Struct("=24xI92xQ16xI")


class _Wait(Enum):
    """What a connection is waiting for."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()
    TAKING = auto()


class Connection(web.RequestHandler):
    """aiohttp's connection, with errors in our words and our headers, and with limits.

    `seldom` is shared by all connections, so that a port scanner does not fill the log.
    """

    __slots__ = ("_address", "_crowd", "_ending", "_heard", "_mine", "_partial", "_seldom", "_since_s", "_state")

    def __init__(self, server: web.Server, crowd: Crowd, seldom: Seldom) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None is what turns it off
            keepalive_timeout=crowd.limits.idle_s,
            lingering_time=_LINGERING_S,
            # Nothing we take is ever compressed; taken as it is, a packed body is refused like any other garbage.
            auto_decompress=False,
        )
        self._seldom = seldom
        self._crowd = crowd
        # `self.transport` is None already when the base class has closed it itself.
        self._mine: asyncio.Transport | None = None
        self._address = ""
        self._ending = ""
        self._heard = False
        self._partial = False  # whether the last bytes belong to a head whose end has not come
        self._state = (_Wait.HEAD, 0)
        self._since_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream is needed")
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._crowd.enter(address):
            transport.write(_raw("503 Service Unavailable", "there are too many connections"))
            transport.close()
            return
        self._mine = transport
        self._address = address
        self._since_s = asyncio.get_running_loop().time()
        self._crowd.guests.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        if self._mine is None:
            return
        self._crowd.guests.discard(self)
        self._crowd.leave(self._address)
        self._mine = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._mine is None:
            return
        self._heard = True
        before = self._request_count
        super().data_received(data)
        self._partial = self._request_count == before and not self._request_in_progress

    def look(self, now_s: float) -> str:
        """See limits.Guest."""
        if self._mine is None or self._ending:
            return self._ending
        state = self._wait(self._mine)
        if state != self._state:
            self._state, self._since_s = state, now_s
            return ""
        waited_s, limits = now_s - self._since_s, self._crowd.limits
        match state[0]:
            case _Wait.HEAD if waited_s > limits.head_s:
                if self._heard:
                    # Not to one that never spoke: browsers open connections in advance, and would take it for the
                    # answer to what they ask next.
                    self._mine.write(_raw("408 Request Timeout", "the head of the request took too long"))
                return f"{self._address} sent no whole request within {limits.head_s:g} s"
            case _Wait.BODY if waited_s > limits.body_s:
                return f"{self._address} did not send the body of a request within {limits.body_s:g} s"
            case _Wait.TAKING if waited_s > limits.taking_s:
                return f"{self._address} took nothing of an answer for {limits.taking_s:g} s"
        return ""

    def end(self) -> None:
        """See limits.Guest."""
        if self._mine is None:
            return
        if self._ending or not self._request_in_progress:
            self._mine.abort()
            return
        # Not so rudely at first: asyncio stumbles over a transport that vanishes while a file is sent through it.
        self._ending = "it does not end"
        with contextlib.suppress(OSError):
            self._mine.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def abort(self) -> None:
        """See limits.Guest."""
        if self._mine is not None:
            self._mine.abort()

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
        response = error_response(400, "invalid", "this is not an HTTP request", reason, dict(SECURITY))
        response.force_close()
        return response

    def _wait(self, transport: asyncio.Transport) -> tuple[_Wait, int]:
        """What is waited for, and a number that changes with every step forward."""
        if self._request_in_progress:
            request = self._current_request
            if request is not None and not request.content.is_eof():
                return _Wait.BODY, self._request_count
        elif not self._messages and (self._request_count == 0 or self._partial):
            return _Wait.HEAD, self._request_count
        acknowledged = _on_its_way(transport)
        return (_Wait.NOTHING, 0) if acknowledged is None else (_Wait.TAKING, acknowledged)


def _on_its_way(transport: asyncio.Transport) -> int | None:
    """How many bytes the other end has acknowledged since the beginning; None if none are on their way to it.

    Asked of the kernel, because it also knows of what never goes through the transport's buffer (files).
    """
    try:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        unacknowledged, acknowledged, not_sent = _TCP_INFO.unpack(info)
    except (OSError, struct.error):
        # Closed just now, or a kernel older than 4.6.
        return None
    return acknowledged if unacknowledged or not_sent else None


def _raw(status: str, message: str) -> bytes:
    """An answer to a connection that has no request."""
    body = error_body("unavailable", message).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close", **SECURITY}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _first_line(error: HttpProcessingError) -> str:
    """The parser's words, without what it quotes of the request."""
    if isinstance(error, LineTooLong):
        return f"a line of it is longer than {error.args[1]} bytes"
    return (error.message.splitlines() or [""])[0].rstrip(":")[:120]
