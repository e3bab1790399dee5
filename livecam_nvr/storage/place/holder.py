"""Tells whether a service records into an archive, and keeps services out of it for a while."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.storage.place.lock import LOCK_NAME, ArchiveLock
from livecam_nvr.storage.place.marker import Marker


def holder(root: Path) -> str | None:
    """Who holds the archive's lock (`process 123 on name`); None if nobody does.

    The lock is shared for a few microseconds to find that out (flock(2)).

    Raises:
        OSError: The lock's file is there and cannot be read.
    """
    try:
        fd = os.open(root / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(fd, 200, 0).decode("utf-8", "replace").strip() or "unknown"
    else:
        return None
    finally:
        os.close(fd)


@contextmanager
def kept_to_oneself(root: Path, data_dir: Path, what: str) -> Iterator[None]:
    """Holds the archive's lock, so that no service begins to record there.

    Args:
        root: The archive; it must be there.
        data_dir: Where it is remembered which disk that is.
        what: What cannot be done while a service records, for the error.

    Raises:
        LivecamError: CONFLICT if a service records there, DISK if what is there is not the archive.
        OSError: The disk refuses.
    """
    lock = ArchiveLock(root, Marker(root, data_dir))
    try:
        lock.ensure()
    except LivecamError as error:
        if error.kind is not ErrorKind.CONFLICT:
            raise
        raise LivecamError(
            error.kind,
            f"{what} while a service records into {root} ({holder(root) or 'it has just ended'})",
            "stop the service first",
        ) from error
    try:
        yield
    finally:
        lock.release()
