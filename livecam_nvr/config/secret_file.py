"""Reads a secret from a file of its own."""

import os
import stat
from pathlib import Path

_MAX_BYTES = 16_384
_ALONE = "write the secret into it, alone and in one line"


class UnfitError(Exception):
    """What is wrong, and what would be right; never the value, nor a path: somebody may have written it there."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def read_secret(path: Path) -> str:
    """The line that the file holds, without the newline that editors put behind it. Blocks.

    Raises:
        UnfitError: If it cannot be read, or does not hold one line of text.
    """
    raw = _read(path)
    if len(raw) > _MAX_BYTES:
        raise UnfitError("is larger than 16 kB", f"is this the right file? {_ALONE}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnfitError("holds bytes that are not UTF-8 text", _ALONE) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise UnfitError("is empty", _ALONE)
    if has_control(text):
        raise UnfitError("holds more than one line, or a control character", _ALONE)
    return text


def has_control(text: str) -> bool:
    """True if there is an ASCII control character in it; where a secret goes, none is ever right."""
    return any(sign < " " or sign == "\x7f" for sign in text)


def _read(path: Path) -> bytes:
    """At most one byte more than allowed."""
    try:
        # A pipe without a writer would hold up the start for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", closefd=True) as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnfitError("is not a plain file", _ALONE)
            return file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        hint = f"{_ALONE}; a relative path begins in the config file's folder"
        raise UnfitError("there is no such file", hint) from None
    except IsADirectoryError:
        raise UnfitError("is a folder", "name the file in it") from None
    except PermissionError:
        raise UnfitError("may not be read by this user", "let it read the file, e.g. with chown") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise UnfitError(f"cannot be read: {reason}", _ALONE) from None
