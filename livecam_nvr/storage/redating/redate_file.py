"""Gives one recording another time: creation times, name, label.

Each step leaves a file that can be played and found, and doing all of them again ends the same way; so the power
may fail between any two. The label, which says that it is done, comes last.
"""

import ctypes
import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from livecam_nvr.domain.segment import segment_path
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.boxes import BoxError, parse_init
from livecam_nvr.storage.files.label import END_AT, Redating, end_record
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.survey import Head
from livecam_nvr.storage.files.tables import created_patches

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1


def redate_file(root: Path, path: str, head: Head, redating: Redating, names: Names) -> Iterator[str]:
    """Does it step by step, and after each one yields the path at which the file is now.

    Args:
        root: The archive.
        path: A finished file, relative to it; nobody writes it.
        head: What stands in it.
        redating: What its label is to say.
        names: Gives it its new name.

    Raises:
        OSError: The disk refuses.
        BoxError: The file is damaged.
    """
    begin, end = head.begin, head.label.end
    if end is None:
        raise BoxError("it is not finished")
    record = end_record(replace(end, redating=redating))
    start_utc_ns = begin.start_utc_ns + redating.shift_ns
    target = path
    fd = os.open(root / path, os.O_RDWR | os.O_CLOEXEC)
    try:
        for at, value in created_patches(parse_init(head.init), start_utc_ns):
            os.pwrite(fd, value, at)
        os.fsync(fd)
        yield path
        if not _is_named(path, begin.camera_id, start_utc_ns, redating.utc_offset_s):
            target = names.take(begin.camera_id, start_utc_ns, redating.utc_offset_s)
            while not _moved(root, path, target):
                taken, target = target, names.take(begin.camera_id, start_utc_ns, redating.utc_offset_s)
                names.release(taken)
            yield target
        os.pwrite(fd, record, head.label_at + END_AT)
        os.fdatasync(fd)
        yield target
    finally:
        os.close(fd)
        if target != path:
            names.release(target)


def _is_named(path: str, camera_id: str, start_utc_ns: int, utc_offset_s: int) -> bool:
    """Whether a file's name is of that time; the names of several that began in the same second have a suffix."""
    plain = str(segment_path(camera_id, start_utc_ns, utc_offset_s)).removesuffix(".mp4")
    rest = path.removesuffix(".mp4").removeprefix(plain)
    return path.startswith(plain) and (not rest or (rest[0] == "-" and rest[1:].isdecimal()))


def _moved(root: Path, path: str, target: str) -> bool:
    """Renames a file, never over another one; False if the name is taken."""
    old, new = root / path, root / target
    made = [] if new.parent.is_dir() else [new.parent.parent, root]
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        _rename_new(old, new)
    except FileExistsError:
        return False
    for folder in (new.parent, *made, old.parent):
        sync_dir(folder)
    return True


def _rename_new(old: Path, new: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not libc.renameat2(_AT_FDCWD, bytes(old), _AT_FDCWD, bytes(new), _RENAME_NOREPLACE):
        return
    number = ctypes.get_errno()
    if number not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(number, os.strerror(number), str(old))
    # Some network file systems have no such call. Nobody else writes here: the archive is locked.
    if new.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    old.rename(new)
