"""Makes the index agree with the files: repairs and adds what a killed service left, drops what is gone."""

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.database import DatabaseWriter, connect
from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.repair import Fate, is_our_name, repair_file
from livecam_nvr.storage.rows import CAMERAS, IS_COMPLETE, NEWEST_PATH, SIZES, Statement, put, remove

_log = logging.getLogger(__name__)

_DAY = "%y%m%d"


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
    errors: int = 0
    """Files and folders that could not be read or repaired (logged)."""
    cancelled: bool = False

    @property
    def in_words(self) -> str:
        """What was done, for the log; empty if nothing had to be."""
        did = (
            (self.repaired, "repaired"),
            (self.set_aside, "set aside as damaged"),
            (self.added, "added to the index"),
            (self.removed, "gone and removed from the index"),
            (self.errors, "could not be read or repaired"),
        )
        return ", ".join(f"{count} {what}" for count, what in did if count)


class Reconciler:
    """One pass over the archive; runs in a thread of its own while recording goes on.

    Looked at are, per camera, the day folders from the day before the newest indexed segment and from the day
    before yesterday on, newest first; all of them while the index has never been complete, or does not know the
    camera.

    Args:
        root: The archive.
        database: The index's file.
        writer: Takes the changes.
        is_writing: Whether this process writes the file at a path; those are not touched.
        now_utc_ns: The time.
        cancel: Ends the pass early.
        progress: Called in the thread with the folders done and their number.
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
    ) -> None:
        self._root = root
        self._database = database
        self._writer = writer
        self._is_writing = is_writing
        self._now_utc_ns = now_utc_ns
        self._cancel = cancel
        self._progress = progress
        self._report = ReconcileReport()

    def run(self) -> ReconcileReport:
        """Does it.

        Raises:
            sqlite3.Error: The index cannot be read.
        """
        report = self._report
        with closing(connect(self._database, read_only=True)) as connection:
            report.full = connection.execute(IS_COMPLETE).fetchone() is None
            known = {row[0] for row in connection.execute(CAMERAS)}
            work: list[tuple[str, str, dict[str, int]]] = []
            for camera in sorted(known | set(self._folders(self._root))):
                work += self._days(connection, camera)
        work.sort(key=lambda item: item[1], reverse=True)
        for done, (camera, day, rows) in enumerate(work):
            if self._cancel.is_set():
                report.cancelled = True
                return report
            self._progress(done, len(work))
            self._folder(f"{camera}/{day}", rows)
        self._progress(len(work), len(work))
        if report.full and not report.errors and not report.cancelled:
            self._writer.call(self._writer.mark_complete)
        return report

    def _days(self, connection: sqlite3.Connection, camera: str) -> list[tuple[str, str, dict[str, int]]]:
        """The day folders of a camera to look at, each with the sizes of its files that the index knows."""
        first = "" if self._report.full else self._first_day(connection, camera)
        # "0" follows "/" in ASCII: all paths in the camera's folder, from the first day on.
        rows = connection.execute(SIZES, (f"{camera}/{first}", f"{camera}0"))
        days: dict[str, dict[str, int]] = {
            day: {} for day in self._folders(self._root / camera) if day >= first and day.isdecimal()
        }
        for path, size in rows:
            days.setdefault(path.split("/")[1], {})[path] = size
        return [(camera, day, known) for day, known in days.items()]

    def _first_day(self, connection: sqlite3.Connection, camera: str) -> str:
        newest = connection.execute(NEWEST_PATH, (camera,)).fetchone()
        if newest is None:
            return ""
        # Two days back from UTC is yesterday or earlier in any local time.
        recent = datetime.fromtimestamp(self._now_utc_ns // NS, UTC) - timedelta(days=2)
        try:
            indexed = datetime.strptime(newest[0].split("/")[1], _DAY).replace(tzinfo=UTC) - timedelta(days=1)
        except (ValueError, IndexError):
            return ""
        return min(recent, indexed).strftime(_DAY)

    def _folders(self, folder: Path) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._error(error, str(folder))
            return []

    def _folder(self, folder: str, rows: dict[str, int]) -> None:
        self._report.folders += 1
        found: dict[str, int] = {}
        try:
            with os.scandir(self._root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    if is_our_name(path) and entry.is_file():
                        found[path] = entry.stat().st_size
        except FileNotFoundError:
            pass
        except OSError as error:
            self._error(error, folder)
            return
        changes: list[Statement] = []
        for path in rows:
            if path not in found:
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
