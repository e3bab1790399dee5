"""The one table from error kind to exit status."""

from typing import Final

from livecam_nvr.domain.errors import ErrorKind

OK: Final = 0
FAILED: Final = 1
"""It ran and failed."""
USAGE: Final = 2
"""The command line or the config is wrong; nothing was started. argparse uses the same number."""
INTERRUPTED: Final = 130
"""Ctrl+C in a command other than `run`, as shells count it: 128 + SIGINT."""

EXIT_CODES: Final[dict[ErrorKind, int]] = {
    ErrorKind.CONFIG: USAGE,
    ErrorKind.INVALID: FAILED,
    ErrorKind.NOT_FOUND: FAILED,
    ErrorKind.UNAVAILABLE: FAILED,
    ErrorKind.CONFLICT: FAILED,
    ErrorKind.MEDIA: FAILED,
    ErrorKind.DISK: FAILED,
    ErrorKind.UNAUTHENTICATED: FAILED,
    ErrorKind.FORBIDDEN: FAILED,
    ErrorKind.THROTTLED: FAILED,
}
