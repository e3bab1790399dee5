"""Figures of the recordings' file system, and what is wrong with it (core.ports.DiskProbe)."""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr.domain.disk import hint_for
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import DiskStatus, DiskTrouble
from livecam_nvr.storage.own_thread import in_own_thread, within
from livecam_nvr.storage.place.marker import Marker, MissingError, existing
from livecam_nvr.storage.refusal import in_words

if TYPE_CHECKING:
    import asyncio

PATIENCE_S = 3.0
"""A disk that does not answer for so long is told to be broken."""

_TROUBLES = {
    errno.ENOSPC: DiskTrouble.SPACE,
    errno.EDQUOT: DiskTrouble.SPACE,
    errno.EROFS: DiskTrouble.READ_ONLY,
}


class Disk:
    """The file system that `path` lies on, or will lie on once the folder is made.

    Args:
        path: The archive.
        marker: Tells whether what is there is the archive; without it everything is.
        patience_s: How long a look may take.
    """

    def __init__(self, path: Path, marker: Marker | None = None, *, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._marker = marker
        self._patience_s = patience_s
        self._look: asyncio.Future[DiskStatus] | None = None

    async def probe(self) -> DiskStatus:
        """See core.ports.DiskProbe; free is what an unprivileged user may use.

        If the recordings' disk is missing there are no figures, but a trouble with its reason and hint.

        Raises:
            LivecamError: DISK if the file system does not answer with figures, or not in time.
        """
        if self._look is None:
            self._look = in_own_thread(self._probe, "disk probe")
        try:
            found = await within(self._look, self._patience_s)
        except TimeoutError as error:
            # It is not asked again until it has answered: a disk that hangs would collect threads.
            raise LivecamError(
                ErrorKind.DISK,
                f"the recordings' disk does not answer ({self._path})",
                hint_for(DiskTrouble.BROKEN),
            ) from error
        except OSError as error:
            self._look = None
            raise LivecamError(
                ErrorKind.DISK,
                f"the recordings' disk cannot be looked at: {in_words(error, str(self._path))}",
                hint_for(DiskTrouble.BROKEN),
            ) from error
        self._look = None
        return found

    def _probe(self) -> DiskStatus:
        try:
            if self._marker is not None:
                self._marker.look()
        except MissingError as error:
            return DiskStatus(str(self._path), trouble=DiskTrouble.MISSING, reason=error.message, hint=error.hint)
        figures = os.statvfs(existing(self._path))
        unit = figures.f_frsize
        return DiskStatus(
            str(self._path),
            figures.f_blocks * unit,
            figures.f_bavail * unit,
            read_only=bool(figures.f_flag & os.ST_RDONLY),
        )


def trouble_of(error: Exception) -> DiskTrouble | None:
    """What an error met while writing says about the disk; None if nothing."""
    if isinstance(error, MissingError):
        return DiskTrouble.MISSING
    if isinstance(error, OSError):
        return _TROUBLES.get(error.errno or 0, DiskTrouble.BROKEN)
    return None
