"""Where a new password comes from: the terminal, twice, or a file."""

import sys
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_MOST_BYTES = 10_000


def asked_password(name: str) -> str:
    """A new password for a user, typed twice at the terminal.

    Raises:
        LivecamError: INVALID if there is no terminal, or the two do not agree.
    """
    if not sys.stdin.isatty():
        raise LivecamError(
            ErrorKind.INVALID,
            "there is no terminal to ask for the password",
            "name a file with it: --password-file FILE, or - for standard input",
        )
    import getpass  # noqa: PLC0415 - for people at a terminal

    try:
        password = getpass.getpass(f"new password for {name}: ")
        again = getpass.getpass("the same again: ")
    except EOFError:
        raise LivecamError(ErrorKind.INVALID, "no password was given", "nothing was changed") from None
    if password != again:
        raise LivecamError(ErrorKind.INVALID, "the two passwords differ", "nothing was changed; try again")
    return password


def password_in(file: str | None) -> str | None:
    """The password in a file's first line; `-` is standard input; None without a file.

    Raises:
        LivecamError: INVALID if it cannot be read.
    """
    if file is None:
        return None
    shown = "standard input" if file == "-" else file
    try:
        if file == "-":
            raw = sys.stdin.buffer.readline(_MOST_BYTES)
        else:
            with Path(file).open("rb") as source:
                raw = source.readline(_MOST_BYTES)
        # Only the line's end is taken off: blanks may belong to a password.
        password = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LivecamError(
            ErrorKind.INVALID, f"{shown} cannot be read: {reason}", "the password stands in its first line"
        ) from None
    if not password:
        raise LivecamError(ErrorKind.INVALID, f"{shown} is empty", "the password stands in its first line")
    return password
