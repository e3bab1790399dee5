"""Opens a file of the recordings folder by the path that a request names, and nothing else. Blocks; for threads.

Every folder on the way is opened from the one before and no symbolic link is followed, so that not even
a folder that is swapped in between leads out of the archive.
"""

import io
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from livecam_nvr.domain.errors import ErrorKind, LivecamError

# No leading dot, so neither "." nor ".." nor anything hidden; no separator of any system; no NUL.
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}")
_MAX_PARTS = 6
_ENDING = ".mp4"


class Opened(NamedTuple):
    """A file, and what it was like when it was opened."""

    file: io.FileIO
    size: int
    mtime_ns: int


def open_recording(root: Path, path: str) -> Opened:
    """Opens the file; the caller closes it.

    Args:
        root: The recordings folder; may itself be a link.
        path: Relative, with forward slashes, decoded.

    Raises:
        LivecamError: NOT_FOUND, whatever the reason.
    """
    parts = path.split("/")
    if not 0 < len(parts) <= _MAX_PARTS or not all(map(_PART.fullmatch, parts)) or not path.endswith(_ENDING):
        raise no_such_recording()
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                os.close(folder)
                folder = inner
            # Not blocking: a FIFO would wait for a writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = io.FileIO(os.open(parts[-1], flags, dir_fd=folder))
        finally:
            os.close(folder)
    except OSError:
        raise no_such_recording() from None
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        file.close()
        raise no_such_recording()
    return Opened(file, found.st_size, found.st_mtime_ns)


def open_made(path: Path) -> Opened:
    """Opens a file that the service itself has named; the caller closes it.

    Raises:
        LivecamError: NOT_FOUND if it has gone meanwhile.
    """
    try:
        file = io.FileIO(path)
    except OSError:
        raise LivecamError(ErrorKind.NOT_FOUND, "the file is no longer there") from None
    found = os.fstat(file.fileno())
    return Opened(file, found.st_size, found.st_mtime_ns)


def no_such_recording() -> LivecamError:
    """The error, which is the same whatever the reason."""
    return LivecamError(
        ErrorKind.NOT_FOUND, "there is no such recording", "/api/cameras/ID/recordings lists those there are"
    )
