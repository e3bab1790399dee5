"""How much and how long clients may keep the service busy, over all connections."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import Protocol

from livecam_nvr.web.errors import Seldom
from livecam_nvr.web.proxies import Proxies, parse_address

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do; far more than pages, players and Home Assistant need."""

    head_s: float = 10.0
    """From the first byte of a request (or the beginning of the connection) to the end of its head."""
    body_s: float = 10.0
    """For a request's body; ours are 4 KiB at most."""
    taking_s: float = 60.0
    """A client that acknowledges nothing of what is on its way to it for so long is gone or asleep; a paused
    player asks anew. Web servers use the same (nginx: send_timeout).
    """
    idle_s: float = 75.0
    """Between two requests of one connection; longer than proxies keep theirs, so that they end first."""
    most: int = 400
    """Connections; each takes one of the 1024 files that a service may have open as a rule."""
    most_each: int = 100
    """Connections of one address (IPv6: of one network of 64 bits, which is what one client has)."""
    look_every_s: float = 1.0
    """How exact all these times are."""


class Guest(Protocol):
    """A connection."""

    def look(self, now_s: float) -> str:
        """Why it has to end now; empty if it need not. `now_s` by the loop's clock."""

    def end(self) -> None:
        """Ends it, in mid-answer if need be."""

    def abort(self) -> None:
        """Ends it at once; for when nothing is being answered any more."""


class Crowd:
    """All connections. Trusted proxies speak for many, so the limit for each address is not theirs."""

    def __init__(self, limits: Limits, proxies: Proxies) -> None:
        self.limits = limits
        self.guests: set[Guest] = set()
        self._proxies = proxies
        self._places: Counter[str] = Counter()
        self._seldom = Seldom()

    def enter(self, address: str) -> bool:
        """Whether one more connection from there is taken; if so, `leave` has to follow."""
        place = self._place(address)
        if self._places.total() >= self.limits.most or (place and self._places[place] >= self.limits.most_each):
            if self._seldom.new(place):
                _log.warning("too many connections: one from %s is refused", address or "a proxy")
            return False
        self._places[place] += 1
        return True

    def leave(self, address: str) -> None:
        """The end of one that `enter` took."""
        place = self._place(address)
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]

    async def watch(self) -> None:
        """Ends connections that keep the service waiting; until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.look_every_s)
            for guest in tuple(self.guests):
                if why := guest.look(loop.time()):
                    # No news: browsers open connections in advance, and players are paused, all day.
                    _log.debug("a connection is closed: %s", why)
                    guest.end()

    def abort_all(self) -> None:
        """Ends all connections at once."""
        for guest in tuple(self.guests):
            guest.abort()

    def _place(self, address: str) -> str:
        """What counts as one client; empty for a trusted proxy."""
        found = parse_address(address)
        if self._proxies.trusts(found):
            return ""
        return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address
