"""The web server: begins to listen, and stops at once although viewers are watching."""

import asyncio
import errno
import logging
import os

from aiohttp import web

from livecam_nvr.config.models import ListenConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.connection import Connection
from livecam_nvr.web.errors import Seldom, error_middleware
from livecam_nvr.web.guard import add_headers, guard
from livecam_nvr.web.keys import OPEN, PORTS, SHELVES, WebPorts
from livecam_nvr.web.open_streams import OpenStreams
from livecam_nvr.web.past_ports import PastPorts
from livecam_nvr.web.routes import past_routes, routes
from livecam_nvr.web.shelves import Shelves

__all__ = ["PastPorts", "WebPorts", "WebServer"]

_log = logging.getLogger(__name__)

_MAX_BODY_BYTES = 4096
_SHUTDOWN_S = 0.3


class WebServer:
    """Page, API and live endpoints on `listen.address:listen.http_port`.

    Args:
        listen: Where.
        ports: The rest of the service.
        past: What was recorded; without it, nothing can be asked about that.
    """

    def __init__(self, listen: ListenConfig, ports: WebPorts, past: PastPorts | None = None) -> None:
        self._listen = listen
        self._ports = ports
        self._past = past
        self._open = OpenStreams()
        self._transports: set[asyncio.Transport] = set()
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Returns when it listens.

        Raises:
            LivecamError: CONFLICT if the port is taken, UNAVAILABLE if it cannot be had for another reason.
        """
        app = web.Application(
            middlewares=(error_middleware(), guard(self._listen.address)), client_max_size=_MAX_BODY_BYTES
        )
        app[PORTS] = self._ports
        app[OPEN] = self._open
        app[SHELVES] = Shelves(self._ports.clock)
        app.add_routes(routes())
        if self._past is not None:
            self._past.provide(app)
            app.add_routes(past_routes())
        app.on_response_prepare.append(add_headers)
        # Without cancellation, the handler of a viewer who left would wait on for a camera that is offline.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            self._listener = await self._bind(runner)
        except OSError as error:
            await runner.cleanup()
            raise self._cannot_listen(error) from error
        self._runner = runner
        _log.info("listening on %s port %d", self._listen.address, self._listen.http_port)

    async def stop(self) -> None:
        """Ends all answers and closes the port within a second; idempotent."""
        runner, self._runner = self._runner, None
        listener, self._listener = self._listener, None
        if runner is None or listener is None:
            return
        listener.close()
        self._open.end_all()
        await runner.cleanup()
        for transport in tuple(self._transports):
            # Whoever has not taken what was sent until now would keep the connection open for ever.
            transport.abort()

    async def _bind(self, runner: web.AppRunner) -> asyncio.Server:
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        seldom = Seldom()
        return await asyncio.get_running_loop().create_server(
            lambda: Connection(server, self._transports, seldom), self._listen.address, self._listen.http_port
        )

    def _cannot_listen(self, error: OSError) -> LivecamError:
        place = f"port {self._listen.http_port} of {self._listen.address}"
        if error.errno == errno.EADDRINUSE:
            return LivecamError(
                ErrorKind.CONFLICT,
                f"{place} is taken by another program",
                "end that program, or set listen.http_port in config.yaml to a free port",
            )
        if error.errno == errno.EADDRNOTAVAIL:
            hint = "set listen.address to an address of this machine, or to 0.0.0.0 for all of them"
        elif error.errno == errno.EACCES:
            hint = "ports below 1024 are for root; set listen.http_port to a higher one, e.g. 8001"
        else:
            hint = "see listen in config.yaml"
        reason = os.strerror(error.errno) if error.errno else str(error)
        return LivecamError(ErrorKind.UNAVAILABLE, f"cannot listen on {place}: {reason}", hint)
