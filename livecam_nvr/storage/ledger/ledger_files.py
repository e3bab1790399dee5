"""The ledger's files on disk: finding, reading, adding to them, and dropping the old ones. Blocks: for threads.

One file per camera and UTC month, `<camera>/<camera>_YYYYMM.ledger` in the archive's root; see `entries` for its
lines. Files are only ever added to, so a crash can tear nothing but the last line.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.storage.ledger.entries import SUFFIX, Change, from_line, month_of
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_NAME = re.compile(r"(?P<camera>[a-z0-9][a-z0-9_-]*)/(?P=camera)_\d{6}" + re.escape(SUFFIX), re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a ledger file."""

    changes: list[Change]
    """What is left of all changes: the last one of each id."""
    size: int
    """How far it was read."""
    damaged: int = 0
    """Lines that had to be left out."""


def ledger_files(root: Path) -> list[str]:
    """The paths of all ledger files, relative to the root, the oldest month of each camera first.

    Raises:
        OSError: The archive cannot be read.
    """
    found: list[str] = []
    with os.scandir(root) as folders:
        cameras = sorted(f.name for f in folders if not f.name.startswith(".") and f.is_dir())
    for camera in cameras:
        with os.scandir(root / camera) as entries:
            paths = (f"{camera}/{entry.name}" for entry in entries if entry.name.endswith(SUFFIX))
            found += sorted(path for path in paths if _NAME.fullmatch(path) and month_of(path))
    return found


def read_file(root: Path, path: str, begin: int = 0) -> Reading:
    """Reads a ledger file from a place on; damaged lines are left out and logged (once per call).

    Raises:
        OSError: It cannot be read.
    """
    with (root / path).open("rb") as file:
        file.seek(begin)
        data = file.read()
    # An index made long ago may have stopped within what was a torn line then; its rest is no line.
    lines = [line for line in data.split(b"\n") if line]
    whole = [change for line in lines if (change := from_line(line)) is not None]
    damaged = len(lines) - len(whole)
    if damaged:
        _log.warning("%s: %d of %d lines are damaged and left out", path, damaged, len(lines))
    # An entry that was moved into another month's file must not come back by what this one once said of it.
    return Reading(list({change.entry.id: change for change in whole}.values()), begin + len(data), damaged)


def read_all(root: Path) -> Iterator[Entry]:
    """Every entry of an archive; where two have the same id, the later one counts.

    A file that cannot be read is logged and left out.

    Raises:
        OSError: The archive itself cannot be read.
    """
    for path in ledger_files(root):
        try:
            for change in read_file(root, path).changes:
                if not change.removed:
                    yield change.entry
        except OSError as error:
            _log.error("a ledger cannot be read: %s", in_words(error, path))


def add_lines(root: Path, path: str, lines: bytes) -> tuple[int, int]:
    """Adds whole lines to a file, made if it is not there; its size before and after. What fails leaves no trace.

    The archive's root itself is never made: without its disk there is none.

    Raises:
        OSError: The disk refuses.
    """
    full = root / path
    with contextlib.suppress(FileExistsError):
        full.parent.mkdir()
    fd = os.open(full, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        before = os.fstat(fd).st_size
        if before and os.pread(fd, 1, before - 1) != b"\n":
            lines = b"\n" + lines  # a line that a crash has torn ends here
        try:
            written = 0
            while written < len(lines):
                written += os.write(fd, lines[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, before)
            raise
        return before, before + len(lines)
    finally:
        os.close(fd)


def sync(root: Path, paths: Iterable[str]) -> None:
    """Makes files durable, and their names.

    Raises:
        OSError: The disk refuses.
    """
    paths = tuple(paths)
    for name in (*paths, *{path.rpartition("/")[0] for path in paths}, "."):
        fd = os.open(root / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def drop_before(root: Path, utc_ns: int) -> list[str]:
    """Deletes the files of months that ended before a moment, unless a clip is kept in them; returns which.

    What cannot be read or deleted now is logged and stays.
    """
    dropped: list[str] = []
    for path in ledger_files(root):
        month = month_of(path)
        if month is None or month[1] > utc_ns:
            continue
        try:
            reading = read_file(root, path)
            kept = any(change.entry.kind is EntryKind.CLIP and not change.removed for change in reading.changes)
            # A damaged line may have been a clip's.
            if not kept and not reading.damaged:
                (root / path).unlink()
                dropped.append(path)
        except OSError as error:
            _log.warning("an old ledger could not be deleted: %s", in_words(error, path))
    return dropped
