"""The web server: begins to listen, and stops at once although viewers are watching."""

import logging
from contextlib import ExitStack

from aiohttp import web

from livecam_nvr.config.models import ListenConfig, TlsConfig
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.web.access_credentials import COOKIE
from livecam_nvr.web.access_guard import access_guard
from livecam_nvr.web.entrance import Entrance
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.guard import add_headers, guard
from livecam_nvr.web.keys import ACCESS, OPEN, PORTS, SHELVES, WebAccess, WebPorts
from livecam_nvr.web.limits import Limits
from livecam_nvr.web.open_streams import OpenStreams
from livecam_nvr.web.pages import light
from livecam_nvr.web.past_ports import PastPorts
from livecam_nvr.web.proxies import PROXIES, Proxies
from livecam_nvr.web.routes import access_routes, past_routes, routes
from livecam_nvr.web.rules import RULES, RuleTable
from livecam_nvr.web.shelves import Shelves

__all__ = ["PastPorts", "WebAccess", "WebPorts", "WebServer"]

_log = logging.getLogger(__name__)

_MAX_BODY_BYTES = 4096
_SHUTDOWN_S = 0.3


class WebServer:
    """Page, API and live endpoints on `listen.address:listen.http_port`.

    Args:
        listen: Where.
        ports: The rest of the service.
        past: What was recorded; without it, nothing can be asked about that.
        access: Who may come in, and with what.
        tls: With a certificate, it speaks https.
        limits: How much and how long clients may keep it busy.
    """

    def __init__(
        self,
        listen: ListenConfig,
        ports: WebPorts,
        past: PastPorts | None = None,
        *,
        access: WebAccess,
        tls: TlsConfig | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._listen = listen
        self._ports = ports
        self._past = past
        self._access = access
        self._open = OpenStreams()
        self._proxies = Proxies(listen.trusted_proxies)
        self._entrance = Entrance(listen, self._proxies, tls, limits)
        self._runner: web.AppRunner | None = None
        self._subscriptions = ExitStack()

    async def start(self) -> None:
        """Returns when it listens.

        Raises:
            LivecamError: CONFLICT if the port is taken, UNAVAILABLE if it cannot be had for another reason, CONFIG
                if the certificate cannot be used.
        """
        app = self._application()
        # Without cancellation, the handler of a viewer who left would wait on for a camera that is offline.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        if runner.server is None:
            raise RuntimeError("the runner is not set up")
        try:
            await self._entrance.open(runner.server)
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._subscriptions.callback(self._ports.bus.subscribe(AccessEnded, self._open.end_for))
        _log.info("listening on %s port %d", self._listen.address, self._listen.http_port)

    async def stop(self) -> None:
        """Ends all answers and closes the port within a second; idempotent."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._entrance.shut()
        self._subscriptions.close()
        self._open.end_all()
        await runner.cleanup()
        await self._entrance.close()

    def _application(self) -> web.Application:
        open_to_all = self._access.gate.demo is not None
        guarded = guard(self._listen.address, encrypted=self._entrance.encrypted, open_to_all=open_to_all)
        middlewares = (error_middleware(), guarded, access_guard(), light)
        app = web.Application(middlewares=middlewares, client_max_size=_MAX_BODY_BYTES)
        app[PORTS] = self._ports
        app[ACCESS] = self._access
        app[COOKIE] = f"livecam_nvr_{self._listen.http_port}"
        app[OPEN] = self._open
        app[PROXIES] = self._proxies
        app[SHELVES] = Shelves(self._ports.clock)
        app[RULES] = rules = RuleTable()
        rules.add(app, routes())
        rules.add(app, access_routes())
        if self._past is not None:
            self._past.provide(app)
            rules.add(app, past_routes())
        app.on_response_prepare.append(add_headers)
        return app
