"""Compares every file of the archive with the index, both ways; has mended what can be. Blocks: for threads."""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.evidence.audit import audit_chain, audit_files
from livecam_nvr.storage.files.repair import is_our_file, is_our_name, is_set_aside, is_temporary
from livecam_nvr.storage.index.database import is_damaged
from livecam_nvr.storage.index.findings import Finding, FindingKind, VerifyReport
from livecam_nvr.storage.index.index_check import look_through, open_for_check
from livecam_nvr.storage.index.look import Look, look_at
from livecam_nvr.storage.index.mend import mend
from livecam_nvr.storage.index.rows import BY_PATH, IN_FOLDER, segments
from livecam_nvr.storage.place.folders import cameras, days, indexed_cameras, indexed_days, path_range
from livecam_nvr.storage.place.holder import holder, kept_to_oneself
from livecam_nvr.storage.refusal import in_words

T = TypeVar("T")

_OVERLAP_NS = NS
"""Frames are dated by their arrival: so much two files that follow each other may seem to overlap."""
_WRITTEN_NS = 150 * NS
"""A file that is being written is written to more often: a camera that is silent for longer is given up."""
_SETTLED_S = 2.0
"""Within this time the index knows what has become of a file."""
# Of what a running service does at this moment, these are the signs, too.
_PASSING = {
    FindingKind.MISSING_FILE,
    FindingKind.UNKNOWN_FILE,
    FindingKind.WRONG_ROW,
    FindingKind.UNFINISHED,
    FindingKind.DAMAGED,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be examined, and how."""

    root: Path
    database: Path
    full: bool = False
    """Every box and frame, not only sizes and labels."""
    repair: bool = False
    camera: str = ""
    """Only this one; empty: all."""


def verify(order: Order, now_utc_ns: Callable[[], int], progress: Callable[[int, int], None]) -> VerifyReport:
    """Examines the archive; without `order.repair` nothing is changed, and a service may run meanwhile.

    Args:
        order: What to do.
        now_utc_ns: The time.
        progress: Called with the files done and their number.

    Raises:
        LivecamError: NOT_FOUND if there is no archive or no such camera; CONFLICT if something is to be repaired
            while a service records there, or a newer program has made the index; DISK if the archive cannot be
            read.
    """
    if not order.root.is_dir():
        raise LivecamError(
            ErrorKind.NOT_FOUND,
            f"there is no recordings folder {order.root}",
            "see that its disk is mounted, and that recording.path in config.yaml names it",
        )
    try:
        with (
            kept_to_oneself(order.root, order.database.parent, "nothing can be repaired")
            if order.repair
            else nullcontext()
        ):
            running = not order.repair and holder(order.root) is not None
            return _Pass(order, now_utc_ns, progress, running=running).run()
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK, f"the archive cannot be examined: {in_words(error, str(order.root))}"
        ) from error


class _Pass:
    def __init__(
        self,
        order: Order,
        now_utc_ns: Callable[[], int],
        progress: Callable[[int, int], None],
        *,
        running: bool,
    ) -> None:
        self._order = order
        self._root = order.root
        self._now_utc_ns = now_utc_ns
        self._progress = progress
        self._report = VerifyReport(order.full, running)
        self._database: sqlite3.Connection | None = None
        self._last: Segment | None = None
        self._passing: list[str] = []

    def run(self) -> VerifyReport:
        report = self._report
        self._database = open_for_check(
            self._order.database, self._root, report.findings, repair=self._order.repair
        )
        with closing(self._database) if self._database is not None else nullcontext():
            folders = self._folders()
            total = sum(self._count(camera, day) for camera, day in folders)
            for camera, day in folders:
                self._folder(camera, day, total)
            self._look_again()
            if self._database is not None:
                look_through(self._database, report.findings, full=self._order.full, repair=self._order.repair)
        if self._order.full and not self._order.camera:
            self._compare_with_manifests()
        self._progress(report.files, report.files)
        return report

    def _compare_with_manifests(self) -> None:
        for found in chain(audit_chain(self._root), audit_files(self._root, self._progress)):
            self._find(FindingKind.ALTERED, found.path, found.words)

    def _folders(self) -> list[tuple[str, str]]:
        """Camera and day of all that has to be looked at."""
        known = self._asked(indexed_cameras)
        found = sorted({*cameras(self._root), *known})
        if self._order.camera:
            if self._order.camera not in found:
                raise LivecamError(
                    ErrorKind.NOT_FOUND,
                    f"nothing was recorded of a camera {self._order.camera!r}",
                    f"there are recordings of {', '.join(found) or 'no camera at all'}",
                )
            found = [self._order.camera]
        result: list[tuple[str, str]] = []
        for camera in found:
            try:
                here = set(days(self._root, camera))
            except OSError as error:
                self._find(FindingKind.UNREADABLE, camera, in_words(error, camera))
                continue
            here |= set(self._asked(partial(indexed_days, camera=camera)))
            result += [(camera, day) for day in sorted(here)]
        return result

    def _count(self, camera: str, day: str) -> int:
        try:
            with os.scandir(self._root / camera / day) as entries:
                return sum(entry.name.endswith(".mp4") for entry in entries)
        except OSError:
            return 0

    def _folder(self, camera: str, day: str, total: int) -> None:
        if self._last is not None and self._last.camera_id != camera:
            self._last = None
        # Before the folder is read: what is deleted in between is then looked at again, and not taken for gone.
        rows = {row.path: row for row in self._rows(IN_FOLDER, path_range(camera, day))}
        self._report.rows += len(rows)
        seen: list[Segment] = []
        for path in sorted({*self._files(f"{camera}/{day}"), *rows}):
            self._progress(self._report.files, max(total, self._report.files + 1))
            finding, segment = self._compare(path, rows.get(path), counted=True)
            if segment is not None:
                seen.append(segment)
            if finding is None:
                continue
            if self._report.running and finding.kind in _PASSING:
                self._passing.append(path)
            else:
                self._settle(finding)
        for segment in sorted(seen, key=lambda item: item.start_utc_ns):
            self._overlap(segment)

    def _files(self, folder: str) -> list[str]:
        """The recordings in a day folder; everything else in it is told of."""
        files: list[str] = []
        try:
            with os.scandir(self._root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    if is_our_file(folder, entry):
                        files.append(path)
                    elif is_temporary(path):
                        self._settle(Finding(FindingKind.TEMPORARY, path, "it was never completed"))
                    elif is_set_aside(path):
                        self._find(FindingKind.SET_ASIDE, path, "an earlier repair found no picture in it")
                    elif is_our_name(path):
                        self._find(FindingKind.FOREIGN, path, "it is named like a recording, but is no file")
                    else:
                        self._find(FindingKind.FOREIGN, path, "it is not named like a recording")
        except FileNotFoundError:
            pass
        except OSError as error:
            self._find(FindingKind.UNREADABLE, folder, in_words(error, folder))
        return files

    def _compare(
        self, path: str, row: Segment | None, *, counted: bool = False
    ) -> tuple[Finding | None, Segment | None]:
        """What is the matter with a file and its row, and the file as its label has it."""
        try:
            look = look_at(self._root, path, full=self._order.full)
        except FileNotFoundError:
            if row is None:
                return None, None  # deleted meanwhile
            return Finding(FindingKind.MISSING_FILE, path, "the index knows it, but it is gone"), None
        except OSError as error:
            return Finding(FindingKind.UNREADABLE, path, in_words(error, path)), None
        if counted:
            self._report.files += 1
            self._report.bytes += look.size
            self._report.frames += look.segment.frames if look.segment else 0
        if look.kind is FindingKind.UNFINISHED and self._is_written(look.mtime_ns):
            self._report.writing += counted
            return None, None
        return self._judged(path, row, look), look.segment

    def _judged(self, path: str, row: Segment | None, look: Look) -> Finding | None:
        kind, words = look.kind, look.words
        if kind is None and self._database is not None and row != look.segment:
            kind, words = FindingKind.UNKNOWN_FILE, "the index does not know it"
            if row is not None:
                kind, words = FindingKind.WRONG_ROW, "the index says something else of it than its label"
        return Finding(kind, path, words, segment=look.segment) if kind is not None else None

    def _is_written(self, mtime_ns: int) -> bool:
        return self._report.running and mtime_ns > self._now_utc_ns() - _WRITTEN_NS

    def _overlap(self, segment: Segment) -> None:
        last = self._last
        if last is not None and last.end_utc_ns - segment.start_utc_ns > _OVERLAP_NS:
            both_s = (min(last.end_utc_ns, segment.end_utc_ns) - segment.start_utc_ns) / NS
            self._find(FindingKind.OVERLAP, segment.path, f"{both_s:.1f} s of it are in {last.path}, too")
        if last is None or segment.end_utc_ns > last.end_utc_ns:
            self._last = segment

    def _look_again(self) -> None:
        """What a running service was doing to a file is over now, or it is really so."""
        if not self._passing:
            return
        time.sleep(_SETTLED_S)
        for path in self._passing:
            rows = self._rows(BY_PATH, (path,))
            finding, _ = self._compare(path, rows[0] if rows else None)
            if finding is not None:
                self._settle(finding)

    def _settle(self, finding: Finding) -> None:
        """Puts a finding on record; mends it first, if that is wanted and possible."""
        if self._order.repair:
            mend(self._root, finding, self._database, self._now_utc_ns())
        self._report.findings.append(finding)

    def _find(self, kind: FindingKind, path: str, words: str) -> None:
        self._report.findings.append(Finding(kind, path, words))

    def _rows(self, sql: str, values: Sequence[str]) -> list[Segment]:
        return self._asked(lambda database: segments(database, sql, values))

    def _asked(self, question: Callable[[sqlite3.Connection], list[T]]) -> list[T]:
        """What the index says; nothing from the moment on in which it is found to be damaged."""
        if self._database is None:
            return []
        try:
            return question(self._database)
        except sqlite3.Error as error:
            cure = "`livecam-nvr reindex` rebuilds it" if is_damaged(error) else "try again"
            self._find(FindingKind.INDEX, "", f"the index cannot be read: {error}; {cure}")
            self._database.close()
            self._database = None
            return []
