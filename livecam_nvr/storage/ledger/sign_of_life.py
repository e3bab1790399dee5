"""When something was last written to a recording that nobody has finished: until then its service ran. Blocks."""

import os
from contextlib import suppress
from pathlib import Path

from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.repair import is_our_file, open_to_read, reader
from livecam_nvr.storage.files.survey import read_head
from livecam_nvr.storage.place.folders import cameras, days

_NEWEST = 2


def last_written_ns(root: Path) -> int:
    """The latest time at which an unfinished recording was written to, UTC in ns; 0 if there is none.

    To be asked before such files are repaired. What cannot be read is left out.
    """
    newest = 0
    with suppress(OSError):
        for camera in cameras(root):
            for day in days(root, camera)[-1:]:
                with suppress(OSError):
                    newest = max(newest, _newest(root / camera / day, f"{camera}/{day}"))
    return newest


def _newest(folder: Path, path: str) -> int:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if is_our_file(path, entry))
    return max((_written_ns(folder / name) for name in names[-_NEWEST:]), default=0)


def _written_ns(file: Path) -> int:
    fd = open_to_read(file)
    try:
        stat = os.fstat(fd)
        return stat.st_mtime_ns if read_head(reader(fd), stat.st_size).label.end is None else 0
    except BoxError:  # not even its head is whole
        return stat.st_mtime_ns
    finally:
        os.close(fd)
