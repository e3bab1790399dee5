"""The root of all errors that the service raises on purpose, each with a kind and a hint."""

from collections.abc import Iterable
from enum import StrEnum


class ErrorKind(StrEnum):
    """What sort of failure it is; one table per edge maps it to an HTTP status or an exit code."""

    CONFIG = "config"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    CONFLICT = "conflict"
    MEDIA = "media"
    DISK = "disk"
    UNAUTHENTICATED = "unauthenticated"
    """Nobody has signed in, or what they came with is not (or no longer) valid."""
    FORBIDDEN = "forbidden"
    """Who has signed in may not do that."""
    THROTTLED = "throttled"
    """Too much, or too often; it may be tried again later."""


class LivecamError(Exception):
    """An expected failure, in words for the person who has to mend it.

    `str(error)` is what went wrong; `hint` is what would be right (may be empty).
    """

    def __init__(self, kind: ErrorKind, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


def unknown_camera(camera_id: str, known: Iterable[str]) -> LivecamError:
    """The error for a camera that the config does not have."""
    return LivecamError(ErrorKind.NOT_FOUND, f"there is no camera {camera_id!r}", f"there are: {', '.join(known)}")
