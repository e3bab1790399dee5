"""Hashes each finished file and writes it down, in a thread of its own; recording never waits for it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.evidence.manifests import (
    ManifestWriter,
    day_of,
    drop_before,
    file_hash,
    known_hashes,
    record,
)
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_GATHER_S = 10.0
_RETRY_S = 30.0
_MOST_WAITING = 10_000
_KEPT_NS = 396 * 86_400 * NS  # as long as the ledger


@dataclass(frozen=True, slots=True)
class _File:
    segment: Segment
    what: str = "recorded"
    replaces: tuple[str, ...] = ()


class EvidenceKeeper:
    """Adds finished files to the chain of manifests.

    Files wait a few seconds for others, so that a line costs no sync of its own. What a killed service did not
    write down, `catch_up` does after the next start.

    Args:
        root: The archive.
        clock: Names the days.
        writable: Whether the archive may be written to now (that it is the right disk).
    """

    def __init__(self, root: Path, clock: Clock, writable: Callable[[], bool] = lambda: True) -> None:
        self._root = root
        self._clock = clock
        self._writable = writable
        self._writer = ManifestWriter(root)
        self._queue: SimpleQueue[_File | Callable[[], None]] = SimpleQueue()
        self._waiting: list[_File] = []
        self._stopped = False
        self._failing = False
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begins."""
        self._thread = Thread(target=self._run, name="evidence", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Writes down what waits, and ends; idempotent."""
        if self._thread is not None:
            self._thread = None
            await self._at_thread(self._end)

    def add(self, segment: Segment, what: str = "recorded", replaces: Iterable[str] = ()) -> None:
        """A file is finished, or took the place of others; see `record`."""
        self._queue.put(_File(segment, what, tuple(replaces)))

    def catch_up(self, segments: Sequence[Segment]) -> None:
        """Adds those that are not in the manifests of their day or a later one."""
        if segments:
            self._queue.put(lambda: self._add_unknown(segments))

    async def flush(self) -> None:
        """Returns when all files handed over so far were written down, or tried."""
        if self._thread is not None:
            await self._at_thread(self._write)

    async def _at_thread(self, work: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        def run() -> None:
            try:
                work()
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(finish)

        self._queue.put(run)
        await done

    def _end(self) -> None:
        self._write()
        self._stopped = True

    def _drop_old(self) -> None:
        now = self._clock.utc_ns()
        if not self._writable() or not self._clock.synchronised():
            return
        try:
            dropped = drop_before(self._root, day_of(now - _KEPT_NS))
        except OSError as error:
            self._refused(error)
        else:
            if dropped:
                _log.info("%d manifests of more than thirteen months ago were deleted", dropped)

    def _run(self) -> None:
        self._try(self._drop_old)
        while not self._stopped:
            pause_s = (_RETRY_S if self._failing else _GATHER_S) if self._waiting else None
            try:
                self._take(self._queue.get(timeout=pause_s))
            except Empty:
                self._try(self._write)

    def _take(self, item: _File | Callable[[], None]) -> None:
        if not isinstance(item, _File):
            self._try(item)
            return
        self._waiting.append(item)
        if len(self._waiting) > _MOST_WAITING:
            _log.error("%d files get no entry in the manifests yet; the next start adds them", len(self._waiting))
            self._waiting.clear()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _log.exception("the manifests cannot be written for an unforeseen reason")

    def _add_unknown(self, segments: Sequence[Segment]) -> None:
        try:
            known = known_hashes(self._root, min(day_of(segment.start_utc_ns) for segment in segments))
        except OSError as error:
            self._refused(error)
            return
        self._waiting += [_File(segment) for segment in segments if segment.path not in known]
        self._write()

    def _write(self) -> None:
        if not self._waiting or not self._writable():
            return
        records: list[dict[str, Any]] = []
        try:
            for file in self._waiting:
                # A file that retention has deleted meanwhile needs no proof.
                with contextlib.suppress(FileNotFoundError):
                    sha256, _ = file_hash(self._root / file.segment.path)
                    records.append(record(file.segment, sha256, file.what, file.replaces))
            if records:
                self._writer.append(records, self._clock.utc_ns())
        except OSError as error:
            self._refused(error)
            return
        self._waiting.clear()
        self._failing = False

    def _refused(self, error: OSError) -> None:
        if not self._failing:
            _log.error("the manifests cannot be written: %s", in_words(error, str(self._root)))
        self._failing = True
