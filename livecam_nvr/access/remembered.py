"""Remembers right passwords for minutes: players and scripts that send one each time then cost no slow hash."""

import hashlib
import hmac
import secrets

from livecam_nvr.runtime.clock import Clock

_MOST = 256
_MOST_S = 600.0


class RememberedPasswords:
    """Keyed hashes, in memory only; the key is this process's own.

    One counts only from the address from which the password was found right. Otherwise somebody who is being
    slowed down could try passwords at full speed: the right one would be the one that gets in all the same.

    Args:
        clock: Its time that never jumps.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._until_s: dict[tuple[str, bytes], float] = {}
        """By credential, of which another revision has another name, and hash; the longest unused first."""

    def digest(self, name: str, password: str, address: str) -> bytes:
        """What stands for these three."""
        text = b"\0".join(part.encode(errors="surrogatepass") for part in (name, address, password))
        return hmac.digest(self._key, text, hashlib.sha256)

    def knows(self, credential: str, digest: bytes) -> bool:
        """Whether that was right a short while ago."""
        until_s = self._until_s.pop((credential, digest), None)
        if until_s is None or self._clock.monotonic() >= until_s:
            return False
        self._until_s[credential, digest] = until_s
        return True

    def remember(self, credential: str, digest: bytes) -> None:
        """It was right just now."""
        self._until_s.pop((credential, digest), None)
        while len(self._until_s) >= _MOST:
            del self._until_s[next(iter(self._until_s))]
        self._until_s[credential, digest] = self._clock.monotonic() + _MOST_S

    def forget(self, credentials: frozenset[str]) -> None:
        """They have ended."""
        self._until_s = {key: until_s for key, until_s in self._until_s.items() if key[0] not in credentials}
