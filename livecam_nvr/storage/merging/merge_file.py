"""Puts finished files of one run together into one, without loss. Blocks; for a thread of its own.

The order of durability, so that at any moment either the files or what was made of them is whole: all fragments,
read back and counted; `fsync`; the label's second record; `fdatasync`; the name; `fsync` of the folder. Only then
may the files be deleted; those that a crash leaves beside it, `leftovers` removes.
"""

import logging
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from livecam_nvr.core.past import Part
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.boxes import BoxError, Moov, box_header, parse_init
from livecam_nvr.storage.files.label import END_AT, End, end_record, label_box, segment
from livecam_nvr.storage.files.repair import open_to_read
from livecam_nvr.storage.files.survey import ForeignError, Head, is_finished, read_head, survey
from livecam_nvr.storage.files.tables import duration_patches, keyframe_table, patched
from livecam_nvr.storage.footage.footage_stream import PartStream
from livecam_nvr.storage.merging.merge_plan import archive_path
from livecam_nvr.storage.place.folders import cameras, days

_log = logging.getLogger(__name__)

_SYNC_BYTES = 8 << 20
"""So much is written at most before it is synced: one sync of all would hold up those of the recording."""
_MFRO_BYTES = 16
_ARCHIVE = re.compile(r"(?P<camera>[a-z0-9][a-z0-9_-]*)_(?P<begin>\d{8}_\d{6})_(?P<minutes>\d+)min(-\d+)?\.mp4")
_SEGMENT = re.compile(r"(?P<camera>[a-z0-9][a-z0-9_-]*)_(?P<begin>\d{8}_\d{6})(-\d+)?\.mp4")
_PART = re.compile(r"[a-z0-9][a-z0-9_-]*_\d{8}_\d{6}_\d+min(-\d+)?\.mp4\.part")
_STAMP = "%Y%m%d_%H%M%S"

Pace = Callable[[int], None]
"""Called after each step with the bytes it moved: pauses, or raises to give up."""


@dataclass(frozen=True, slots=True)
class Source:
    """A finished file that is to become a part of another."""

    segment: Segment
    head: Head
    moov: Moov
    form: bytes
    """Its init segment without what differs between files of one format."""
    end: int
    """Where its last fragment ends, bytes."""
    ticks: int
    """How long its video is."""


def source(root: Path, wanted: Segment) -> Source:
    """Looks at a file.

    Raises:
        BoxError: It is not what the index says of it.
        OSError: It cannot be read.
    """
    fd = open_to_read(root / wanted.path)
    try:
        size = os.fstat(fd).st_size
        head = read_head(lambda at, count: os.pread(fd, count, at), size)
        label = head.label.segment(wanted.path) if is_finished(head, size) else None
        if label is None or (label.run_id, label.sequence, label.frames) != (
            wanted.run_id,
            wanted.sequence,
            wanted.frames,
        ):
            raise BoxError("its label is not what the index knows of it")
        moov = parse_init(head.init)
        end = _media_end(fd, label.bytes)
    finally:
        os.close(fd)
    form = patched(head.init, [(field.at, bytes(field.size)) for field in moov.fields])
    ticks = next(
        (
            int.from_bytes(head.init[field.at : field.at + field.size], "big")
            for field in moov.fields
            if field.means == "media duration" and field.track_id == moov.video.track_id
        ),
        0,
    )
    if not ticks:
        raise BoxError("it does not say how long it is")
    return Source(wanted, head, moov, form, end, ticks)


def alike(sources: Sequence[Source]) -> list[list[Source]]:
    """Those that one file can hold, side by side: a change of format begins another."""
    found: list[list[Source]] = []
    for one in sources:
        if found and found[-1][-1].form == one.form:
            found[-1].append(one)
        else:
            found.append([one])
    return [group for group in found if len(group) > 1]


def merge(root: Path, sources: Sequence[Source], minutes: int, pace: Pace) -> Segment:
    """Makes one durable file out of `sources` (of one format, in order); they stay as they are.

    Args:
        root: The archive.
        sources: Two at least.
        minutes: For its name.
        pace: See Pace; what it raises goes through, and nothing is left behind.

    Raises:
        BoxError: What was written is not what the files hold.
        OSError: The disk refuses.
    """
    first, last = sources[0], sources[-1]
    path = _free_path(root, first.segment, minutes)
    part = root / f"{path}.part"
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        begin = replace(
            first.head.begin,
            start_utc_ns=first.segment.start_utc_ns,
            utc_offset_s=first.segment.utc_offset_s,
            merged=sum(one.segment.merged for one in sources),
            boot=None,
        )
        _write_all(fd, first.head.init + label_box(begin))
        _copy(fd, root, sources, pace)
        end = _finish(fd, first, sources, last, pace)
        os.fsync(fd)
        os.pwrite(fd, end_record(end), first.head.label_at + END_AT)
        os.fdatasync(fd)
        part.rename(root / path)
        sync_dir(part.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return segment(path, begin, end)


def leftovers(root: Path, now_utc_ns: int) -> list[str]:
    """Removes what a crash left of a merger: parts, and files whose pictures are in a merged file, too.

    To be called at the start, before the index is reconciled. Looked at are the days since the day before
    yesterday: nothing older is merged. What cannot be read or deleted is left alone, and logged.

    Returns:
        The paths that were removed, relative to the root.
    """
    first = (datetime.fromtimestamp(now_utc_ns // NS, UTC) - timedelta(days=2)).strftime("%y%m%d")
    removed: list[str] = []
    try:
        folders = [f"{camera}/{day}" for camera in cameras(root) for day in days(root, camera, first)]
    except OSError as error:
        _log.warning("the archive cannot be looked through for what a merger left: %s", error)
        return []
    for folder in folders:
        try:
            removed += _tidied(root, folder)
        except OSError as error:
            _log.warning("what a merger left in %s cannot be removed: %s", folder, error)
    return removed


def _copy(fd: int, root: Path, sources: Sequence[Source], pace: Pace) -> None:
    position = unsynced = 0
    for one in sources:
        begin = one.head.media_at
        part = Part(one.segment.path, begin, one.end, one.segment.start_utc_ns, one.ticks, 0, ((begin, 0),))
        stream = PartStream(root, part, one.moov, position)
        try:
            while chunk := stream.chunk():
                _write_all(fd, chunk)
                unsynced += len(chunk)
                if unsynced >= _SYNC_BYTES:
                    os.fdatasync(fd)
                    unsynced = 0
                pace(len(chunk))
        finally:
            stream.close()
        position += one.ticks


def _finish(fd: int, first: Source, sources: Sequence[Source], last: Source, pace: Pace) -> End:
    """Reads what was written, counts it, and writes what a finished file has."""
    size = os.fstat(fd).st_size

    def read(at: int, count: int) -> bytes:
        pace(0)
        return os.pread(fd, count, at)

    found = survey(read, size, first.head)
    wanted = sum(one.segment.frames for one in sources)
    if found.damaged or found.end != size or found.tally.frames != wanted:
        raise BoxError(f"{found.tally.frames} of {wanted} pictures are whole in what was written")
    table = keyframe_table(found.tally)
    os.lseek(fd, size, os.SEEK_SET)
    _write_all(fd, table)
    for at, value in duration_patches(found.moov, found.tally.ends):
        os.pwrite(fd, value, at)
    return found.end_record(last.segment.cause, size + len(table))


def _media_end(fd: int, size: int) -> int:
    """Where the fragments end: before the keyframe table, if there is one (ISO/IEC 14496-12, 8.8.11)."""
    tail = os.pread(fd, _MFRO_BYTES, size - _MFRO_BYTES)
    if len(tail) == _MFRO_BYTES and tail[4:8] == b"mfro":
        at = size - int.from_bytes(tail[12:], "big")
        try:
            if at > 0 and box_header(os.pread(fd, 16, at))[::2] == (b"mfra", size - at):
                return at
        except BoxError:
            pass
    return size


def _free_path(root: Path, first: Segment, minutes: int) -> str:
    attempt = 0
    while (root / archive_path(first, minutes, attempt)).exists():
        attempt += 1
    return str(archive_path(first, minutes, attempt))


def _tidied(root: Path, folder: str) -> list[str]:
    names = sorted(entry.name for entry in os.scandir(root / folder))
    gone = [name for name in names if _PART.fullmatch(name)]
    for name in names:
        found = _ARCHIVE.fullmatch(name)
        whole = found and _label(root / folder / name)
        if not found or not whole:
            continue
        begun = datetime.strptime(found["begin"], _STAMP)  # noqa: DTZ007 - compared with others of the same kind
        ended = (begun + timedelta(minutes=int(found["minutes"]))).strftime(_STAMP)
        for other in names:
            one = _SEGMENT.fullmatch(other)
            if one and found["begin"] <= one["begin"] < ended:
                label = _label(root / folder / other)
                if label is not None and _holds(whole, label):
                    gone.append(other)
    for name in gone:
        (root / folder / name).unlink(missing_ok=True)
    if gone:
        sync_dir(root / folder)
    return [f"{folder}/{name}" for name in gone]


def _holds(whole: Segment, one: Segment) -> bool:
    begin, end = whole.sequence, whole.sequence + whole.merged
    return whole.run_id == one.run_id and begin <= one.sequence and one.sequence + one.merged <= end


def _label(path: Path) -> Segment | None:
    """A finished file as a segment; None for anything else."""
    try:
        fd = open_to_read(path)
    except OSError:
        return None
    try:
        size = os.fstat(fd).st_size
        head = read_head(lambda at, count: os.pread(fd, count, at), size)
        return head.label.segment(path.name) if is_finished(head, size) else None
    except (ForeignError, BoxError, OSError):
        return None
    finally:
        os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
