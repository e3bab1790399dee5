"""Finds the cameras in the network by WS-Discovery, on every interface at once.

A small probe of our own instead of the WSDiscovery package, which polls from threads of its own and binds the
well-known port for a mere search.
"""

import asyncio
import logging
import socket
import struct
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_address

from livecam_nvr.core.ptz import FoundCamera
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.probe import TYPES, probe_message, read_matches

_log = logging.getLogger(__name__)

GROUP = ("239.255.255.250", 3702)
"""WS-Discovery's multicast address for IPv4 (section 2.4)."""
# Datagrams get lost; each round has new message ids, since a camera answers the same id only once.
_ROUNDS = (0.0, 0.15, 0.45)
_MOST_CAMERAS = 256


class _Finds(asyncio.DatagramProtocol):
    """Collects answers; `on_found` hears of each camera once."""

    def __init__(self, on_found: Callable[[FoundCamera], None] | None) -> None:
        self.cameras: list[FoundCamera] = []
        self._on_found = on_found

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for camera in read_matches(data, addr[0]):
            self._add(camera)

    def error_received(self, exc: Exception) -> None:
        """Somebody's "port unreachable"; the others still answer."""
        _log.debug("while searching for cameras: %s", exc)

    def _add(self, new: FoundCamera) -> None:
        for at, old in enumerate(self.cameras):
            # Cheap cameras share an endpoint id, so that alone does not make two answers one camera.
            if old.endpoint == new.endpoint and set(old.addresses) & set(new.addresses):
                both = tuple(dict.fromkeys((*old.addresses, *new.addresses)))
                self.cameras[at] = replace(old, addresses=both)
                return
        if len(self.cameras) < _MOST_CAMERAS:
            self.cameras.append(new)
            if self._on_found is not None:
                self._on_found(new)


async def discover(
    timeout_s: float = 4.0,
    *,
    group: tuple[str, int] = GROUP,
    interfaces: Iterable[str] | None = None,
    on_found: Callable[[FoundCamera], None] | None = None,
) -> list[FoundCamera]:
    """Searches for `timeout_s` on all interfaces (or those named); the cameras by host.

    `on_found` is called on the event loop, once for each camera, as soon as it answers.

    Raises:
        LivecamError: UNAVAILABLE if the question could be sent on no interface.
    """
    loop = asyncio.get_running_loop()
    finds = _Finds(on_found)
    begin_s = loop.time()
    sent = 0
    with ExitStack() as stack:
        sockets = [stack.enter_context(s) for s in _sockets(interfaces)]
        for sock in sockets:
            transport, _ = await loop.create_datagram_endpoint(lambda: finds, sock=sock)
            stack.callback(transport.close)
        for share in _ROUNDS:
            await asyncio.sleep(begin_s + share * timeout_s - loop.time())
            sent += _ask(sockets, group)
        if not sent:
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                "this machine has no network in which cameras could be searched for",
                "is the cable in, or the wireless network joined? A container needs the host's network",
            )
        # Also where this machine has come late to the last question, there is time for its answers.
        await asyncio.sleep(timeout_s * (1 - _ROUNDS[-1]))
    return sorted(finds.cameras, key=_order)


def _sockets(interfaces: Iterable[str] | None) -> list[socket.socket]:
    wanted = None if interfaces is None else set(interfaces)
    made: list[socket.socket] = []
    for index, name in socket.if_nameindex():
        if wanted is not None and name not in wanted:
            continue
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            # struct ip_mreqn: the interface by its number, whatever addresses it has (ip(7)).
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", index))
            sock.bind(("", 0))
        except OSError as error:
            _log.debug("no search on %s: %s", name, error)
            sock.close()
        else:
            made.append(sock)
    return made


def _ask(sockets: list[socket.socket], group: tuple[str, int]) -> int:
    """How many questions went out."""
    sent = 0
    for namespace, kind in TYPES:
        message = probe_message(f"urn:uuid:{uuid.uuid4()}", namespace, kind)
        for sock in sockets:
            try:
                sock.sendto(message, group)
            except OSError as error:
                # An interface that is down or has no IPv4.
                _log.debug("a probe was not sent: %s", error)
            else:
                sent += 1
    return sent


def _order(camera: FoundCamera) -> tuple[int, int, str]:
    try:
        ip = ip_address(camera.host)
    except ValueError:
        return (9, 0, camera.host)
    return (ip.version, int(ip), camera.addresses[0] if camera.addresses else "")
