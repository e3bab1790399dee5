"""Tickets: short-lived links to one path, signed by the service, for `<img>`, `<video>` and players."""

import binascii
import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode

from livecam_nvr.core.access import Ticket
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock

SHORTEST_S = 1.0
LONGEST_S = 86_400.0
_LONGEST_NS = 86_400 * NS

_VERSION = 1
_HEAD = struct.Struct(">BQB")
"""Version, when it ends in Unix seconds, length of the credential's name. That and the scope follow, in UTF-8."""
_MAC_BYTES = 16
_LEAST_KEY_BYTES = 16
_LONGEST_SCOPE = 512
_LONGEST_CREDENTIAL = 255
_TEXT = re.compile(r"[A-Za-z0-9_-]{36,1100}")
# Any other character has no place in our paths: an escape that nobody decoded (%), a separator of other systems
# (\), controls (NUL, line ends), what ends a path (? #), and letters that only look like another one.
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~:@!$&'()+,;=-]+")


class TicketMaker:
    """Makes and reads tickets.

    A ticket is a head (version, end), the credential's name and the scope, with the first 128 bits of an
    HMAC-SHA256 over all of it (RFC 2104; truncation as in its section 5), in base64url. There is one form only:
    no other text is read as the same ticket. It is no JWT (RFC 7519): whoever reads those has to judge a header
    that says how to check it, JSON that can be written in many ways, and claims of which any may be missing, and
    that has been the hole again and again (RFC 8725, section 2). Here one program both makes and reads them.

    A ticket names no secret: who has it can see whose it is and until when, and use its paths until then.

    Args:
        key: Random, at least 128 bits; who makes a new one ends all tickets.
        clock: Its UTC. If that is set back, tickets last that much longer, but one that would last more than a day
            is never valid.

    Raises:
        ValueError: The key is too short.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        if len(key) < _LEAST_KEY_BYTES:
            raise ValueError("a key of at least 128 bits is needed")
        # Not the key itself, whatever else it may be used for.
        self._key = hmac.digest(key, b"livecam-nvr ticket", hashlib.sha256)
        self._clock = clock

    def make(self, credential: str, scope: str, lifetime_s: float) -> Ticket:
        """A ticket for a path, or for all paths below one (`/api/cameras/cam0/hls/*`).

        Args:
            credential: As `Principal.credential`; whether that is still valid has to be seen when it is read.
            scope: In plain form: no escapes, no empty, `.` or `..` segments, case as it is. There is none for
                everything.
            lifetime_s: 1 to 86 400; it ends with a whole second.

        Raises:
            LivecamError: INVALID for a scope or lifetime that cannot be.
        """
        if not SHORTEST_S <= lifetime_s <= LONGEST_S:  # also refuses what is not a number
            raise LivecamError(
                ErrorKind.INVALID,
                "a ticket cannot last as long, or as short, as that",
                "1 to 86400 seconds (a day) are possible",
            )
        if not _is_scope(scope):
            raise LivecamError(
                ErrorKind.INVALID,
                "a ticket is for one path, or for all below one, of this service",
                "e.g. /api/cameras/cam0/snapshot.jpg or /api/cameras/cam0/hls/*",
            )
        name = credential.encode()
        if len(name) > _LONGEST_CREDENTIAL:
            raise LivecamError(ErrorKind.INVALID, "the name behind this ticket is too long")
        now_ns = self._clock.utc_ns()
        # Never less than was asked for, but for the part of a second that would make it more than a day.
        ends_s = min(-(-(now_ns + round(lifetime_s * NS)) // NS), (now_ns + _LONGEST_NS) // NS)
        payload = _HEAD.pack(_VERSION, ends_s, len(name)) + name + scope.encode()
        return Ticket(_to_text(payload + self._mac(payload)), ends_s * NS)

    def read(self, text: str, path: str) -> str | None:
        """Whose ticket this is, if it is for this path and valid now; never raises.

        Args:
            text: Whatever came.
            path: Of the request, without its query. One that is not in plain form (see `make`) has no ticket:
                neither one that is percent-encoded anywhere, nor one with a detour.
        """
        raw = _from_text(text)
        if raw is None:
            return None
        payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            return None
        version, ends_s, length = _HEAD.unpack_from(payload)
        if version != _VERSION or not 0 < ends_s * NS - self._clock.utc_ns() <= _LONGEST_NS:
            return None
        credential, scope = payload[_HEAD.size :][:length].decode(), payload[_HEAD.size + length :].decode()
        return credential if _covers(scope, path) else None

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, hashlib.sha256)[:_MAC_BYTES]


def _covers(scope: str, path: str) -> bool:
    if not _is_plain(path):
        return False
    return path.startswith(scope[:-1]) if scope.endswith("/*") else path == scope


def _is_scope(scope: str) -> bool:
    return len(scope) <= _LONGEST_SCOPE and _is_plain(scope.removesuffix("/*"))


def _is_plain(path: str) -> bool:
    """Whether a path has one reading only."""
    first, *segments = path.split("/")
    return not first and bool(segments) and all(_SEGMENT.fullmatch(segment) for segment in segments)


def _to_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_text(text: str) -> bytes | None:
    """What was encoded; None unless this is exactly how it is written."""
    if not _TEXT.fullmatch(text):
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    # The last character may hold bits that decoding drops: those would be other texts of the same ticket.
    return raw if _to_text(raw) == text else None
