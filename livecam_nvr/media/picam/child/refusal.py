"""An order that cannot be fulfilled, in words; the camera stays as it was or can be ordered anew."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - what it says
    """`kind` is one of the service's error kinds, or `busy`."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
