"""Makes the secrets of tokens and sessions, and the hashes that are stored in their place."""

import hashlib
import re
import secrets

TOKEN_PREFIX = "lnv_"  # noqa: S105 - what every token begins with, so that scanners for leaked secrets can find them
_TOKEN = re.compile(r"lnv_[A-Za-z0-9_-]{43}")
_LONGEST = 128
_BYTES = 32


def new_token() -> str:
    """The text of a new token: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)


def new_session() -> str:
    """The secret of a new session: 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


def new_id() -> str:
    """A public id, of no use to anybody who finds it."""
    return secrets.token_hex(6)


def looks_like_token(text: str) -> bool:
    """Whether a text has a token's form."""
    return _TOKEN.fullmatch(text) is not None


def hash_of(secret: str) -> bytes | None:
    """What is stored of a secret, and what it is looked up by; None for what cannot be one.

    A plain SHA-256 is enough for 256 random bits, and looking one up by its hash tells nothing by its time.
    """
    if len(secret) > _LONGEST or not secret.isascii():
        return None
    return hashlib.sha256(secret.encode("ascii")).digest()
