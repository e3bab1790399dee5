"""Watches the machine's clock: says when it cannot be believed, and has recordings re-dated once it can."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import ClockChanged, SegmentFinished, SegmentRedated
from livecam_nvr.core.past import Ledger
from livecam_nvr.core.ports import SegmentIndex
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import ClockStatus
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.timesync import STEP_NS

_log = logging.getLogger(__name__)

_EVERY_S = 1.0
_LOOK_EVERY_S = 10.0
# Less than that is told apart from a clock that is being slewed, but nobody looks for a recording by it.
_STEP_WORTH_NS = 2 * NS
# A time server's client sets the clock and a moment later tells the kernel that it is right.
_SETTLE_S = 5.0
_RETRY_S = 30.0
# So long a machine without a time server may take to find one before anybody is told.
_PATIENCE_S = 60.0
# A clock that is behind the newest recording by less is merely a recording that is being finished.
_BEHIND_NS = 60 * NS


@dataclass(frozen=True, slots=True)
class Redated:
    """A time during which the wall clock ran on without a step and was not right; what was recorded in it has its
    true time now.
    """

    id: str
    boot: str
    """The machine's start (runtime.timesync.boot_id)."""
    begin_utc_ns: int
    """As first written."""
    end_utc_ns: int
    shift_ns: int
    """From the time as first written to the true one."""
    told_ns: int
    """That much of the shift was told to `Redating.told` before."""
    files: Mapping[str, int]
    """Per camera, the files of that time."""
    changed: Sequence[SegmentRedated]
    """Those that were changed now."""


class Redating(Protocol):
    """Knows what was recorded while the clock was not right, over restarts and power cuts."""

    async def note(self, offset_ns: int, boot_ns: int) -> None:
        """From now on (`boot_ns` after the machine's start) the wall clock, which is not synchronised, shows so
        much more than the time since that start.
        """

    async def redate(self, offset_ns: int, *, final: bool) -> Sequence[Redated]:
        """Gives everything of this machine's start that was noted its true time: `offset_ns` more than the time
        since the start. Also ends what an earlier call has left undone. Repeating it is harmless.

        Args:
            offset_ns: Counts only until a call with `final`.
            final: The clock is synchronised now.

        Raises:
            LivecamError: DISK if it cannot be done now.
        """

    async def told(self, redated: Sequence[Redated]) -> None:
        """Everybody else was told of these shifts."""


class LedgerMover(Protocol):
    """Moves what is in the ledger."""

    async def move(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, shift_ns: int, boot: str) -> int:
        """Moves what begins between two moments and was dated during the machine's start `boot`, before its clock
        was synchronised; returns how many entries that were. Raises LivecamError.
        """


class Ledgers(Ledger, LedgerMover, Protocol):
    """The ledger, and the moving of its entries."""


class TimeKeeper:
    """Made before recording begins, `start`ed before it too; re-dates nothing before `begin_redating`.

    Args:
        clock: The machine's.
        bus: ClockChanged and SegmentRedated are published there.
        redating: Re-dates the files.
        ledger: Its entries are moved, and it gets the trace (REDATED).
        index: Knows the newest recording.
        cameras: Their ids.
        every_s: How often the clock is looked at.

    Attributes:
        settled: What an earlier service left to be re-dated was re-dated, or it was tried, or the clock is still
            not right; until then the oldest recordings may merely have a wrong date.
    """

    def __init__(
        self,
        clock: Clock,
        bus: EventBus,
        *,
        redating: Redating,
        ledger: Ledgers,
        index: SegmentIndex,
        cameras: Collection[str],
        every_s: float = _EVERY_S,
    ) -> None:
        self.status = ClockStatus()
        self.settled = False
        self._clock = clock
        self._bus = bus
        self._redating = redating
        self._ledger = ledger
        self._index = index
        self._cameras = tuple(cameras)
        self._every_s = every_s
        self._offset_ns = 0
        self._synchronised = True
        self._began_s = 0.0
        self._look_s = 0.0
        self._due_s: float | None = None
        self._may_redate = False
        self._newest_utc_ns: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Looks at the clock, so that the first file is already marked if need be, and then goes on looking."""
        clock = self._clock
        await asyncio.to_thread(clock.look)
        self._began_s = self._look_s = clock.monotonic()
        self._synchronised = clock.synchronised()
        self._offset_ns = clock.utc_ns() - clock.boot_ns()
        clock.moment_of(clock.utc_ns())
        if self._synchronised:
            self._due_s = clock.monotonic()  # something may be left from before this start
        else:
            _log.warning("the clock is not synchronised yet; what is recorded is marked and re-dated when it is")
            await self._note()
        self._unsubscribe = self._bus.subscribe(SegmentFinished, self._segment_finished)
        self._tell()
        self._task = asyncio.create_task(self._watch(), name="time keeper")

    def watch(self, cameras: Collection[str]) -> None:
        """These are the cameras from now on."""
        self._cameras = tuple(cameras)

    async def begin_redating(self) -> None:
        """The archive is whole now: what an earlier service has left is repaired, and in the index."""
        await self._ask_newest()
        self._may_redate = True

    async def stop(self) -> None:
        """Ends; a file that is being re-dated is done first; idempotent."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            may_redate = self._may_redate
            try:
                await self._look()
            except LivecamError as error:
                _log.warning("re-dating is put off: %s", error)
                self._due_s = self._clock.monotonic() + _RETRY_S
            except Exception:
                _log.exception("the clock could not be looked at for an unforeseen reason")
                self._due_s = self._clock.monotonic() + _RETRY_S
            self.settled = self.settled or may_redate

    async def _look(self) -> None:
        clock = self._clock
        clock.moment_of(clock.utc_ns())  # has it remember what it shows now
        now_s, was_synchronised = clock.monotonic(), self._synchronised
        if not was_synchronised and now_s - self._look_s >= _LOOK_EVERY_S:
            self._look_s = now_s
            await asyncio.to_thread(clock.look)
        # In this order: what is shown after it is synchronised is true, what was shown before may not have been.
        self._synchronised = clock.synchronised()
        offset_ns = clock.utc_ns() - clock.boot_ns()
        step_ns, self._offset_ns = offset_ns - self._offset_ns, offset_ns
        if abs(step_ns) > STEP_NS:
            _log.warning("the clock was set by %s", _in_words(step_ns))
            if not was_synchronised:
                await self._note()
                if abs(step_ns) > _STEP_WORTH_NS:
                    self._due_s = now_s + _SETTLE_S
            if self._may_redate:
                await self._ask_newest()
        if self._synchronised and not was_synchronised:
            _log.info("the clock is synchronised")
            self._due_s = now_s
        self._tell()
        if self._may_redate and self._due_s is not None and now_s >= self._due_s:
            self._due_s = None
            await self._redate()

    async def _note(self) -> None:
        try:
            await self._redating.note(self._offset_ns, self._clock.boot_ns())
        except LivecamError as error:
            _log.warning("what is recorded now may keep a wrong time: %s", error)

    async def _redate(self) -> None:
        # Until it ends new files may come: `_segment_finished` then orders the next pass.
        redated = await self._redating.redate(self._offset_ns, final=self._synchronised)
        told = []
        for stretch in redated:
            for moved in stretch.changed:
                self._bus.publish(moved)
            more_ns = stretch.shift_ns - stretch.told_ns
            if not more_ns and not stretch.changed:
                continue
            for camera_id in {*self._cameras, *stretch.files}:
                if more_ns:
                    begin, end = stretch.begin_utc_ns + stretch.told_ns, stretch.end_utc_ns + stretch.told_ns
                    await self._ledger.move(camera_id, begin, end, more_ns, stretch.boot)
                if stretch.shift_ns and stretch.files.get(camera_id):
                    self._ledger.put(_trace(camera_id, stretch))
            told.append(stretch)
            if stretch.changed and stretch.shift_ns:
                _log.info(
                    "%d recordings of %s to %s by the clock of then were moved by %s",
                    len(stretch.changed),
                    _iso(stretch.begin_utc_ns),
                    _iso(stretch.end_utc_ns),
                    _in_words(stretch.shift_ns),
                )
        if told:
            await self._redating.told(told)
            await self._ask_newest()

    async def _ask_newest(self) -> None:
        newest: list[int] = []
        for camera_id in self._cameras:
            with contextlib.suppress(LivecamError):
                newest += [segment.start_utc_ns for segment in await self._index.latest(camera_id)]
        self._newest_utc_ns = max(newest, default=None)

    def _segment_finished(self, event: SegmentFinished) -> None:
        if event.segment.unsynced and self._synchronised:
            self._due_s = self._clock.monotonic()

    def _tell(self) -> None:
        status = ClockStatus(self._synchronised, self._warning())
        if status != self.status:
            if status.warning and not self.status.warning:
                _log.warning("clock: %s", status.warning)
            self.status = status
            self._bus.publish(ClockChanged(status))

    def _warning(self) -> str:
        now = self._clock.utc_ns()
        newest = self._newest_utc_ns
        if newest is not None and now < newest - _BEHIND_NS:
            return (
                f"this machine's clock says {_iso(now)}, but the newest recording is of {_iso(newest)}: one of the"
                " two is wrong; nothing is overwritten, but the recordings are not in order"
            )
        if self._synchronised or self._clock.monotonic() - self._began_s < _PATIENCE_S:
            return ""
        return (
            f"this machine's clock says {_iso(now)} and no time server has confirmed that since the machine was"
            " started: the times of recordings may be wrong; they are put right when one does"
        )


def _trace(camera_id: str, redated: Redated) -> Entry:
    """The same id each time, so that what is found later completes the entry."""
    entry_id = hashlib.blake2b(f"{redated.id} {camera_id}".encode(), digest_size=8).hexdigest()
    data = {"shift_ns": redated.shift_ns, "files": redated.files[camera_id]}
    # At the true time: who looks at that day finds it, and it is not thrown away as being from 1970.
    begin, end = redated.begin_utc_ns + redated.shift_ns, redated.end_utc_ns + redated.shift_ns
    return Entry(camera_id, EntryKind.REDATED, begin, end, data, entry_id)


def _iso(utc_ns: int) -> str:
    return f"{datetime.fromtimestamp(utc_ns // NS, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _in_words(step_ns: int) -> str:
    seconds = step_ns / NS
    if abs(seconds) < 120:  # noqa: PLR2004 - two minutes are still told in seconds
        return f"{seconds:+.2f} s"
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{f'{days} d ' if days else ''}{hours}:{minutes:02}:{rest:02} h"
