"""One connection to the broker: opened, its failures put into words, closed again whatever happens."""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Self, TypeVar

import aiomqtt
import paho.mqtt.client as paho
from aiomqtt.exceptions import MqttConnectError
from aiomqtt.types import PahoSocket
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.broker.reach import reachable_address, speaks_tls, tls_objection
from livecam_nvr.mqtt.broker.tls import tls_context

_T = TypeVar("_T")

_KEEPALIVE_S = 30
_ANSWER_S = 5.0
_CLOSE_S = 0.3
_FINISH_S = 0.6

# Without it a small message may wait for the acknowledgement of the one before, which comes 40 ms late (Nagle's
# algorithm meets delayed acknowledgements). It is our half of what makes a switch quick; see docs/design/mqtt.md.
_AT_ONCE = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

# CONNACK reason codes of MQTT 5.0, section 3.2.2.2, into which paho translates those of MQTT 3.1.1.
_BAD_CLIENT_ID = 133
_BAD_USER, _NOT_AUTHORIZED = 134, 135

# The libraries' own remarks ("could not gracefully disconnect") repeat what the errors say, once per attempt.
_library_log = logging.getLogger(f"{__name__}.library")
_library_log.setLevel(logging.ERROR)


class _Client(aiomqtt.Client):
    """aiomqtt's client, made fit to be cancelled whatever it waits for and to lose its socket while it writes."""

    async def __aenter__(self) -> Self:
        self._loop_thread = threading.get_ident()
        self._entering = True
        _may_end_unseen(self._disconnected)
        try:
            return await super().__aenter__()
        except asyncio.CancelledError:
            # As aiomqtt does after a timeout: on the cancelled future its own callbacks would fail, and the
            # connection would stay open.
            self._connected = asyncio.get_running_loop().create_future()
            raise
        finally:
            self._entering = False
            for future in (self._connected, self._disconnected):
                _may_end_unseen(future)

    async def _wait_for(self, fut: Awaitable[_T], timeout: float | None) -> _T:  # noqa: ASYNC109
        """The original's `asyncio.wait_for` swallows, in Python 3.11, a cancellation that meets the answer."""
        seconds = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(seconds):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """The original lets whoever is connecting wait until the time is up, though the broker has hung up."""
        in_loop = threading.get_ident() == self._loop_thread
        if in_loop and self._entering and not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("The broker has hung up"))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: Any,
        mid: int,
        reason_codes: list[ReasonCode],
        properties: Properties | None = None,
    ) -> None:
        """The original reports an error where whoever asked has been cancelled before the answer came."""
        if mid in self._pending_subscribes:
            super()._on_subscribe(client, userdata, mid, reason_codes, properties)

    def _on_unsubscribe(
        self,
        client: paho.Client,
        userdata: Any,
        mid: int,
        reason_codes: list[ReasonCode],
        properties: Properties | None = None,
    ) -> None:
        """As above."""
        if mid in self._pending_unsubscribes:
            super()._on_unsubscribe(client, userdata, mid, reason_codes, properties)

    def _on_socket_register_write(self, client: paho.Client, userdata: Any, sock: PahoSocket) -> None:
        """The original puts this off to the loop's next turn, when the socket may be closed, its number reused.

        That is needed only in the thread that connects.
        """
        if threading.get_ident() != self._loop_thread:
            super()._on_socket_register_write(client, userdata, sock)
            return

        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        self._loop.add_writer(sock.fileno(), write)


@contextlib.asynccontextmanager
async def connected(
    config: MqttConfig, client_id: str, will: aiomqtt.Will | None = None
) -> AsyncIterator[aiomqtt.Client]:
    """A client that is connected for as long as the block lasts.

    MQTT 3.1.1, which every broker speaks, and a clean session: what we want to know after a pause, the broker
    keeps as retained messages.

    Raises:
        LivecamError: UNAVAILABLE or INVALID if it cannot be opened or is lost. Never contains the password.
    """
    where = f"{config.host}:{config.port}"
    tls = await asyncio.to_thread(tls_context, config) if config.tls else None
    address = await reachable_address(config, tls)
    client = _Client(
        address,
        config.port,
        username=config.username or None,
        password=config.password.get_secret_value() or None,
        identifier=client_id,
        will=will,
        keepalive=_KEEPALIVE_S,
        timeout=_ANSWER_S,
        logger=_library_log,
        socket_options=_AT_ONCE,
        tls_context=tls,
    )
    try:
        await _open(client)
    except aiomqtt.MqttError as error:
        if isinstance(error, MqttConnectError):
            raise _refusal(error, config, where) from None
        raise await _no_answer(config, where, address, tls) from None
    try:
        yield client
    except aiomqtt.MqttError:
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the connection to the broker {where} was lost",
            "it is tried again for ever; the broker's own log may say more",
        ) from None
    finally:
        await _close(client)


def payload_of(message: aiomqtt.Message) -> bytes:
    """What a message says; nothing if it is of another type, as only our own could be."""
    return message.payload if isinstance(message.payload, bytes) else b""


async def _open(client: _Client) -> None:
    """Enters the client's context; leaves nothing behind if that fails or is cancelled.

    aiomqtt, when cancelled here, would leave a connection (or a thread about to make one) that belongs to nobody
    but goes on to answer the broker. So an attempt under way is let finish, which takes milliseconds on an
    address that has just answered, and is then closed.
    """
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        await asyncio.wait({entering}, timeout=_FINISH_S)
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        await _close(client)
        raise
    except MqttConnectError:
        raise  # refused: paho has closed the socket itself
    except aiomqtt.MqttError:
        await _close(client)
        raise


def _may_end_unseen(future: asyncio.Future[Any]) -> None:
    """Lets asyncio not complain of a failure of `future` that nobody has waited for.

    How a connection ended matters to whoever uses it, if anybody does; that it ended is no news of its own.
    """

    def look(ended: asyncio.Future[Any]) -> None:
        if not ended.cancelled():
            ended.exception()

    future.add_done_callback(look)


async def _close(client: aiomqtt.Client) -> None:
    client.timeout = _CLOSE_S
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


async def _no_answer(config: MqttConfig, where: str, address: str, tls: ssl.SSLContext | None) -> LivecamError:
    """Why what takes connections does not talk MQTT with us; asks it once more where that may tell."""
    objection = await tls_objection(config, address, tls) if tls else None
    if objection is not None:
        return objection
    if tls is None and await speaks_tls(config, address):
        return LivecamError(
            ErrorKind.INVALID,
            f"{where} wants to be spoken to with TLS",
            "set mqtt.tls: true, or mqtt.port to the one without (1883 is usual)",
        )
    usual = 8883 if tls else 1883
    return LivecamError(
        ErrorKind.UNAVAILABLE,
        f"{where} takes connections but does not answer as an MQTT broker",
        f"check mqtt.port ({usual} is usual)",
    )


def _refusal(error: MqttConnectError, config: MqttConfig, where: str) -> LivecamError:
    code = error.rc.value if isinstance(error.rc, ReasonCode) else -1
    if code in (_BAD_USER, _NOT_AUTHORIZED):
        if not config.username:
            return LivecamError(
                ErrorKind.INVALID,
                f"the broker {where} wants a user name and a password",
                "set mqtt.username and mqtt.password",
            )
        return LivecamError(
            ErrorKind.INVALID,
            f"the broker {where} refuses the user {config.username!r} or the password",
            "correct mqtt.username and mqtt.password, or the broker's list of users",
        )
    taken = code == _BAD_CLIENT_ID
    hint = "it does not take this node.id; choose another" if taken else "the broker's own log says more"
    return LivecamError(ErrorKind.UNAVAILABLE, f"the broker {where} refuses the connection: {error.rc}", hint)
