"""Watches the recordings' disk: holds the recorders before it is full, tells what is wrong with it."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import DiskChanged, RecordingChanged
from livecam_nvr.core.ports import DiskProbe
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.disk import too_full
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import DiskStatus, Fault
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_EVERY_S = 5.0


class DiskGuard:
    """Looks every few seconds, and at once when a recorder says that the disk refused."""

    def __init__(
        self,
        probe: DiskProbe,
        recorders: Mapping[str, Recorder],
        bus: EventBus,
        clock: Clock,
        *,
        min_free_bytes: int,
    ) -> None:
        self.status = DiskStatus("")
        self._probe = probe
        self._recorders = recorders
        self._min_free_bytes = min_free_bytes
        self._bus = bus
        self._clock = clock
        self._full = False
        self._hold: Fault | None = None
        self._look_now = asyncio.Event()
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

    async def _watch(self) -> None:
        while True:
            # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._look_now.wait()
            self._look_now.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            found = await self._probe.probe()
        except (LivecamError, OSError) as error:
            self._set(replace(self.status, problem=True, reason=str(error)))
            return
        self._full = too_full(found.free_bytes, self._min_free_bytes, was=self._full)
        if not self._full:
            self._hold = None
        elif self._hold is None:
            free, needed = found.free_bytes / 1e9, self._min_free_bytes / 1e9
            self._hold = Fault(
                f"only {free:.2f} GB free; recording pauses below {needed:.2f} GB",
                "free some space, or lower recording.min_free",
                self._clock.utc_ns(),
            )
        for recorder in self._recorders.values():
            recorder.hold(self._hold)
        faults = (recorder.status().fault for recorder in self._recorders.values())
        reason = next((fault.message for fault in faults if fault is not None), "")
        self._set(replace(found, problem=bool(reason), reason=reason))

    def _set(self, status: DiskStatus) -> None:
        if status.problem != self.status.problem:
            level = logging.ERROR if status.problem else logging.INFO
            _log.log(level, "disk: %s", status.reason or "all right again")
        if status != self.status:
            self.status = status
            self._bus.publish(DiskChanged(status))

    def _recording_changed(self, event: RecordingChanged) -> None:
        if bool(event.status.fault) and not self.status.problem:
            self._look_now.set()
