"""Makes the index agree with the files: repairs and adds what a killed service left, drops what is gone."""

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.files.repair import Fate, is_our_file, is_temporary, repair_file
from livecam_nvr.storage.index.database import DatabaseWriter, connect
from livecam_nvr.storage.index.rows import IS_COMPLETE, NEWEST_PATH, SIZES, Statement, put, remove
from livecam_nvr.storage.place.folders import cameras, days, indexed_cameras, indexed_days, path_range
from livecam_nvr.storage.place.marker import Marker
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_DAY = "%y%m%d"
TEMPORARY_S = 3600
"""A file that is still being made is touched more often than this."""


@dataclass(slots=True)
class ReconcileReport:
    """What was done."""

    full: bool = False
    """The whole archive was scanned, not only its newest days."""
    folders: int = 0
    files: int = 0
    """Looked at."""
    added: int = 0
    """Finished files that the index did not know."""
    repaired: int = 0
    set_aside: int = 0
    removed: int = 0
    """Rows whose file is gone."""
    cleared: int = 0
    """Temporary files that a killed service left, deleted."""
    errors: int = 0
    """Files and folders that could not be read or repaired (logged)."""
    cancelled: bool = False
    absent: bool = False
    """The archive's disk is not there: nothing was changed."""

    @property
    def in_words(self) -> str:
        """What was done, for the log; empty if nothing had to be."""
        did = (
            (self.repaired, "repaired"),
            (self.set_aside, "set aside as damaged"),
            (self.added, "added to the index"),
            (self.removed, "gone and removed from the index"),
            (self.cleared, "temporary and deleted"),
            (self.errors, "could not be read or repaired"),
        )
        return ", ".join(f"{count} {what}" for count, what in did if count)


def is_left_behind(stat: os.stat_result, now_utc_ns: int) -> bool:
    """Whether a temporary file is so old that nobody can still be making it."""
    return stat.st_mtime_ns < now_utc_ns - TEMPORARY_S * NS


class Reconciler:
    """One pass over the archive; runs in a thread of its own while recording goes on.

    Looked at are, per camera, the day folders from the day before the newest indexed segment and from the day
    before yesterday on, newest first; all of them while the index has never been complete, or does not know the
    camera. Where the archive itself is not there, nothing is changed.

    Args:
        root: The archive.
        database: The index's file.
        writer: Takes the changes.
        is_writing: Whether this process writes the file at a path; those are not touched.
        now_utc_ns: The time.
        cancel: Ends the pass early.
        progress: Called in the thread with the folders done and their number.
        marker: Tells whether it is the archive that is at its place.
    """

    def __init__(
        self,
        root: Path,
        database: Path,
        writer: DatabaseWriter,
        *,
        is_writing: Callable[[str], bool],
        now_utc_ns: int,
        cancel: Event,
        progress: Callable[[int, int], None],
        marker: Marker | None = None,
    ) -> None:
        self._root = root
        self._database = database
        self._writer = writer
        self._is_writing = is_writing
        self._now_utc_ns = now_utc_ns
        self._cancel = cancel
        self._progress = progress
        self._marker = marker
        self._report = ReconcileReport()

    def run(self) -> ReconcileReport:
        """Does it.

        Raises:
            sqlite3.Error: The index cannot be read.
        """
        report = self._report
        generation = self._writer.generation
        found = self._cameras()
        if report.absent:
            return report
        with closing(connect(self._database, read_only=True)) as connection:
            report.full = connection.execute(IS_COMPLETE).fetchone() is None
            work: list[tuple[str, str]] = []
            for camera in sorted({*found, *indexed_cameras(connection)}):
                work += [(day, camera) for day in self._days(connection, camera)]
            work.sort(reverse=True)
            for done, (day, camera) in enumerate(work):
                if self._cancel.is_set():
                    report.cancelled = True
                if report.absent or report.cancelled:
                    return report
                self._progress(done, len(work))
                # Before the folder is read: a file that is finished in between is then not taken for gone.
                rows = dict(connection.execute(SIZES, path_range(camera, day)))
                self._folder(f"{camera}/{day}", rows)
        self._progress(len(work), len(work))
        if report.full and not report.errors and not report.cancelled:
            self._writer.call(lambda: self._writer.mark_complete(generation))
        return report

    def _cameras(self) -> list[str]:
        if not self._is_there():
            return []
        try:
            return cameras(self._root)
        except FileNotFoundError:
            return []  # nothing has been recorded yet
        except OSError as error:
            self._error(error, str(self._root))
            self._report.absent = True
            return []

    def _is_there(self) -> bool:
        """Whether what is not found is really gone. The alarm about a disk that is missing is not given here."""
        try:
            if self._marker is not None:
                self._marker.look()
        except (LivecamError, OSError) as error:
            _log.debug("the index is not compared with an archive that is not there: %s", error)
            self._report.absent = True
        return not self._report.absent

    def _days(self, connection: sqlite3.Connection, camera: str) -> set[str]:
        """The day folders of a camera to look at."""
        first = "" if self._report.full else self._first_day(connection, camera)
        try:
            found = days(self._root, camera, first)
        except OSError as error:
            self._error(error, camera)
            found = []
        return {*found, *indexed_days(connection, camera, first)}

    def _first_day(self, connection: sqlite3.Connection, camera: str) -> str:
        newest = connection.execute(NEWEST_PATH, (camera,)).fetchone()
        if newest is None:
            return ""
        # Two days back from UTC is yesterday or earlier in any local time.
        recent = datetime.fromtimestamp(self._now_utc_ns // NS, UTC) - timedelta(days=2)
        try:
            indexed = datetime.strptime(newest[0].split("/")[1], _DAY).replace(tzinfo=UTC) - timedelta(days=1)
        except (ValueError, IndexError, OverflowError):
            return ""
        return min(recent, indexed).strftime(_DAY)

    def _folder(self, folder: str, rows: dict[str, int]) -> None:
        self._report.folders += 1
        found = self._files(folder)
        if found is None:
            return
        changes: list[Statement] = []
        gone = [path for path in rows if path not in found]
        if gone and not self._is_there():
            return
        for path in gone:
            changes += remove(path)
            self._report.removed += 1
        for path in sorted(found, reverse=True):
            if self._cancel.is_set():
                self._report.cancelled = True
                break
            self._report.files += 1
            if rows.get(path) != found[path] and not self._is_writing(path):
                changes += self._file(path, known=path in rows)
        self._writer.put(changes)

    def _files(self, folder: str) -> dict[str, int] | None:
        """The recordings in a day folder and their sizes; None if it cannot be read."""
        found: dict[str, int] = {}
        try:
            with os.scandir(self._root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    if is_our_file(folder, entry):
                        with suppress(FileNotFoundError):  # deleted meanwhile
                            found[path] = entry.stat().st_size
                    elif is_temporary(path):
                        self._clear(path, entry)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._error(error, folder)
            return None
        return found

    def _clear(self, path: str, entry: os.DirEntry[str]) -> None:
        try:
            if entry.is_file() and is_left_behind(entry.stat(), self._now_utc_ns):
                (self._root / path).unlink()
                self._report.cleared += 1
        except FileNotFoundError:
            pass
        except OSError as error:
            self._error(error, path)

    def _file(self, path: str, *, known: bool) -> Sequence[Statement]:
        try:
            verdict = repair_file(self._root, path)
        except FileNotFoundError:
            return ()  # deleted meanwhile
        except OSError as error:
            self._error(error, path)
            return ()
        if verdict.fate is Fate.REPAIRED:
            self._report.repaired += 1
        elif verdict.fate is Fate.SET_ASIDE:
            self._report.set_aside += 1
        elif verdict.fate is Fate.FINISHED and not known:
            self._report.added += 1
        if verdict.segment is not None:
            return put(verdict.segment)
        if known:
            self._report.removed += 1
            return remove(path)
        return ()

    def _error(self, error: OSError, where: str) -> None:
        self._report.errors += 1
        _log.error("cannot bring the index up to date: %s", in_words(error, where))
