"""Slows down those who guess passwords, by address and by user, without locking anybody out."""

from collections.abc import Hashable
from dataclasses import dataclass
from heapq import nsmallest
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import exp2, log2

from livecam_nvr.access.origins import is_local
from livecam_nvr.access.rules import key_of
from livecam_nvr.domain.access import ThrottledError
from livecam_nvr.runtime.clock import Clock

_FREE = 4
_HALF_LIFE_S = 15 * 60.0
_ADDRESS_MOST_S = 60.0
# Anybody who knows a name could keep its owner waiting, so it is only enough to make many addresses at once slow.
_USER_MOST_S = 10.0
_ENOUGH_DOUBLINGS = 10
_STUBBORN = 3
_KNOWN_S = 7 * 86_400.0
_MOST_ENTRIES = 4096
_ROOM = 256
_LONGEST_KEY = 64
# The smallest network that is given to a customer (RFC 6177); whoever has it can use any address in it.
_IPV6_PREFIX = 64


@dataclass(slots=True)
class _Entry:
    weight: float
    """Failures, of which half are forgotten every 15 minutes."""
    at_s: float
    """When that was right."""
    count: int
    """Attempts in vain since it was last as good as forgotten, with those that were turned away; for people."""
    free_s: float = 0.0
    """Until then it has to wait."""
    last_s: float = 0.0
    """And not longer than until then, however often it asks."""

    def faded(self, now_s: float) -> float:
        return self.weight * exp2((self.at_s - now_s) / _HALF_LIFE_S)

    @property
    def rank(self) -> float:
        """Orders entries by what is left of them, at whatever time."""
        return log2(self.weight) + self.at_s / _HALF_LIFE_S


class _Failures:
    """A bounded table of who has failed how often."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._entries: dict[Hashable, _Entry] = {}

    def wait_s(self, key: Hashable, now_s: float, *, asking_costs: bool) -> float:
        entry = self._entries.get(key)
        if entry is None or now_s >= entry.free_s:
            return 0.0
        if asking_costs:
            entry.free_s = min(now_s + self._wait_after(entry.weight), entry.last_s)
        return entry.free_s - now_s

    def add(self, key: Hashable, now_s: float) -> int:
        entry = self._entries.get(key)
        if entry is None:
            self._make_room()
            entry = self._entries[key] = _Entry(0.0, now_s, 0)
        left = entry.faded(now_s)
        entry.weight, entry.at_s = left + 1, now_s
        entry.count = entry.count + 1 if left >= 0.5 else 1  # noqa: PLR2004 - less than one is as good as none
        wait_s = self._wait_after(entry.weight)
        entry.free_s, entry.last_s = now_s + wait_s, now_s + _STUBBORN * wait_s
        return entry.count

    def count(self, key: Hashable) -> int:
        """One more that was turned away, if it is known for failures at all."""
        entry = self._entries.get(key)
        if entry is None:
            return 0
        entry.count += 1
        return entry.count

    def __len__(self) -> int:
        return len(self._entries)

    def _wait_after(self, weight: float) -> float:
        more = round(weight) - _FREE
        return min(self._most_s, exp2(min(more - 1, _ENOUGH_DOUBLINGS))) if more > 0 else 0.0

    def _make_room(self) -> None:
        # Not the oldest ones: somebody with a million addresses or names would push out whom they are really
        # after. What is given up has the fewest failures left, and of those the newcomers have least.
        if len(self._entries) >= _MOST_ENTRIES:
            for key in nsmallest(_ROOM, self._entries, key=lambda key: self._entries[key].rank):
                del self._entries[key]


class Throttle:
    """Says who has to wait before another password is looked at.

    Each address may fail four times at no cost; then it waits 1, 2, 4 … up to 60 s after each failure. Who asks
    again before the time is up begins it anew, up to three times as long: a script that just goes on gets about
    20 passwords looked at in an hour, a person who waits as told loses nothing. A user has to wait up to 10 s, so
    that many addresses together are slow, too; not from an address from which this very user has signed in within
    the last seven days, and failures from the internet do not count at home (a private address) nor the other way
    round: nobody can lock a person out from elsewhere. Failures halve every 15 minutes. A right password forgives
    none of them: somebody with an account of their own could clear their guesses at another's.

    An IPv6 address counts as its network of 64 bits, as one customer has at least that many addresses. At most
    4096 addresses and 4096 users are remembered, in memory only; those with the fewest failures left go first.

    Not for several threads. Ask (`check`) where the turn for the slow hash is already one's own: of a hundred
    attempts that come at once, those that wait for their turn are then refused like any others.

    Args:
        clock: Only its time that never jumps.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._addresses = _Failures(_ADDRESS_MOST_S)
        self._users = _Failures(_USER_MOST_S)
        self._known: dict[tuple[str, str], float] = {}
        """When a user has last signed in from an address; the longest ago first."""

    def check(self, name: str, address: str) -> None:
        """Returns if this user may try from this address now.

        Raises:
            ThrottledError: Not yet; with the time that is left.
        """
        now_s = self._clock.monotonic()
        origin, home = _origin(address)
        user = _user(name)
        wait_s = self._addresses.wait_s(origin, now_s, asking_costs=True)
        if not self._knows(user, origin, now_s):
            wait_s = max(wait_s, self._users.wait_s((user, home), now_s, asking_costs=False))
        if wait_s > 0:
            raise ThrottledError(wait_s)

    def failed(self, name: str, address: str) -> int:
        """A password was wrong; returns how many that makes, for this user or this address, whichever is more."""
        now_s = self._clock.monotonic()
        origin, home = _origin(address)
        return max(self._addresses.add(origin, now_s), self._users.add((_user(name), home), now_s))

    def turned_away(self, name: str, address: str) -> int:
        """Somebody did not wait as `check` told; returns how many attempts in vain that makes, like `failed`.

        It makes nobody wait longer, as the password may be right.
        """
        origin, home = _origin(address)
        return max(self._addresses.count(origin), self._users.count((_user(name), home)))

    def succeeded(self, name: str, address: str) -> None:
        """A password was right: for a week this user does not wait there for what others do."""
        key = (_user(name), _origin(address)[0])
        self._known.pop(key, None)
        if len(self._known) >= _MOST_ENTRIES:
            del self._known[next(iter(self._known))]
        self._known[key] = self._clock.monotonic()

    def _knows(self, user: str, origin: str, now_s: float) -> bool:
        at_s = self._known.get((user, origin))
        return at_s is not None and now_s - at_s < _KNOWN_S


def _user(name: str) -> str:
    return key_of(name)[:_LONGEST_KEY]


def _origin(address: str) -> tuple[str, bool]:
    """What counts as one address, and whether it is at home; text that is no address stands for itself."""
    text = address[:_LONGEST_KEY]
    try:
        ip = ip_address(text)
    except ValueError:
        return text, not text
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        else:
            return str(IPv6Network((int(ip), _IPV6_PREFIX), strict=False)), is_local(text)
    return str(ip), is_local(text)
