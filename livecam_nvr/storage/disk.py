"""Figures of the recordings' file system (core.ports.DiskProbe)."""

import asyncio
import os
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import DiskStatus
from livecam_nvr.storage.refusal import in_words


class Disk:
    """The file system that `path` lies on, or will lie on once the folder is made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def probe(self) -> DiskStatus:
        """See core.ports.DiskProbe; free is what an unprivileged user may use.

        Raises:
            LivecamError: DISK if the file system does not answer with figures.
        """
        try:
            return await asyncio.to_thread(self._probe)
        except OSError as error:
            raise LivecamError(
                ErrorKind.DISK,
                f"the recordings' disk cannot be looked at: {in_words(error, str(self._path))}",
                "see that the disk is mounted",
            ) from error

    def _probe(self) -> DiskStatus:
        figures = os.statvfs(existing(self._path))
        unit = figures.f_frsize
        return DiskStatus(str(self._path), figures.f_blocks * unit, figures.f_bavail * unit)


def existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    path = path.absolute()
    # Path.exists() raises where this user may not look; os.path.exists() says no, and the folder above is told.
    while not os.path.exists(path) and path != path.parent:  # noqa: PTH110
        path = path.parent
    return path
