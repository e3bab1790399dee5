"""Finds the broker's machine and tries its port, so that failures have names and nothing hangs.

paho connects in a thread that cannot be cancelled. It is only let loose on an address that has just answered
here, where a name server or a machine that never answers can be abandoned at any moment.
"""

import asyncio
import contextlib
import socket
import threading

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_CONNECT_S = 5.0


async def reachable_address(host: str, port: int) -> str:
    """The numeric address of `host` that takes connections on `port`.

    Raises:
        LivecamError: UNAVAILABLE; says whether the name, the machine or the port is the trouble.
    """
    try:
        addresses = await _addresses(host, port)
    except (OSError, UnicodeError):
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"no machine called {host!r} can be found",
            "correct mqtt.host, or write the broker's IP address there",
        ) from None
    failures: list[OSError] = []
    for address in addresses:
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, writer = await asyncio.open_connection(address, port)
        except OSError as error:  # a TimeoutError is one, too
            failures.append(error)
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return address
    raise _in_words(failures[-1], f"{host}:{port}") from None


async def _addresses(host: str, port: int) -> list[str]:
    """Like `loop.getaddrinfo`, in a thread that the end of the process does not wait for.

    The loop's own executor is joined at exit, and a name server that is away takes many seconds to say so.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str], error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[str] = []
        failure: Exception | None = None
        try:
            for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                # getnameinfo keeps the scope of a link-local address (fe80::1%eth0).
                found.append(socket.getnameinfo(where, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0])
        except (OSError, UnicodeError) as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found, failure)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    return await answer


def _in_words(error: OSError, where: str) -> LivecamError:
    if isinstance(error, ConnectionRefusedError):
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"no broker listens on {where}",
            "start the broker (for instance mosquitto), or correct mqtt.host and mqtt.port",
        )
    if isinstance(error, TimeoutError):
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"{where} does not answer",
            "is the broker's machine on, and does its firewall let this port through?",
        )
    return LivecamError(
        ErrorKind.UNAVAILABLE,
        f"there is no way to {where}: {error.strerror or error}",
        "check this machine's network and mqtt.host",
    )
