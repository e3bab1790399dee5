"""Keeps the archive within its limits: deletes the oldest recordings, a few at a time, before room is needed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.deletions import DeletionLog
from livecam_nvr.core.events import ClipChanged, SegmentFinished, SegmentRedated
from livecam_nvr.core.past import Ledger
from livecam_nvr.core.retention import Forecast, Settings, Shedding, forecast, status_of
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.forecast import DAY_S, outlook
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Doomed, Plan, Rules
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RetentionStatus
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_FIGURES_EVERY_S = 60.0
# Where the clock could not be synchronised so long after the start, it has to be believed.
_CLOCK_PATIENCE_S = 3600.0
# A rate over less time would tell more about the last minutes than about the day.
_SHORTEST_RATE_S = 3600.0
# An index that is being rebuilt, newest days first, would have the wrong ones deleted. But one file that can't be
# read keeps it incomplete for ever.
_INDEX_PATIENCE_S = 3600.0
# A recording whose date is wrong would be the oldest of all; so long it can wait for its right date.
_UNDATED_S = 3600.0
_PLANNED = 500
_STEP = 5
_SETTLE_AFTER = 50


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it looks, and how fast it deletes."""

    every_s: float = 60.0
    soon_s: float = 5.0
    """After a finished file: soon, but cameras that finish at different moments share a look."""
    step_pause_s: float = 0.25
    """After each five files, unless space is urgent: 20 a second, many times what 64 cameras record."""


_PACE = Pace()


class Janitor:
    """Looks every minute and soon after each finished file, and deletes what has to go.

    Recordings of clips are never deleted, also those of a clip that was kept a moment ago or that a new index
    does not know yet.

    Args:
        shed: The archive.
        ledger: Told what was deleted.
        bus: Tells of finished files and kept clips; told of deletions (FootageDeleted).
        clock: Time.
        settings: The limits.
        ready: False until the index has all entries about clips; nothing is deleted before that.
        pace: How often and how fast.
    """

    def __init__(
        self,
        shed: Shedding,
        ledger: Ledger,
        bus: EventBus,
        clock: Clock,
        settings: Settings,
        *,
        ready: Callable[[], bool] = lambda: True,
        pace: Pace = _PACE,
    ) -> None:
        self._shed = shed
        self._clock = clock
        self._settings = settings
        self._rules = settings.rules()
        # From the level that counts as critical on, pauses would cost recordings.
        self._urgent_free = settings.recording.free_levels[1]
        self._ready = ready
        self._pace = pace
        self._log = DeletionLog(ledger, clock, bus)
        # Told by the bus, and read in the index, which may lag behind or lose them: either protects.
        self._announced: dict[str, Clip] = {}
        self._indexed: dict[str, Clip] = {}
        self._released: set[str] = set()
        self._undated: dict[str, float] = {}
        self._status = RetentionStatus()
        self._figures_s = float("-inf")
        self._began_utc_ns = clock.utc_ns()
        self._began_s = clock.monotonic()
        self._failure = ""
        self._incomplete_since_s: float | None = None
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe = (
            bus.subscribe(SegmentFinished, self._segment_finished),
            bus.subscribe(SegmentRedated, self._segment_redated),
            bus.subscribe(ClipChanged, self._clip_changed),
        )

    async def start(self) -> None:
        """Begins to look, in the background."""
        self._task = asyncio.create_task(self._watch(), name="retention")

    async def stop(self) -> None:
        """Ends after the step at hand and writes down what was deleted; idempotent."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._stopping.set()
        self._wake.set()
        if self._task is not None:
            task, self._task = self._task, None
            try:
                await asyncio.shield(task)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                self._log.close()

    def configure(self, settings: Settings) -> None:
        """Other limits, from the next look on, which is soon."""
        self._settings = settings
        self._rules = settings.rules()
        self._urgent_free = settings.recording.free_levels[1]
        self._figures_s = float("-inf")
        self._wake.set()

    def look(self) -> None:
        """Has it look soon: limits or space have changed."""
        self._wake.set()

    def status(self) -> RetentionStatus:
        """See core.retention.RetentionDesk."""
        return self._status

    async def forecast(
        self, changes: Mapping[str, str] | None = None, camera_id: str | None = None
    ) -> tuple[Rules, Forecast]:
        """See core.retention.RetentionDesk."""
        rules = self._settings.changed(changes or {}, camera_id).rules()
        now_utc_ns = self._clock.utc_ns()
        return rules, await forecast(self._shed, rules, now_utc_ns, self._rate_since(), clips=tuple(self._kept()))

    async def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._look()
            except LivecamError as error:
                self._failed(f"{error.message}; {error.hint}" if error.hint else error.message)
            except Exception:
                _log.exception("retention failed in an unforeseen way; it goes on in a minute")
                await self._pause(self._pace.every_s)
            else:
                self._failed("")
            self._log.write_due()
            await self._pause(self._pace.soon_s)
            # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.every_s):
                    await self._wake.wait()
            self._wake.clear()

    async def _look(self) -> None:
        if self._ready():
            try:
                await self._delete()
            finally:
                self._log.pass_over()
        if self._clock.monotonic() - self._figures_s >= _FIGURES_EVERY_S:
            inventory = await self._shed.inventory(self._clock.utc_ns(), self._rate_since())
            self._status = status_of(inventory, outlook(inventory, self._rules))
            self._figures_s = self._clock.monotonic()

    async def _delete(self) -> None:
        """Deletes until every limit holds, or nothing more can be deleted."""
        while not self._stopping.is_set():
            plan = await self._shed.plan(
                self._rules,
                self._clock.utc_ns(),
                by_age=self._clock_is_right(),
                most=_PLANNED,
                clips=tuple(self._kept()),
                spare=self._without_date(),
            )
            self._indexed.update({clip.id: clip for clip in plan.clips if clip.id not in self._released})
            if not plan.doomed or not self._knows_enough(plan):
                return
            deleted = await self._carry_out(plan.doomed)
            self._figures_s = float("-inf")
            if plan.whole or not deleted:
                return

    async def _carry_out(self, doomed: tuple[Doomed, ...]) -> int:
        """Deletes what is planned, in steps; returns how many files are gone."""
        deleted = settled = 0
        for at in range(0, len(doomed), _STEP):
            # What somebody has kept since the plan was made stays.
            step = [item for item in doomed[at : at + _STEP] if not self._is_kept(item)]
            self._log.announce(step)
            try:
                done = await self._shed.unlink([item.file for item in step])
            except LivecamError:
                await self._shed.settle()
                raise
            reasons = {item.file.path: item.reason for item in step}
            self._log.add(Doomed(file, reasons[file.path]) for file in done.gone)
            deleted += len(done.gone)
            if self._stopping.is_set():
                break
            if deleted - settled >= _SETTLE_AFTER:
                await self._shed.settle()
                settled = deleted
            if at + _STEP < len(doomed) and done.free_bytes >= self._urgent_free:
                await self._pause(self._pace.step_pause_s)
        # Not where it was cancelled: a disk that hangs must not keep the service from ending. The next pass does.
        await self._shed.settle()
        return deleted

    def _knows_enough(self, plan: Plan) -> bool:
        """Whether the index can say which recordings are the oldest; else only urgent want of space counts."""
        now_s = self._clock.monotonic()
        if plan.complete:
            self._incomplete_since_s = None
            return True
        if self._incomplete_since_s is None:
            self._incomplete_since_s = now_s
            _log.info("the index is not complete yet: recordings are deleted later, or when space is urgent")
        return plan.free_bytes < self._urgent_free or now_s - self._incomplete_since_s >= _INDEX_PATIENCE_S

    def _is_kept(self, item: Doomed) -> bool:
        file = item.file
        return any(
            clip.camera_id == file.camera_id
            and clip.begin_utc_ns < file.end_utc_ns
            and max(clip.end_utc_ns, clip.begin_utc_ns + 1) > file.begin_utc_ns
            for clip in self._kept()
        )

    def _kept(self) -> Iterator[Clip]:
        yield from self._announced.values()
        yield from self._indexed.values()

    def _without_date(self) -> tuple[str, ...]:
        now_s = self._clock.monotonic()
        self._undated = {path: until for path, until in self._undated.items() if until > now_s}
        return tuple(self._undated)

    def _segment_finished(self, event: SegmentFinished) -> None:
        if event.segment.unsynced:
            self._undated[event.segment.path] = self._clock.monotonic() + _UNDATED_S
        self._wake.set()

    def _segment_redated(self, event: SegmentRedated) -> None:
        self._undated.pop(event.was_path, None)
        self._wake.set()

    def _clip_changed(self, event: ClipChanged) -> None:
        clip = event.clip
        if event.removed:
            self._released.add(clip.id)
            self._announced.pop(clip.id, None)
            self._indexed.pop(clip.id, None)
        else:
            self._released.discard(clip.id)
            self._announced[clip.id] = clip

    def _clock_is_right(self) -> bool:
        """Whether ages can be told: a clock that is wrong by years would make everything too old at once."""
        return self._clock.synchronised() or self._clock.monotonic() - self._began_s >= _CLOCK_PATIENCE_S

    def _rate_since(self) -> int | None:
        """Since when the present rate is measured: a day, or since the start; None while that is too short."""
        running_s = self._clock.monotonic() - self._began_s
        if running_s < _SHORTEST_RATE_S:
            return None
        return self._clock.utc_ns() - round(min(running_s, DAY_S) * NS)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _failed(self, why: str) -> None:
        if why != self._failure:
            if why:
                _log.error("no recordings are deleted now: %s", why)
            else:
                _log.info("recordings can be deleted again where the limits ask for it")
            self._failure = why
