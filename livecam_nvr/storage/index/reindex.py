"""Builds a new index from the files alone and puts it into the old one's place. Blocks: for threads."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.repair import Fate, is_our_file, repair_file
from livecam_nvr.storage.index.database import open_database, remove_logs, transaction
from livecam_nvr.storage.index.from_ledgers import add_ledgers
from livecam_nvr.storage.index.rows import COMPLETE, INSERT, to_row
from livecam_nvr.storage.place.folders import cameras, days
from livecam_nvr.storage.place.holder import kept_to_oneself
from livecam_nvr.storage.refusal import in_words

_BATCH = 20_000


@dataclass(slots=True)
class ReindexReport:
    """What was found."""

    files: int = 0
    """Looked at."""
    indexed: int = 0
    repaired: int = 0
    set_aside: int = 0
    foreign: int = 0
    errors: tuple[str, ...] = ()
    """What could not be read: what, and why."""
    entries: int = 0
    """Entries of the ledgers."""
    damaged_lines: int = 0
    """Lines of ledgers that could not be read."""


def reindex(root: Path, database: Path, progress: Callable[[int, int], None]) -> ReindexReport:
    """Rebuilds the index. Of a finished file only the head is read; an unfinished one is repaired.

    The old index stays as it is until the new one is complete.

    Args:
        root: The archive.
        database: The index's file.
        progress: Called with the files done and their number.

    Raises:
        LivecamError: NOT_FOUND if there is no archive; CONFLICT if a service records there; DISK if the disk
            refuses the archive or the new index.
    """
    if not root.is_dir():
        raise LivecamError(
            ErrorKind.NOT_FOUND,
            f"there is no recordings folder {root}",
            "see that its disk is mounted, and that recording.path in config.yaml names it",
        )
    new = database.with_name(f"{database.name}.new")
    try:
        with kept_to_oneself(root, database.parent, "the index cannot be rebuilt"):
            _remove(new)
            try:
                report = _Build(root, progress).run(new)
                _put_in_place(new, database)
            finally:
                _remove(new)
    except OSError as error:
        where = error.filename or str(root)
        raise LivecamError(
            ErrorKind.DISK, f"the index cannot be rebuilt: {in_words(error, str(where))}"
        ) from error
    except sqlite3.Error as error:
        raise LivecamError(ErrorKind.DISK, f"the new index {new} cannot be written: {error}") from error
    return report


class _Build:
    def __init__(self, root: Path, progress: Callable[[int, int], None]) -> None:
        self._root = root
        self._progress = progress
        self._report = ReindexReport()
        self._total = 0

    def run(self, new: Path) -> ReindexReport:
        folders = [f"{camera}/{day}" for camera in cameras(self._root) for day in self._days(camera)]
        self._total = sum(self._count(folder) for folder in folders)
        report = self._report
        with closing(open_database(new)) as connection:
            # Nobody reads it before it is whole, and if it is not completed it is thrown away.
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("PRAGMA synchronous = OFF")
            rows: list[Segment] = []
            for folder in folders:
                rows += filter(None, map(self._file, self._names(folder)))
                if len(rows) >= _BATCH:
                    self._write(connection, rows)
                    rows = []
            self._write(connection, rows)
            self._ledgers(connection)
            if not report.errors:
                connection.execute(COMPLETE)
        self._progress(report.files, report.files)
        return report

    def _days(self, camera: str) -> list[str]:
        try:
            return days(self._root, camera)
        except OSError as error:
            self._error(error, camera)
            return []

    def _count(self, folder: str) -> int:
        """About how many recordings there are in a day folder, for the progress."""
        try:
            with os.scandir(self._root / folder) as entries:
                return sum(entry.name.endswith(".mp4") for entry in entries)
        except OSError:
            return 0

    def _names(self, folder: str) -> list[str]:
        """The recordings in a day folder, sorted: so the index is written from its begin to its end."""
        try:
            with os.scandir(self._root / folder) as entries:
                return sorted(f"{folder}/{entry.name}" for entry in entries if is_our_file(folder, entry))
        except OSError as error:
            self._error(error, folder)
            return []

    def _file(self, path: str) -> Segment | None:
        report = self._report
        self._progress(report.files, self._total)
        report.files += 1
        try:
            verdict = repair_file(self._root, path)
        except OSError as error:
            self._error(error, path)
            return None
        if verdict.fate is Fate.REPAIRED:
            report.repaired += 1
        elif verdict.fate is Fate.SET_ASIDE:
            report.set_aside += 1
        elif verdict.fate is Fate.FOREIGN:
            report.foreign += 1
        return verdict.segment

    def _write(self, connection: sqlite3.Connection, rows: list[Segment]) -> None:
        with transaction(connection):
            connection.executemany(INSERT, map(to_row, rows))
        self._report.indexed += len(rows)

    def _ledgers(self, connection: sqlite3.Connection) -> None:
        read = add_ledgers(connection, self._root)
        self._report.entries, self._report.damaged_lines = read.entries, read.damaged_lines
        self._report.errors += read.errors

    def _error(self, error: OSError, where: str) -> None:
        self._report.errors += (in_words(error, where),)


def _put_in_place(new: Path, database: Path) -> None:
    fd = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    remove_logs(database)
    new.replace(database)
    sync_dir(database.parent)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
