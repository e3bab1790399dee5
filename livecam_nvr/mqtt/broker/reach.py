"""Finds the broker's machine and tries its port, and TLS there, so that failures have names and nothing hangs.

paho connects in a thread that cannot be cancelled. It is only let loose on an address that has just answered
here, where a name server or a machine that never answers can be abandoned at any moment.
"""

import asyncio
import contextlib
import socket
import ssl
import threading

from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.broker.tls import broker_name, tls_failure

_CONNECT_S = 5.0
_ALERT_S = 1.0


async def reachable_address(config: MqttConfig, tls: ssl.SSLContext | None = None) -> str:
    """The numeric address of the broker's machine that takes connections on its port, and with `tls` is trusted.

    Raises:
        LivecamError: UNAVAILABLE or INVALID; says whether name, machine, port or trust is the trouble.
    """
    host, port = config.host, config.port
    try:
        addresses = await _addresses(host, port)
    except (OSError, UnicodeError):
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"no machine called {host!r} can be found",
            "correct mqtt.host, or write the broker's IP address there",
        ) from None
    failures: list[LivecamError] = []
    for address in addresses:
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, writer = await asyncio.open_connection(address, port)
        except OSError as error:  # a TimeoutError is one, too
            failures.append(_in_words(error, f"{host}:{port}"))
            continue
        try:
            if tls is not None:
                await _greet(writer, tls, broker_name(config))
        except OSError as error:
            failures.append(tls_failure(error, config))
            continue
        finally:
            await _end(writer)
        return address
    raise failures[-1] from None


async def tls_objection(config: MqttConfig, address: str, tls: ssl.SSLContext) -> LivecamError | None:
    """What the broker has against us although its TLS greeted us; None if it does not say.

    In TLS 1.3 our certificate, or its absence, is judged when the greeting is over for us: RFC 8446, 4.4.2.4.
    """
    try:
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(address, config.port)
    except OSError:
        return None
    try:
        await _greet(writer, tls, broker_name(config))
        async with asyncio.timeout(_ALERT_S):
            await reader.read(1)
    except TimeoutError:
        return None
    except OSError as error:
        return tls_failure(error, config)
    finally:
        await _end(writer)
    return None


async def speaks_tls(config: MqttConfig, address: str) -> bool:
    """Whether what listens there answers TLS's greeting, whoever it may be."""
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(address, config.port)
    except OSError:
        return False
    try:
        # It trusts nobody, so that this never gets further than to the certificate.
        await _greet(writer, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), broker_name(config))
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False
    else:
        return True
    finally:
        await _end(writer)


async def _greet(writer: asyncio.StreamWriter, tls: ssl.SSLContext, name: str) -> None:
    async with asyncio.timeout(_CONNECT_S):
        await writer.start_tls(tls, server_hostname=name)


async def _end(writer: asyncio.StreamWriter) -> None:
    """At once, without TLS's farewell. (Where its greeting failed, `wait_closed` would wait for ever.)"""
    writer.transport.abort()
    await asyncio.sleep(0)


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
