"""Hashes passwords and checks them: Argon2id, slow on purpose, so never to be called on the event loop."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_SALT_BYTES = 16
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """How much work one hash is. As it comes: RFC 9106, section 4, the choice for machines with little memory."""

    rounds: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


class Hasher:
    """Argon2id.

    argon2-cffi is loaded at the first use: most starts of the service and most commands need no password.

    Args:
        cost: For new hashes; older ones are checked with their own.
    """

    def __init__(self, cost: Cost | None = None) -> None:
        self._cost = cost or Cost()
        self._made: PasswordHasher | None = None

    def hash(self, password: str) -> str:
        """The PHC string to be stored, with a salt of its own.

        Raises:
            LivecamError: UNAVAILABLE if the machine has not enough memory.
        """
        from argon2.exceptions import HashingError  # noqa: PLC0415 - see the class

        try:
            return self._argon2().hash(password)
        except HashingError as error:
            raise _no_memory(self._cost) from error

    def verify(self, stored: str, password: str) -> bool:
        """Whether this is the password.

        Raises:
            LivecamError: UNAVAILABLE if that cannot be found out: too little memory, or a hash that is none.
        """
        from argon2.exceptions import (  # noqa: PLC0415 - see the class
            InvalidHashError,
            VerificationError,
            VerifyMismatchError,
        )

        try:
            return self._argon2().verify(stored, password)
        except VerifyMismatchError:
            return False
        except InvalidHashError as error:
            raise LivecamError(
                ErrorKind.UNAVAILABLE, "the stored hash of a password is damaged", "set the password anew"
            ) from error
        except VerificationError as error:
            raise _no_memory(self._cost) from error

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with another cost than today's."""
        return self._argon2().check_needs_rehash(stored)

    def nobodys(self) -> str:
        """A hash that no password has: checking one against it takes as long as against a user's."""
        cost = self._cost
        salt, digest = (
            b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (_SALT_BYTES, _HASH_BYTES)
        )
        return f"$argon2id$v=19$m={cost.memory_kib},t={cost.rounds},p={cost.lanes}${salt}${digest}"

    def _argon2(self) -> "PasswordHasher":
        if self._made is None:
            from argon2 import PasswordHasher  # noqa: PLC0415 - see the class

            self._made = PasswordHasher(
                time_cost=self._cost.rounds,
                memory_cost=self._cost.memory_kib,
                parallelism=self._cost.lanes,
                hash_len=_HASH_BYTES,
                salt_len=_SALT_BYTES,
            )
        return self._made


def _no_memory(cost: Cost) -> LivecamError:
    return LivecamError(
        ErrorKind.UNAVAILABLE,
        "the password cannot be checked now",
        f"there must be {cost.memory_kib // 1024} MiB of free memory for it",
    )
