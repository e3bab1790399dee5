"""The listening port: plain or encrypted, with limits on how many may come in and how long they may dawdle."""

import asyncio
import errno
import os

from aiohttp import web

from livecam_nvr.config.models import ListenConfig, TlsConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.connection import Connection
from livecam_nvr.web.errors import Seldom
from livecam_nvr.web.first_byte import FirstByte
from livecam_nvr.web.limits import Crowd, Limits
from livecam_nvr.web.proxies import Proxies
from livecam_nvr.web.tls import Certificate


class Entrance:
    """Lets connections in, from `open` until `close`; `shut` keeps further ones out.

    Args:
        listen: Where.
        proxies: Whose connections count as those of many.
        tls: The certificate; without one it is plain HTTP.
        limits: What clients may do.
    """

    def __init__(
        self, listen: ListenConfig, proxies: Proxies, tls: TlsConfig | None = None, limits: Limits | None = None
    ) -> None:
        self._listen = listen
        self._certificate = Certificate(tls) if tls is not None and tls.enabled else None
        self._crowd = Crowd(limits or Limits(), proxies)
        self._listener: asyncio.Server | None = None
        self._first_byte: FirstByte | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def encrypted(self) -> bool:
        """Whether it speaks https."""
        return self._certificate is not None

    async def open(self, server: web.Server) -> None:
        """Returns when it listens.

        Raises:
            LivecamError: CONFIG if the certificate cannot be used, CONFLICT if the port is taken, UNAVAILABLE if
                it cannot be had for another reason.
        """
        seldom = Seldom()

        def connection() -> asyncio.Protocol:
            return Connection(server, self._crowd, seldom)

        protocol = connection
        if self._certificate is not None:
            self._first_byte = FirstByte(await self._certificate.open(), connection, self._crowd)
            protocol = self._first_byte.protocol
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(protocol, self._listen.address, self._listen.http_port)
        except OSError as error:
            raise self._cannot_listen(error) from error
        self._tasks.append(loop.create_task(self._crowd.watch(), name="web connections"))
        if self._certificate is not None:
            self._tasks.append(loop.create_task(self._certificate.watch(), name="web certificate"))

    def shut(self) -> None:
        """No further connection comes in; idempotent."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def close(self) -> None:
        """Ends all connections; idempotent."""
        self.shut()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._first_byte is not None:
            await self._first_byte.stop()
        # Whoever has not taken what was sent until now would keep the connection open for ever.
        self._crowd.abort_all()

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
