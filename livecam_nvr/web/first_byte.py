"""Tells TLS from plain HTTP by a connection's first byte, so that http:// at the https port gets an answer."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from livecam_nvr.web.limits import Crowd

_HANDSHAKE = b"\x16"
"""What TLS begins with (RFC 8446, section 5.1: ContentType handshake); no HTTP method does."""


class FirstByte:
    """Hands connections on to `connect`, those that begin with TLS through `context`.

    Args:
        context: The server's certificate.
        connect: Makes the protocol of a connection.
        crowd: Where connections count that have not got so far.
    """

    def __init__(self, context: ssl.SSLContext, connect: Callable[[], asyncio.Protocol], crowd: Crowd) -> None:
        self._context = context
        self._connect = connect
        self._crowd = crowd
        self._tasks: set[asyncio.Task[None]] = set()

    def protocol(self) -> asyncio.Protocol:
        """For a server that listens without TLS."""
        return _Taker(self._take)

    async def stop(self) -> None:
        """Drops those that have not got so far."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, own: socket.socket, address: str) -> None:
        if not self._crowd.enter(address):
            own.close()
            return
        task = asyncio.get_running_loop().create_task(self._hand_on(own, address), name=f"first byte of {address}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_on(self, own: socket.socket, address: str) -> None:
        patience_s = self._crowd.limits.head_s
        try:
            try:
                async with asyncio.timeout(patience_s):
                    first = await _peek(own)
            except (OSError, TimeoutError):
                first = b""
            if not first:
                own.close()
                return
            tls = first == _HANDSHAKE
            await asyncio.get_running_loop().connect_accepted_socket(
                self._connect,
                own,
                ssl=self._context if tls else None,
                ssl_handshake_timeout=patience_s if tls else None,
            )
        except OSError:
            pass  # no handshake, which port scanners do all day
        except asyncio.CancelledError:
            own.close()
            raise
        finally:
            self._crowd.leave(address)


class _Taker(asyncio.Protocol):
    """Takes the socket away from its transport before anything is read from it.

    A transport that has begun as a plain one can be made a TLS one, but then what the handshake brings along
    reaches a protocol that has not been told of its connection yet; one that begins as TLS has no such gap.
    """

    def __init__(self, take: Callable[[socket.socket, str], None]) -> None:
        self._take = take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream is needed")
        transport.pause_reading()
        peer = transport.get_extra_info("peername")
        try:
            own = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        except OSError:
            return  # no more files may be opened
        finally:
            transport.abort()
        own.setblocking(False)
        self._take(own, str(peer[0]) if peer else "")


async def _peek(own: socket.socket) -> bytes:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(own, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(own)
    return own.recv(1, socket.MSG_PEEK)
