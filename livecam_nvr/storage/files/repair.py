"""Makes a file whole that was left unfinished by a killed service or a power cut."""

import errno
import logging
import os
import re
import struct
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.label import END_AT, LABEL_BYTES, End, end_record, segment
from livecam_nvr.storage.files.survey import ForeignError, Head, Read, Survey, is_finished, read_head, survey
from livecam_nvr.storage.files.tables import duration_patches, keyframe_table

_log = logging.getLogger(__name__)

_STEM = r"(?P<camera>[a-z0-9][a-z0-9_-]*)/\d{6}/(?P=camera)_"
# Merged ones tell their length: `cam0_20261121_100000_10min.mp4`.
_NAME = re.compile(_STEM + r"\d{8}_\d{6}(_\d+min)?(-\d+)?\.mp4", re.ASCII)
_TEMPORARY = re.compile(_STEM + r"[^/]*\.part", re.ASCII)
_SET_ASIDE = re.compile(_STEM + r"[^/]*\.broken(-\d+)?", re.ASCII)
# The label lies within the first kilobytes, so that one read brings all that a finished file has to tell.
_HEAD_READ = 4096


class Fate(StrEnum):
    """What became of a file."""

    FINISHED = "finished"
    """It was finished and was not touched."""
    REPAIRED = "repaired"
    SET_ASIDE = "set aside"
    """Nothing of it can be used; it now ends in `.broken`."""
    FOREIGN = "foreign"
    """None of ours; it was not touched."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a file, and the segment it is."""

    fate: Fate
    segment: Segment | None = None


def is_our_name(path: str) -> bool:
    """Whether `path` (relative to the root) is named like a recording."""
    return _NAME.fullmatch(path) is not None


def is_temporary(path: str) -> bool:
    """Whether `path` is named like a recording that is still being put together from others."""
    return _TEMPORARY.fullmatch(path) is not None


def is_set_aside(path: str) -> bool:
    """Whether `path` is named like a recording of which nothing could be used."""
    return _SET_ASIDE.fullmatch(path) is not None


def is_our_file(folder: str, entry: os.DirEntry[str]) -> bool:
    """Whether an entry of `folder` (relative to the root) is named like a recording, and is a file: what else may
    have such a name (a link, a pipe, a folder) is not ours.

    Raises:
        OSError: The disk refuses to tell.
    """
    return is_our_name(f"{folder}/{entry.name}") and entry.is_file(follow_symlinks=False)


def open_to_read(path: Path) -> int:
    """A descriptor of a recording. Opening a pipe that nobody writes to would last for ever: it does not here, and
    reading then fails.

    Raises:
        OSError: It cannot be opened, or is a link.
    """
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def reader(fd: int) -> Read:
    """Reads from a file; its first bytes are read at once, and once."""
    begin = os.pread(fd, _HEAD_READ, 0)

    def read(at: int, count: int) -> bytes:
        return begin[at : at + count] if at + count <= len(begin) else os.pread(fd, count, at)

    return read


def repair_file(root: Path, path: str, *, distrust: bool = False) -> Verdict:
    """Looks at a recording and makes it whole if it is not finished; harmless to repeat and to interrupt.

    All whole fragments are kept, a torn tail is cut off, damage in the middle becomes a `free` box. The file must
    not be written by anybody.

    Args:
        root: The archive.
        path: Relative to it.
        distrust: Also a file that says it is finished is walked over and mended.

    Raises:
        OSError: The disk refuses; the file is as good as before.
    """
    full = root / path
    fd = open_to_read(full)
    try:
        size = os.fstat(fd).st_size
        read = reader(fd)
        head = read_head(read, size)
        if is_finished(head, size) and not distrust:
            return Verdict(Fate.FINISHED, head.label.segment(path))
        found = survey(read, size, head)
    except ForeignError as error:
        _log.warning("%s is none of our recordings and is left alone: %s", path, error)
        return Verdict(Fate.FOREIGN)
    except BoxError as error:
        _log.warning("%s cannot be used and is set aside as .broken: %s", path, error)
        set_aside(full)
        return Verdict(Fate.SET_ASIDE)
    finally:
        os.close(fd)
    return Verdict(Fate.REPAIRED, _mend(full, path, head, found, size))


def set_aside(full: Path) -> None:
    """Renames a file to `<name>.broken` (`.broken-1` … where taken).

    Raises:
        OSError: The disk refuses.
    """
    target = full.with_name(full.name + ".broken")
    number = 0
    while target.exists():
        number += 1
        target = full.with_name(f"{full.name}.broken-{number}")
    full.rename(target)
    sync_dir(full.parent)


def _mend(full: Path, path: str, head: Head, found: Survey, old_size: int) -> Segment:
    fd = os.open(full, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not head.walkable:
            os.pwrite(fd, struct.pack(">I", LABEL_BYTES), head.label_at)
        for at, size in found.damaged:
            os.pwrite(fd, _free_header(size), at)
        os.ftruncate(fd, found.end)
        table = keyframe_table(found.tally)
        size = found.end + _append(fd, table, found.end, path)
        for at, value in duration_patches(found.moov, found.tally.ends):
            os.pwrite(fd, value, at)
        # In this order: a file that says it is finished must be so even if the power fails right now.
        os.fsync(fd)
        end = _end(head, found, size)
        os.pwrite(fd, end_record(end), head.label_at + END_AT)
        os.fsync(fd)
    finally:
        os.close(fd)
    _log.info(
        "%s was repaired: %d pictures, %.1f s; %d bytes at its end and %d damaged places are lost",
        path,
        end.frames,
        end.duration_ns / 1e9,
        max(0, old_size - found.end),
        len(found.damaged),
    )
    return segment(path, head.begin, end)


def _end(head: Head, found: Survey, size: int) -> End:
    end, known = found.end_record(EndCause.SERVICE, size), head.label.end
    if known is None:
        return end
    # Only if its end is there it still ended as it says: after CLOCK, for one, nothing is missing.
    cause = known.cause if known.duration_ns == end.duration_ns else end.cause
    return replace(end, cause=cause, redating=known.redating)


def _append(fd: int, table: bytes, at: int, path: str) -> int:
    """Appends the keyframe table; on a full disk the file does without it. Returns its size."""
    try:
        if os.pwrite(fd, table, at) == len(table):
            return len(table)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
    _log.warning("%s gets no keyframe table: the disk is full", path)
    os.ftruncate(fd, at)
    return 0


def _free_header(size: int) -> bytes:
    if size < 1 << 32:
        return struct.pack(">I4s", size, b"free")
    return struct.pack(">I4sQ", 1, b"free", size)
