"""Which cameras and days there are: as folders of the archive, and as the index knows them."""

import os
import re
import sqlite3
from pathlib import Path

from livecam_nvr.storage.index.rows import CAMERAS, NEXT_PATH

_CAMERA = re.compile(r"[a-z0-9][a-z0-9_-]*")
_DAY = re.compile(r"\d{6}", re.ASCII)


def cameras(root: Path) -> list[str]:
    """The folders in the archive that are named like a camera, sorted.

    Raises:
        OSError: The archive cannot be read; FileNotFoundError if it is not there.
    """
    return _folders(root, _CAMERA)


def days(root: Path, camera: str, first: str = "") -> list[str]:
    """The camera's folders named like a day (`261121`), from `first` on, sorted; none if it has no folder.

    Raises:
        OSError: The camera's folder cannot be read.
    """
    try:
        return [day for day in _folders(root / camera, _DAY) if day >= first]
    except FileNotFoundError:
        return []


def indexed_cameras(connection: sqlite3.Connection) -> list[str]:
    """The cameras of which the index knows a file."""
    return [row[0] for row in connection.execute(CAMERAS)]


def indexed_days(connection: sqlite3.Connection, camera: str, first: str = "") -> list[str]:
    """The day folders of a camera's files in the index, from `first` on, sorted: a seek for each, not a scan."""
    found: list[str] = []
    # "0" follows "/" in ASCII: beyond all paths of a folder.
    at, end = f"{camera}/{first}", f"{camera}0"
    while (row := connection.execute(NEXT_PATH, (at, end)).fetchone()) is not None:
        folder = row[0].rpartition("/")[0]
        found.append(folder.partition("/")[2])
        at = f"{folder}0"
    return found


def path_range(camera: str, day: str) -> tuple[str, str]:
    """The range of paths (second excluded) of the files in a day folder."""
    return f"{camera}/{day}/", f"{camera}/{day}0"


def _folders(folder: Path, name: re.Pattern[str]) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if name.fullmatch(entry.name) and entry.is_dir())
