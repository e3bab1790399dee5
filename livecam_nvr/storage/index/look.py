"""Looks at one recorded file, without changing it: its label and size, or every box and frame of it."""

import os
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.files.boxes import LARGE_HEADER_BYTES, BoxError, box_header
from livecam_nvr.storage.files.label import End
from livecam_nvr.storage.files.repair import open_to_read, reader
from livecam_nvr.storage.files.survey import ForeignError, Head, Read, read_head, survey
from livecam_nvr.storage.index.findings import FindingKind


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen."""

    size: int
    mtime_ns: int
    segment: Segment | None
    """As the label has it, if the file says that it is finished."""
    kind: FindingKind | None = None
    """What is the matter; None if nothing."""
    words: str = ""


def look_at(root: Path, path: str, *, full: bool) -> Look:
    """Looks at a recording.

    Args:
        root: The archive.
        path: Relative to it.
        full: Walk over all fragments and count the pictures, too; costs some reads a fragment.

    Raises:
        OSError: It cannot be read; FileNotFoundError if it is gone.
    """
    fd = open_to_read(root / path)
    try:
        stat = os.fstat(fd)
        read = reader(fd)
        segment: Segment | None = None
        try:
            head = read_head(read, stat.st_size)
            segment = head.label.segment(path)
            kind, words = _judge(head, read, stat.st_size, full=full)
        except ForeignError as error:
            kind, words = FindingKind.FOREIGN, str(error)
        except BoxError as error:
            kind, words = FindingKind.DAMAGED if segment else FindingKind.UNFINISHED, str(error)
        return Look(stat.st_size, stat.st_mtime_ns, segment, kind, words)
    finally:
        os.close(fd)


def _judge(head: Head, read: Read, size: int, *, full: bool) -> tuple[FindingKind | None, str]:
    end = head.label.end
    if end is None:
        return FindingKind.UNFINISHED, "it was never finished"
    if size < end.bytes:
        return FindingKind.DAMAGED, f"of its {end.bytes} bytes {end.bytes - size} are gone"
    if not head.walkable:
        return FindingKind.DAMAGED, "its label has a wrong size, so that players do not find its pictures"
    if full and (words := _lost(head, end, read, size)):
        return FindingKind.DAMAGED, words
    if size > end.bytes:
        return FindingKind.WRONG_SIZE, f"it has {size - end.bytes} bytes more than when it was finished"
    return None, ""


def _lost(head: Head, end: End, read: Read, size: int) -> str:
    """What of a file that says it is finished is not as it says; empty if all is."""
    found = survey(read, size, head)
    duration_ns = found.tally.duration_ns(found.moov.video.timescale)
    if found.tally.frames != end.frames:
        return f"{found.tally.frames} of its {end.frames} pictures are there"
    if found.damaged:
        return f"{sum(length for _, length in found.damaged)} bytes in it are no fragments"
    if duration_ns != end.duration_ns:
        return f"its pictures last {duration_ns / 1e9:.3f} s, not {end.duration_ns / 1e9:.3f} s"
    if found.end != end.bytes and not _is_table(read(found.end, LARGE_HEADER_BYTES), end.bytes - found.end):
        return "its keyframe table is damaged"
    return ""


def _is_table(raw: bytes, size: int) -> bool:
    try:
        kind, _, length = box_header(raw)
    except BoxError:
        return False
    return kind == b"mfra" and length == size
