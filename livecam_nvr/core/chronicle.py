"""Writes down in the ledger why cameras are not recorded, so that every gap is explained."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.chronicle_line import CameraLine
from livecam_nvr.core.events import CameraStateChanged, RecordingChanged, SegmentFinished
from livecam_nvr.core.past import Ledger
from livecam_nvr.core.ports import FragmentSink
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.gaps import Stretch
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.status import CameraState, RecordingStatus
from livecam_nvr.runtime.clock import Clock

_BEAT_S = 60.0
_FAR_NS = 1 << 62


class AliveMark(Protocol):
    """Remembers when the service was last known to run; may be a minute old after a crash."""

    async def last_alive(self) -> int | None:
        """UTC in nanoseconds; None if it is not known. Never raises."""

    def mark_alive(self, utc_ns: int) -> None:
        """Remembers, soon and in the background."""


class Chronicle:
    """Subscribes to what happens and keeps a line per camera; writes one entry per change.

    Args:
        camera_ids: All cameras.
        ledger: Takes the entries.
        alive: Tells how long a service ran that was killed.
        bus: Where the parts tell what happens.
        clock: The time.
    """

    def __init__(
        self, camera_ids: Iterable[str], ledger: Ledger, alive: AliveMark, bus: EventBus, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._alive = alive
        self._clock = clock
        self._lines = {camera_id: CameraLine(camera_id, ledger.put, clock.utc_ns) for camera_id in camera_ids}
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        self._unsubscribe = (
            bus.subscribe(RecordingChanged, self._recording_changed),
            bus.subscribe(CameraStateChanged, self._camera_changed),
            bus.subscribe(SegmentFinished, self._segment_finished),
        )

    async def begin(self, camera_id: str, admit: Callable[[], RecordingStatus]) -> FragmentSink:
        """A camera more while the service runs.

        Args:
            camera_id: The camera.
            admit: Has its recorder begin, and returns the status of that.

        Returns:
            What takes its fragments, as `sink`.
        """
        last = await self._last_state(camera_id)
        recording = admit()
        line = self._lines[camera_id] = CameraLine(camera_id, self._ledger.put, self._clock.utc_ns)
        line.begin(last, None, recording)
        return line

    def remove(self, camera_id: str) -> None:
        """A camera less: tells that it is not recorded any more; harmless if there is none."""
        line = self._lines.pop(camera_id, None)
        if line is not None and self._begun:
            line.end("the camera was taken out of the config")

    def sink(self, camera_id: str) -> FragmentSink:
        """What takes a camera's fragments; to be attached to its hub after its recorder."""
        return self._lines[camera_id]

    def growing(self, camera_id: str) -> tuple[Stretch, ...]:
        """Footage of a camera that is in files, and may not be in the index yet."""
        line = self._lines.get(camera_id)
        return () if line is None else line.growing

    async def start(self, recording: Callable[[str], RecordingStatus]) -> None:
        """Tells of a crash of the service before this one, and how things are now; before the cameras start.

        Args:
            recording: The status of a camera's recorder.
        """
        alive = await self._alive.last_alive()
        for camera_id, line in self._lines.items():
            line.begin(await self._last_state(camera_id), alive, recording(camera_id))
        self._begun = True
        self._task = asyncio.create_task(self._beat_on(), name="chronicle")

    async def stop(self) -> None:
        """Tells that the service stops; idempotent. To be called when the recorders have stopped."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._begun:
            self._begun = False
            for line in self._lines.values():
                line.end()
            self._alive.mark_alive(self._clock.utc_ns())

    def beat(self) -> None:
        """Leaves a sign of life, by which a crash is dated; once a minute is cheap and near enough."""
        self._alive.mark_alive(self._clock.utc_ns())
        for line in self._lines.values():
            line.beat()

    async def _beat_on(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(_BEAT_S)

    async def _last_state(self, camera_id: str) -> Entry | None:
        try:
            states = await self._ledger.find(camera_id, (EntryKind.STATE,), _FAR_NS, _FAR_NS)
        except LivecamError:
            return None  # without an index, the files alone explain what they can
        return states[-1] if states else None

    def _recording_changed(self, event: RecordingChanged) -> None:
        if self._begun and (line := self._lines.get(event.camera_id)):
            line.recording_changed(event.status)

    def _camera_changed(self, event: CameraStateChanged) -> None:
        if self._begun and (line := self._lines.get(event.camera_id)):
            well = event.state in {CameraState.LIVE, CameraState.DELAY}
            line.fault_changed(None if well else event.fault)

    def _segment_finished(self, event: SegmentFinished) -> None:
        if line := self._lines.get(event.segment.camera_id):
            line.segment_finished(event.segment)
