"""Looks at the archive through its index (core.retention.Stocktaking), also without a service."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from livecam_nvr.core.retention import AHEAD_S
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.forecast import Inventory
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Deletion, Doomed, Plan, Rules, choose, summary
from livecam_nvr.storage.index.database import connect
from livecam_nvr.storage.index.rows import IS_COMPLETE
from livecam_nvr.storage.own_thread import in_own_thread
from livecam_nvr.storage.place.marker import existing
from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.shedding import stock

T = TypeVar("T")


class Asker(Protocol):
    """Answers questions to the index (`storage.index.Index`)."""

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Raises LivecamError UNAVAILABLE if there is no index."""


class StoredIndex:
    """An index's file without a service, or beside one; only asked.

    Args:
        path: The SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """See Asker."""

        def read() -> T:
            with closing(connect(self._path, read_only=True)) as connection:
                return question(connection)

        try:
            return await asyncio.to_thread(read)
        except sqlite3.Error as error:
            there = await asyncio.to_thread(self._path.exists)
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                f"the index {self._path} cannot be read: {error}" if there else f"there is no index {self._path}",
                "start the service once: it makes the index, or brings it up to date",
            ) from error


@dataclass(frozen=True, slots=True)
class Lacks:
    """What is no candidate for deletion although the index has it, and what the disk does not show yet."""

    skip: Callable[[str], bool]
    """Whether the file at a path is left out."""
    gone_bytes: Callable[[sqlite3.Connection], dict[str, int]]
    """By camera, the bytes of files that are gone."""
    freed_bytes: int = 0
    """Besides what the file system shows as free."""


NOTHING = Lacks(lambda _path: False, lambda _db: {})


class ArchiveStock:
    """Looks at the archive in `root` through its index (core.retention.Stocktaking)."""

    def __init__(self, root: Path, index: Asker) -> None:
        self._root = root
        self._index = index
        self._space: asyncio.Future[tuple[int, int]] | None = None

    async def inventory(self, now_utc_ns: int, since_utc_ns: int | None) -> Inventory:
        """See core.retention.Stocktaking."""
        free, whole = await self._look_at_space()

        def look(db: sqlite3.Connection) -> Inventory:
            complete = db.execute(IS_COMPLETE).fetchone() is not None
            return Inventory(stock.holdings(db, now_utc_ns, since_utc_ns), free, whole, complete)

        return await self._index.ask(look)

    async def plan(
        self,
        rules: Rules,
        now_utc_ns: int,
        *,
        by_age: bool,
        most: int,
        clips: Collection[Clip] = (),
        lacks: Lacks = NOTHING,
    ) -> Plan:
        """See core.retention.Stocktaking; `lacks` is what the archive has no more although the index has it."""
        free, _ = await self._look_at_space()

        def look(db: sqlite3.Connection) -> Plan:
            known = stock.clips(db)
            doomed = _doomed(db, rules, now_utc_ns, free, by_age=by_age, clips=(*known, *clips), lacks=lacks)
            found = tuple(islice(doomed, most))
            complete = db.execute(IS_COMPLETE).fetchone() is not None
            return Plan(found, next(doomed, None) is None, tuple(known), free, complete)

        return await self._index.ask(look)

    async def deletions(
        self,
        rules: Rules,
        now_utc_ns: int,
        *,
        most: int | None,
        clips: Collection[Clip] = (),
        lacks: Lacks = NOTHING,
    ) -> tuple[list[Deletion], bool]:
        """See core.retention.Stocktaking; for `lacks` see `plan`."""
        free, _ = await self._look_at_space()

        def look(db: sqlite3.Connection) -> tuple[list[Deletion], bool]:
            spared = (*stock.clips(db), *clips)
            doomed = _doomed(db, rules, now_utc_ns, free, by_age=True, clips=spared, lacks=lacks)
            return summary(islice(doomed, most)), next(doomed, None) is None

        return await self._index.ask(look)

    async def _look_at_space(self) -> tuple[int, int]:
        # One thread at most: a disk that hangs must not collect them.
        if self._space is None or self._space.done():
            self._space = in_own_thread(lambda: space(self._root), "retention's look at the disk")
        return await asyncio.shield(self._space)


def _doomed(
    db: sqlite3.Connection,
    rules: Rules,
    now_utc_ns: int,
    free_bytes: int,
    *,
    by_age: bool,
    clips: Collection[Clip],
    lacks: Lacks,
) -> Iterator[Doomed]:
    return choose(
        stock.stocks(db, rules, clips, now_utc_ns, skip=lacks.skip, gone_bytes=lacks.gone_bytes(db)),
        rules,
        now_utc_ns=now_utc_ns,
        free_bytes=free_bytes + lacks.freed_bytes,
        ahead_bytes=stock.ahead_bytes(db, rules.cameras, AHEAD_S),
        by_age=by_age,
    )


def space(root: Path) -> tuple[int, int]:
    """Free bytes for an unprivileged user, and all, of the file system that `root` lies on.

    Raises:
        LivecamError: DISK if it can't be looked at.
    """
    try:
        figures = os.statvfs(existing(root))
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK, f"the disk cannot be looked at: {in_words(error, str(root))}"
        ) from error
    return figures.f_bavail * figures.f_frsize, figures.f_blocks * figures.f_frsize
