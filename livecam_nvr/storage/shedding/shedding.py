"""Deletes recordings safely (core.retention.Shedding): file, folder, and only then the row in the index."""

import asyncio
import errno
import logging
import os
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Protocol

from livecam_nvr.core.retention import Unlinked
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.forecast import Inventory
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Deletion, Plan, Recorded, Rules
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.repair import is_our_name
from livecam_nvr.storage.index.rows import Statement, remove
from livecam_nvr.storage.own_thread import in_own_thread
from livecam_nvr.storage.place.marker import Marker
from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.shedding.stocktaking import ArchiveStock, Asker, Lacks, space

_log = logging.getLogger(__name__)

_BROKEN = ".broken"
# Where a deletion was refused it is tried again after so long, and the log says so as seldom.
_REFUSED_S = 600.0
# Some file systems give space back only when they next commit (btrfs: 30 s).
_LAG_S = 45.0
_MOST_GONE = 20_000


class ChangeableIndex(Asker, Protocol):
    """The same, and takes changes."""

    def apply(self, statements: Iterable[Statement]) -> None:
        """Makes them soon."""

    async def flush(self) -> None:
        """Returns when they are made, or were tried."""


class ArchiveShedding:
    """Deletes from the archive in `root` (core.retention.Shedding).

    Args:
        root: The archive.
        index: Told what is gone.
        clock: Says when to try again, and which day folder may still be written to.
        marker: Tells whether the archive's own disk is there, so that the files of a missing one don't count as
            deleted; None: it always is.
    """

    def __init__(self, root: Path, index: ChangeableIndex, clock: Clock, marker: Marker | None = None) -> None:
        self._root = root
        self._index = index
        self._clock = clock
        self._marker = marker
        self._stock = ArchiveStock(root, index)
        self._refused: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._gone: dict[str, Recorded] = {}
        self._unsettled: list[Recorded] = []
        self._lag: list[tuple[float, int]] = []

    async def inventory(self, now_utc_ns: int, since_utc_ns: int | None) -> Inventory:
        """See core.retention.Stocktaking."""
        return await self._stock.inventory(now_utc_ns, since_utc_ns)

    async def plan(
        self,
        rules: Rules,
        now_utc_ns: int,
        *,
        by_age: bool,
        most: int,
        clips: Collection[Clip] = (),
        spare: Collection[str] = (),
    ) -> Plan:
        """See core.retention.Shedding."""
        lacks = self._lacks(frozenset(spare))
        return await self._stock.plan(rules, now_utc_ns, by_age=by_age, most=most, clips=clips, lacks=lacks)

    async def deletions(
        self, rules: Rules, now_utc_ns: int, *, most: int | None, clips: Collection[Clip] = ()
    ) -> tuple[list[Deletion], bool]:
        """See core.retention.Stocktaking."""
        return await self._stock.deletions(rules, now_utc_ns, most=most, clips=clips, lacks=self._lacks())

    async def unlink(self, files: Sequence[Recorded]) -> Unlinked:
        """See core.retention.Shedding."""
        done = await asyncio.shield(in_own_thread(lambda: self._unlink(files), "retention"))
        self._unsettled += done.gone
        return done

    async def settle(self) -> None:
        """See core.retention.Shedding."""
        done, self._unsettled = self._unsettled, []
        if not done:
            return
        folders = {str(PurePosixPath(file.path).parent) for file in done}
        await asyncio.shield(in_own_thread(lambda: self._tidy(folders), "retention"))
        self._gone.update({file.path: file for file in done})
        self._index.apply(statement for file in done for statement in remove(file.path))
        await self._index.flush()

    def _lacks(self, spare: frozenset[str] = frozenset()) -> Lacks:
        now_s = self._clock.monotonic()
        self._refused = {path: until for path, until in self._refused.items() if until > now_s}
        self._lag = [(until, size) for until, size in self._lag if until > now_s]
        # Looked at in another thread, while this one may go on.
        refused, gone = frozenset(self._refused), frozenset(self._gone)

        def skip(path: str) -> bool:
            return path in gone or path in spare or path in refused or path.rpartition("/")[0] in refused

        return Lacks(skip, self._still_indexed, sum(size for _, size in self._lag))

    def _still_indexed(self, db: sqlite3.Connection) -> dict[str, int]:
        """What the index counts although it is gone, by camera: one that can't be written forgets nothing."""
        found: dict[str, int] = {}
        for path, file in list(self._gone.items()):
            if db.execute("SELECT 1 FROM segment WHERE path = ?", (path,)).fetchone() is None:
                self._gone.pop(path, None)
            else:
                found[file.camera_id] = found.get(file.camera_id, 0) + file.bytes
        while len(self._gone) > _MOST_GONE:
            self._gone.pop(next(iter(self._gone)), None)
        return found

    def _unlink(self, files: Sequence[Recorded]) -> Unlinked:
        self._demand_archive()
        before, _ = space(self._root)
        gone, freed = [], 0
        for file in files:
            try:
                if _is_inside(file.path):
                    (self._root / file.path).unlink()
                    freed += file.bytes
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                self._refuse(file, error)
                continue
            gone.append(file)
        after, _ = space(self._root)
        if (lag := freed - (after - before)) > 0:
            self._lag.append((self._clock.monotonic() + _LAG_S, min(lag, freed)))
        return Unlinked(tuple(gone), after)

    def _demand_archive(self) -> None:
        try:
            there = self._root.is_dir() and (self._marker is None or self._marker.look())
        except OSError as error:
            raise LivecamError(ErrorKind.DISK, in_words(error, str(self._root))) from error
        if not there:
            raise LivecamError(
                ErrorKind.DISK, f"the archive is not at {self._root}", "see that its disk is mounted"
            )

    def _refuse(self, file: Recorded, error: OSError) -> None:
        if error.errno == errno.EROFS:
            raise LivecamError(
                ErrorKind.DISK, f"no recording can be deleted: {in_words(error, file.path)}", "mount it read-write"
            ) from error
        now_s = self._clock.monotonic()
        # EACCES is about the folder (unlink(2)): all others in it would be refused, too.
        what = str(PurePosixPath(file.path).parent) if error.errno == errno.EACCES else file.path
        self._refused[what] = now_s + _REFUSED_S
        words = in_words(error, what)
        if now_s >= self._told.get(words, 0.0):
            if len(self._told) >= 256:  # noqa: PLR2004 - a bound, no more
                self._told.clear()
            self._told[words] = now_s + _REFUSED_S
            _log.error("a recording cannot be deleted; the next ones go instead: %s", words)

    def _tidy(self, folders: Collection[str]) -> None:
        """Makes the deletions durable, removes the day folders that are empty now."""
        busy = self._busy_days()
        for folder in sorted(folders):
            path = self._root / folder
            try:
                if path.name not in busy and _remove_empty(path):
                    self._remove_left_over(path)
                    path = path.parent
                sync_dir(path)
            except FileNotFoundError:
                pass
            except OSError as error:
                # A file that comes back after a power cut is found by the next full comparison with the index.
                _log.warning("a folder cannot be tidied up: %s", in_words(error, folder))

    def _remove_left_over(self, removed: Path) -> None:
        """Removes the earlier days of the camera in which there is nothing but what was set aside."""
        for folder in sorted(removed.parent.iterdir()):
            if folder.name < removed.name and folder.name.isdecimal() and folder.is_dir():
                _remove_empty(folder)

    def _busy_days(self) -> set[str]:
        """Day folders that a file could be created in at this moment."""
        utc_ns = self._clock.utc_ns()
        local = datetime.fromtimestamp(utc_ns // NS, UTC) + timedelta(seconds=self._clock.utc_offset_s(utc_ns))
        return {f"{local + timedelta(hours=hours):%y%m%d}" for hours in (-2, 0, 2)}


def _is_inside(path: str) -> bool:
    """Whether a path from the index, which may be damaged, is one of a recording."""
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and pure.suffix == ".mp4"


def _remove_empty(folder: Path) -> bool:
    """Removes a day folder in which there is nothing, or nothing but files that were set aside as damaged."""
    with os.scandir(folder) as entries:
        left = []
        for entry in entries:
            recording = f"{folder.parent.name}/{folder.name}/{entry.name.removesuffix(_BROKEN)}"
            if not entry.name.endswith(_BROKEN) or not is_our_name(recording):
                return False
            left.append(entry.path)
    for path in left:
        Path(path).unlink()
    with suppress(FileNotFoundError):
        folder.rmdir()
    return True
