"""Watches the recordings' disk: holds the recorders while nothing may be written, tells what is wrong with it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import DiskChanged, RecordingChanged
from livecam_nvr.core.ports import DiskProbe
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.disk import UNUSABLE, DiskLoad, FreeLevels, assessed, must_pause, space_level
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import DiskLevel, DiskStatus, DiskTrouble, Fault
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_EVERY_S = 5.0
_IN_TROUBLE_S = 1.0
_LOG_LEVELS = {DiskLevel.OK: logging.INFO, DiskLevel.WARNING: logging.WARNING}


class DiskGuard:
    """Looks every few seconds, each second in trouble, and at once when a recorder says that the disk refused.

    Args:
        probe: Figures, and whether it is the right disk.
        recorders: Held while nothing may be written.
        bus: DiskChanged is published there.
        clock: Says when a pause began.
        min_free_bytes: With less free, recording pauses.
        critical_free_bytes: With less free it is critical; 0: no such level.
        warning_free_bytes: With less free there is a warning; 0: no such level.
        load: How the disk keeps up with what is written (the archive tells).

    Attributes:
        status: What was found last.
    """

    def __init__(
        self,
        probe: DiskProbe,
        recorders: Mapping[str, Recorder],
        bus: EventBus,
        clock: Clock,
        *,
        min_free_bytes: int,
        critical_free_bytes: int = 0,
        warning_free_bytes: int = 0,
        load: Callable[[], DiskLoad] = DiskLoad,
    ) -> None:
        self.status = DiskStatus("")
        self._probe = probe
        self._recorders = recorders
        self._levels = FreeLevels(min_free_bytes, critical_free_bytes, warning_free_bytes)
        self._load = load
        self._bus = bus
        self._clock = clock
        self._figures = DiskStatus("")
        self._space = DiskLevel.OK
        self._hold: Fault | None = None
        self._hold_for = DiskTrouble.NONE
        self._over: frozenset[Fault] = frozenset()
        """Faults of the recorders from before a pause, which a recorder keeps until it has written for a while."""
        self._look_now = asyncio.Event()
        self._usable = asyncio.Event()
        self._unusable = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe = bus.subscribe(RecordingChanged, self._recording_changed)

    async def start(self) -> None:
        """Looks once, so that nothing is recorded onto a full disk, and then goes on looking."""
        await self._look()
        self._task = asyncio.create_task(self._watch(), name="disk guard")

    async def stop(self) -> None:
        """Ends; idempotent."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def welcome(self, recorder: Recorder) -> None:
        """A recorder that is new among `recorders` is held like the others."""
        recorder.hold(self._hold)

    def configure(self, *, min_free_bytes: int, critical_free_bytes: int, warning_free_bytes: int) -> None:
        """Other levels, from the next look on, which is at once."""
        self._levels = FreeLevels(min_free_bytes, critical_free_bytes, warning_free_bytes)
        self._look_now.set()

    async def until_usable(self) -> None:
        """Returns when the archive can be read and written, as far as can be seen; at once if it can."""
        await self._usable.wait()

    async def until_unusable(self) -> None:
        """Returns when the archive cannot be read or written; at once if it cannot."""
        await self._unusable.wait()

    async def _watch(self) -> None:
        while True:
            grave = self.status.level in (DiskLevel.CRITICAL, DiskLevel.FULL)
            # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_IN_TROUBLE_S if grave else _EVERY_S):
                    await self._look_now.wait()
            self._look_now.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            found = await self._probe.probe()
        except (LivecamError, OSError) as error:
            hint = error.hint if isinstance(error, LivecamError) else ""
            found = DiskStatus("", trouble=DiskTrouble.BROKEN, reason=str(error), hint=hint)
        if found.trouble is DiskTrouble.NONE:
            self._figures = found
            self._space = space_level(found.free_bytes, self._levels, self._space)
        else:
            # The figures of another disk in its place, or none at all, would mislead: the last ones are kept.
            path = found.path or self._figures.path
            found = replace(self._figures, path=path, trouble=found.trouble, reason=found.reason, hint=found.hint)
        self._hold_or_release(found)
        fault = next((fault for fault in self._faults() if fault not in self._over), None)
        self._set(
            assessed(found, self._space, self._levels, load=self._load(), fault=fault, was=self.status.trouble)
        )

    def _faults(self) -> list[Fault]:
        found = (recorder.status().fault for recorder in self._recorders.values())
        return [fault for fault in found if fault is not None and fault != self._hold]

    def _hold_or_release(self, found: DiskStatus) -> None:
        released = False
        if not must_pause(found, self._space):
            released = self._hold is not None
            self._hold, self._hold_for = None, DiskTrouble.NONE
        else:
            why = assessed(found, self._space, self._levels)
            if why.trouble is not self._hold_for:
                self._hold_for = why.trouble
                self._hold = Fault(why.reason, why.hint, self._clock.utc_ns())
        for recorder in self._recorders.values():
            recorder.hold(self._hold)
        if released:
            self._over = frozenset(self._faults())

    def _set(self, status: DiskStatus) -> None:
        before, self.status = self.status, status
        usable = status.trouble not in UNUSABLE
        (self._usable if usable else self._unusable).set()
        (self._unusable if usable else self._usable).clear()
        if (status.level, status.trouble) != (before.level, before.trouble):
            words = f"{status.reason}; {status.hint}" if status.problem else "all right again"
            _log.log(_LOG_LEVELS.get(status.level, logging.ERROR), "disk: %s", words)
        if status != before:
            self._bus.publish(DiskChanged(status))

    def _recording_changed(self, event: RecordingChanged) -> None:
        if event.status.fault and self.status.level in (DiskLevel.OK, DiskLevel.WARNING):
            self._look_now.set()
