"""Writes and reads the manifests: which files were recorded, with their SHA-256, chained from day to day."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.evidence.chain import BEGINNING, ChainError, Line, line_hash, make_line, read_line, split

FOLDER = Path(".livecam-nvr", "manifests")
_CHUNK = 1 << 20


def manifest_path(day: str) -> Path:
    """Where the manifest of a UTC day (`20261121`) lies, relative to the archive's root."""
    return FOLDER / day[:4] / f"{day}.jsonl"


def day_of(utc_ns: int) -> str:
    """The UTC day of a moment, as manifests are named."""
    return f"{datetime.fromtimestamp(utc_ns // NS, UTC):%Y%m%d}"


def days(root: Path) -> list[str]:
    """The days that have a manifest, oldest first."""
    return sorted(path.stem for path in (root / FOLDER).glob("[0-9][0-9][0-9][0-9]/????????.jsonl"))


def drop_before(root: Path, day: str) -> int:
    """Deletes the manifests of the days before `day`; returns how many those were. Raises OSError."""
    old = [one for one in days(root) if one < day]
    for one in old:
        (root / manifest_path(one)).unlink()
    return len(old)


def read_day(root: Path, day: str) -> list[bytes]:
    """The lines of a day's manifest. Raises OSError."""
    return list(split((root / manifest_path(day)).read_bytes()))


def file_hash(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size of a file. Raises OSError."""
    digest = hashlib.sha256()
    size = 0
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(fd, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
    finally:
        os.close(fd)
    return digest.hexdigest(), size


def record(segment: Segment, sha256: str, what: str = "recorded", replaces: Iterable[str] = ()) -> dict[str, Any]:
    """A line's values.

    Args:
        segment: The file.
        sha256: Of all its bytes.
        what: `recorded`; `redated` or `merged`, if it took the place of others.
        replaces: The paths of those.
    """
    values: dict[str, Any] = {
        "what": what,
        "path": segment.path,
        "sha256": sha256,
        "bytes": segment.bytes,
        "camera_id": segment.camera_id,
        "start_utc_ns": segment.start_utc_ns,
        "duration_ns": segment.duration_ns,
        "frames": segment.frames,
        "cause": str(segment.cause),
    }
    if replaced := list(replaces):
        values["replaces"] = replaced
    return values


class ManifestWriter:
    """Appends to the chain; belongs to one thread.

    Args:
        root: The archive.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._day = ""
        self._last: str | None = None

    def append(self, records: Sequence[dict[str, Any]], utc_ns: int) -> None:
        """Adds lines to the manifest of the day, and makes them durable.

        A clock that was set back does not break the chain: lines go on in the newest manifest there is.

        Raises:
            OSError: The disk refuses; nothing was added.
        """
        if self._last is None:
            self._find_end()
        day = max(day_of(utc_ns), self._day)
        last = self._last or BEGINNING
        data = b""
        for values in records:
            raw = make_line({"at_utc_ns": utc_ns, **values}, last)
            last = line_hash(raw)
            data += raw + b"\n"
        path = self._root / manifest_path(day)
        is_new = not path.exists()
        if is_new:
            self._make_folders(path.parent)
        try:
            _append(path, data)
        except OSError:
            self._last = None  # what is there now has to be looked at
            raise
        if is_new:
            sync_dir(path.parent)
        self._day, self._last = day, last

    def _make_folders(self, year: Path) -> None:
        """Never the one above: without the archive's disk there is none, and these would lie below that disk."""
        for folder in (self._root / FOLDER, year):
            folder.mkdir(exist_ok=True)

    def _find_end(self) -> None:
        """Finds the last line there is, and cuts off one that a power cut has torn."""
        known = days(self._root)
        for day in reversed(known):
            path = self._root / manifest_path(day)
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                os.truncate(path, len(whole))
            if whole:
                self._day, self._last = day, line_hash(whole[:-1].rpartition(b"\n")[2])
                return
        self._day, self._last = known[-1] if known else "", BEGINNING


def known_hashes(root: Path, since_day: str) -> dict[str, str]:
    """Per path the newest hash in the manifests from a day on; unreadable lines are left out.

    Raises:
        OSError: A manifest cannot be read.
    """
    found: dict[str, str] = {}
    for day in days(root):
        if day >= since_day:
            for line in _readable(read_day(root, day)):
                values = line.values
                found[str(values.get("path"))] = str(values.get("sha256"))
                for replaced in values.get("replaces", ()):
                    found.pop(str(replaced), None)
    return found


def _readable(lines: Iterable[bytes]) -> Iterator[Line]:
    for raw in lines:
        try:
            yield read_line(raw)
        except ChainError:
            continue


def _append(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        before = os.fstat(fd).st_size
        if os.write(fd, data) < len(data):
            os.ftruncate(fd, before)
            raise OSError("a short write")
        os.fsync(fd)
    finally:
        os.close(fd)
