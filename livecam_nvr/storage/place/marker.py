"""Tells the recordings' own disk from whatever else is mounted, or not mounted, in its place.

A file in the archive's root carries a random id; the data folder remembers which id belongs to which path. Where
the two do not agree nothing is written, so that a disk that is not mounted never fills the one below it.
"""

import errno
import json
import logging
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime import durable
from livecam_nvr.storage.place.mounts import Mounts
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

MARKER = Path(".livecam-nvr/archive.json")
"""Below the archive's root."""
MEMORY = "archives.json"
"""In the data folder: path of an archive → what is remembered of it."""

_VERSION = 1
_HINT = "; if this place is meant to be the archive from now on, run `livecam-nvr adopt`"


class MissingError(LivecamError):
    """What is at the archive's path is not the archive."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(ErrorKind.DISK, message, hint)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of an archive."""

    id: str
    mount: str = "/"
    """The mount point of the file system that it lay on."""
    fsid: int = 0
    """That file system's id (statvfs(3)); 0 where there is none."""


class Marker:
    """The archive at `root` as one that can be told from others. Every call may wait for the disk: use a thread.

    Args:
        root: The archive.
        data_dir: Where it is remembered.
        mounts: What is mounted and what should be.
    """

    def __init__(self, root: Path, data_dir: Path, mounts: Mounts | None = None) -> None:
        self._root = root.absolute()
        self._memory = data_dir / MEMORY
        self._mounts = mounts or Mounts()
        self._known: _Known | None = None
        self._device: int | None = None
        self._turn = threading.Lock()

    def look(self) -> bool:
        """Whether the archive is there; False if it may be made. Changes nothing.

        Raises:
            MissingError: It is not, and nothing may be written there.
            OSError: The disk refuses.
        """
        with self._turn:
            return self._look() is not None

    def ensure(self) -> None:
        """Makes folder and marker where that is right: at the first use, or if both were deleted from their disk.

        Raises:
            MissingError: As `look`.
            OSError: The disk refuses.
        """
        with self._turn:
            found = self._look()
            if found is None:
                found = self._known.id if self._known is not None else token_hex(16)
                self._write_marker(found)
            self._device = self._root.stat().st_dev
            if self._known is None or self._known.id != found:
                try:
                    self._remember(found)
                except OSError as error:
                    # Recording needs the disk, not the memory: it is only less sure at the next start.
                    where = in_words(error, str(self._memory))
                    _log.error("which disk the recordings belong on cannot be remembered: %s", where)

    def adopt(self) -> bool:
        """Makes what is at the path the archive, whatever was remembered; False if it was that already.

        Raises:
            MissingError: Its disk is not mounted.
            OSError: The disk refuses.
        """
        with self._turn:
            found, known = self._read_marker(), self._load()
            if found is None:
                self._demand_mounted()
                found = token_hex(16)
                self._write_marker(found)
            self._remember(found)
            return known is None or known.id != found

    def _look(self) -> str | None:
        """The id of the archive that is there; None if it is not and may be made."""
        found = self._read_marker()
        if self._known is None or self._known.id != found:
            self._known = self._load() or self._known
        known = self._known
        if found is not None:
            if known is not None and known.id != found:
                raise MissingError(
                    f"another archive than until now is at {self._root}: it is a different disk",
                    f"mount the recordings' own disk there{_HINT}",
                )
            return found
        self._demand_mounted()
        if known is not None and not self._same_place(known):
            raise MissingError(
                f"the recordings' disk is missing: what is at {self._root} is not the archive",
                f"mount the recordings' disk{_HINT}",
            )
        return None

    def _demand_mounted(self) -> None:
        lacking = self._mounts.lacking(self._root)
        if lacking is not None:
            how = f"mount it (sudo mount {lacking})"
            if not lacking.exists():
                how += ", or make the folder by hand if it is to lie on the system's own disk"
            raise MissingError(f"the recordings' disk is missing: nothing is mounted at {lacking}", how)

    def _same_place(self, known: _Known) -> bool:
        """Whether the path surely lies where the archive lay, which was then deleted by somebody."""
        place = existing(self._root)
        if self._device is not None:
            return place.stat().st_dev == self._device
        mount = str(self._mounts.point_of(place))
        # The root file system cannot be missing; its id changes when a container is made anew.
        return mount == known.mount and (mount == "/" or (known.fsid != 0 and _fsid(place) == known.fsid))

    def _read_marker(self) -> str | None:
        try:
            values = json.loads((self._root / MARKER).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        found = values.get("id") if isinstance(values, dict) else None
        return found if isinstance(found, str) and found else None

    def _write_marker(self, archive_id: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        _replace(self._root / MARKER, {"version": _VERSION, "id": archive_id})

    def _load(self) -> _Known | None:
        entry = self._load_all().get(str(self._root))
        try:
            return _Known(**entry) if isinstance(entry, dict) else None
        except TypeError:
            return None

    def _load_all(self) -> dict[str, Any]:
        try:
            values = json.loads(self._memory.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _log.error("which disk the recordings belong on cannot be read from %s: %s", self._memory, error)
            return {}
        found = values.get("archives") if isinstance(values, dict) else None
        return found if isinstance(found, dict) else {}

    def _remember(self, archive_id: str) -> None:
        known = _Known(archive_id, str(self._mounts.point_of(self._root)), _fsid(self._root))
        self._known, self._device = known, self._root.stat().st_dev
        everything = {**self._load_all(), str(self._root): asdict(known)}
        _replace(self._memory, {"version": _VERSION, "archives": everything})


def existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    path = path.absolute()
    # Path.exists() raises where this user may not look; os.path.exists() says no, and the folder above is told.
    while not os.path.exists(path) and path != path.parent:  # noqa: PTH110
        path = path.parent
    return path


def _fsid(place: Path) -> int:
    return os.statvfs(place).f_fsid


def _replace(path: Path, values: dict[str, Any]) -> None:
    """Writes the file as a whole; a power cut leaves the old or the new one."""
    durable.replace(path, json.dumps(values, indent=1))
    try:
        durable.sync_dir(path.parent.parent)
    except OSError as error:
        if error.errno != errno.EACCES:
            raise
