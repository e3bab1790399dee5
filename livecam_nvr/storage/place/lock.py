"""One service per archive: a lock file in its root that the kernel releases however the service ends."""

import contextlib
import errno
import fcntl
import os
import socket
import threading
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.storage.place.marker import Marker

LOCK_NAME = ".livecam-nvr.lock"


class ArchiveLock:
    """The lock on the archive at `root` (flock(2), so never stale).

    Args:
        root: The archive.
        marker: Asked before anything is made there; without it the folder is made wherever it leads.
    """

    def __init__(self, root: Path, marker: Marker | None = None) -> None:
        self._root = root
        self._marker = marker
        self._fd = -1
        self._turn = threading.Lock()

    def ensure(self) -> None:
        """Takes the lock if it is not held, or if its file was deleted or the disk changed; makes the folder.

        Raises:
            LivecamError: CONFLICT if another service holds it; DISK if its disk is missing.
            OSError: The folder cannot be made or written to.
        """
        with self._turn:
            self._ensure()

    def release(self) -> None:
        """Gives it back; idempotent. The file stays: deleting it would race with whoever opens it.

        Never waits: while a disk that hangs keeps `ensure` from returning, the end of the process releases it.
        """
        if self._turn.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._turn.release()

    def _ensure(self) -> None:
        if self._marker is not None:
            self._marker.ensure()
        path = self._root / LOCK_NAME
        if self._fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._fd), path.stat()):
                    return
            self._release()
        if self._marker is None:
            self._root.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(fd, 200, 0).decode("utf-8", "replace").strip() or "unknown"
            os.close(fd)
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"another livecam-nvr service already records into {self._root} ({holder})",
                "stop that service, or give this one a recording.path of its own",
            ) from error
        except OSError as error:
            # A full disk keeps the lock from telling who holds it, not from being held.
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                os.close(fd)
                raise
        self._fd = fd

    def _release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
