"""Sees a request as the browser sent it, although a reverse proxy handed it on.

What a proxy adds is taken only from those named in `listen.trusted_proxies`; anybody else could write it, too:
- `X-Forwarded-For`: every proxy appends who connected to it, so its left end is whatever the client wrote. From
  the right, the first address that is no trusted proxy is the client (RFC 7239, section 8.1, says why).
- `X-Forwarded-Proto` and `X-Forwarded-Host`: the value that belongs to the client's place in that chain if there
  is one for each proxy, else the last one, which is the nearest proxy's.
- `X-Forwarded-Prefix`, or Home Assistant's `X-Ingress-Path`: the folder that the proxy shows us under. Addresses
  reach us without it: the proxy takes it off.

RFC 7239's own `Forwarded` is not taken: a proxy that writes one sort of header hands the client's other sort on
untouched, so whoever believes both believes the client.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web

LOCALHOST = "localhost"
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_MARKS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Ingress-Path")
_INGRESS = "X-Ingress-Path"
_PREFIX = "X-Forwarded-Prefix"
# No empty part, which would make `//host` of it; no dots alone; nothing that has to be quoted anywhere.
_BASE = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]{1,128}){1,8}")
_WITH_PORT = re.compile(r"\[([^\]]{2,64})\](?::\d{1,5})?|([0-9.]{7,15}):\d{1,5}")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as its sender sees it."""

    scheme: str
    """`http` or `https`."""
    host: str
    """As in the Host header, with the port if it has one; empty if there are several, or it is not one host."""
    client: str
    """IP address; empty if there is none."""
    base: str = ""
    """`/folder` that a proxy shows us under; empty without one."""
    proxied: bool = False
    """Whether a trusted proxy handed it on."""
    framed: bool = False
    """Whether Home Assistant shows it in a frame of its own page (ingress)."""


class Proxies:
    """The trusted reverse proxies."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(network) for network in trusted)

    def trusts(self, address: Address | None) -> bool:
        """Whether this is one of them."""
        return address is not None and any(
            address in network for network in self._networks if network.version == address.version
        )

    def look(self, request: web.BaseRequest) -> Seen:
        """Reads connection and headers."""
        own = "https" if request.secure else "http"
        peer = parse_address(request.remote or "")
        client = str(peer or "")
        if not self._networks or not self.trusts(peer) or not any(mark in request.headers for mark in _MARKS):
            return Seen(own, _own_host(request), client)
        chain = _values(request, "X-Forwarded-For")
        at, address = self._first_stranger(chain)
        scheme = _SCHEMES.get(_belonging(_values(request, "X-Forwarded-Proto"), at, len(chain)).lower(), own)
        hosts = _values(request, "X-Forwarded-Host")
        return Seen(
            scheme,
            _belonging(hosts, at, len(chain)) if hosts else _own_host(request),
            str(address or client),
            _base(request),
            proxied=True,
            framed=bool(request.headers.get(_INGRESS)),
        )

    def _first_stranger(self, chain: list[str]) -> tuple[int, Address | None]:
        """From the right; the last one that could be read, where garbage or the chain's end comes before one."""
        found: Address | None = None
        at = len(chain)
        for entry in reversed(chain):
            address = parse_address(entry)
            if address is None:
                break
            at, found = at - 1, address
            if not self.trusts(address):
                break
        return at, found


PROXIES = web.AppKey("PROXIES", Proxies)
_SEEN = web.RequestKey("SEEN", Seen)


def seen(request: web.Request) -> Seen:
    """The request as its sender sees it; looked at once."""
    found = request.get(_SEEN)
    if found is None:
        found = request[_SEEN] = request.app[PROXIES].look(request)
    return found


def scheme(request: web.Request) -> str:
    """`http` or `https`: what the browser's address begins with."""
    return seen(request).scheme


def host(request: web.Request) -> str:
    """What the browser asked for, with the port if it named one.

    `localhost` for old clients that name none; empty if there are several.
    """
    return seen(request).host


def client_address(request: web.Request) -> str:
    """The IP address of whoever asks, behind proxies that of the person; empty if there is none."""
    return seen(request).client


def base_path(request: web.Request) -> str:
    """What the browser's paths have before ours: empty, or `/folder` without a slash at its end."""
    return seen(request).base


@lru_cache(maxsize=1024)
def parse_address(text: str) -> Address | None:
    """An IP address as proxies write it, maybe with brackets, a port or a zone; None if it is none.

    IPv4 that came in through an IPv6 socket is IPv4.
    """
    bare = text.strip().strip('"')
    if found := _WITH_PORT.fullmatch(bare):
        bare = found[1] or found[2]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _own_host(request: web.BaseRequest) -> str:
    hosts = request.headers.getall("Host", [LOCALHOST])
    return hosts[0] if len(hosts) == 1 else ""


def _values(request: web.BaseRequest, name: str) -> list[str]:
    """All values of a header that may come several times and hold several each (RFC 9110, section 5.3)."""
    if name not in request.headers:
        return []
    return [value.strip() for value in ",".join(request.headers.getall(name)).split(",")]


def _belonging(values: list[str], at: int, hops: int) -> str:
    if not values:
        return ""
    return values[at] if len(values) == hops and at < hops else values[-1]


def _base(request: web.BaseRequest) -> str:
    """Home Assistant's folder is the outer one and the whole of it."""
    for name in (_INGRESS, _PREFIX):
        if values := _values(request, name):
            base = values[0].rstrip("/") if len(values) == 1 else ""
            return base if _BASE.fullmatch(base) else ""
    return ""
