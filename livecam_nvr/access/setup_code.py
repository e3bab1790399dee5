"""The code that the console shows, with which the first user can be made: who can read it has the machine."""

import secrets
from hmac import compare_digest

# Without those that look alike, handwritten or in whatever font: 0 O, 1 I L, U V.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
_LENGTH = 8
_LONGEST = 64


class SetupCode:
    """One random code, for as long as the service runs: 29^8, about 2^39, and whoever guesses is slowed down.

    Attributes:
        text: `XXXX-XXXX`.
    """

    def __init__(self) -> None:
        self._code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))

    @property
    def text(self) -> str:
        """As people read it: `XXXX-XXXX`."""
        return f"{self._code[:4]}-{self._code[4:]}"

    def matches(self, text: str) -> bool:
        """Whether somebody typed this code; dashes, spaces and case do not matter."""
        if len(text) > _LONGEST:
            return False
        typed = "".join(text.split()).replace("-", "").upper()
        return compare_digest(typed.encode(errors="replace"), self._code.encode())
