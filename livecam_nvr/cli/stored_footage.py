"""The footage of an archive for commands: from the index's file and the newest files, without the service."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from livecam_nvr.core.past import DayTotal
from livecam_nvr.domain.coverage import Coverage, Span
from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.repair import is_our_name, reader
from livecam_nvr.storage.files.survey import is_finished, read_head
from livecam_nvr.storage.footage.footage import FileFootage
from livecam_nvr.storage.index.rows import BETWEEN, NEWEST_PATH, segments
from livecam_nvr.storage.ledger.past import read_days
from livecam_nvr.storage.ledger.past_unattended import coverage_of
from livecam_nvr.storage.place.folders import cameras, days, indexed_cameras
from livecam_nvr.storage.place.holder import holder
from livecam_nvr.storage.shedding.stocktaking import StoredIndex

if TYPE_CHECKING:
    from livecam_nvr.storage.index.index import Index

_NEWEST_DAYS = 2


class _Reader(StoredIndex):
    """As much of an index as footage needs; `more` are finished files that it does not have."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.more: list[Segment] = []

    async def between(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, limit: int = 10_000
    ) -> list[Segment]:
        """See core.ports.SegmentIndex."""
        values = {"camera": camera_id, "begin": begin_utc_ns, "end": end_utc_ns, "limit": limit}
        found = await self.ask(lambda db: segments(db, BETWEEN, values))
        found += (
            one
            for one in self.more
            if one.camera_id == camera_id and one.start_utc_ns < end_utc_ns and one.end_utc_ns > begin_utc_ns
        )
        return sorted(found, key=lambda one: one.start_utc_ns)[:limit]

    async def flush(self) -> None:
        """Nothing of this process waits to be written."""


async def stored_footage(root: Path, database: Path) -> tuple[FileFootage, list[str]]:
    """The footage in the archive `root`, and the cameras that its index `database` knows.

    Raises:
        LivecamError: UNAVAILABLE if the index cannot be read.
    """
    index = _Reader(database)

    def look(db: sqlite3.Connection) -> dict[str, str]:
        found = {}
        for camera_id in indexed_cameras(db):
            row = db.execute(NEWEST_PATH, (camera_id,)).fetchone()
            found[camera_id] = row[0] if row else ""
        return found

    newest = await index.ask(look)
    # What a running service is writing, or a killed one has left, the index does not have yet.
    growing: list[str] = []
    for path in _newer(root, newest):
        finished = _finished(root, path)
        if finished is None:
            growing.append(path)
        else:
            index.more.append(finished)
    return FileFootage(root, cast("Index", index), lambda: growing), sorted(newest)


class StoredPast:
    """Coverage of the archive `root` by its index `database` (core.past.Past, as far as an export needs it)."""

    def __init__(self, root: Path, database: Path) -> None:
        self._root = root
        self._index = _Reader(database)

    async def coverage(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        """See core.past.Past."""
        running = await asyncio.to_thread(holder, self._root) is not None
        now = time.time_ns()
        asked = Span(begin_utc_ns, min(end_utc_ns, now))
        return await self._index.ask(
            lambda db: coverage_of(db, self._root, camera_id, asked, now, running=running)
        )

    async def days(self, camera_id: str) -> list[DayTotal]:
        """See core.past.Past."""
        return await self._index.ask(lambda db: read_days(db, camera_id))


def _finished(root: Path, path: str) -> Segment | None:
    try:
        with (root / path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = read_head(reader(file.fileno()), size)
            return head.label.segment(path) if is_finished(head, size) else None
    except (OSError, BoxError):
        return None


def _newer(root: Path, newest: dict[str, str]) -> Iterator[str]:
    with suppress(OSError):  # an archive that is not there has no files: that is told when they are read
        for camera_id in cameras(root):
            known = newest.get(camera_id, "")
            for day in days(root, camera_id)[-_NEWEST_DAYS:]:
                folder = f"{camera_id}/{day}"
                paths = (f"{folder}/{entry.name}" for entry in sorted((root / folder).iterdir()))
                yield from (path for path in paths if path > known and is_our_name(path))
