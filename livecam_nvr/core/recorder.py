"""One camera's recorder: fragments come, files begin and end where `domain.recording` says."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from secrets import randbits

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import RecordingChanged, SegmentFinished
from livecam_nvr.core.ports import Archive, Hub, SegmentStart, SegmentWriter
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment
from livecam_nvr.domain.recording import Demand, begin_from, must_cut, slot_of
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import Fault, RecordingStatus, SegmentInfo
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_TRUST_S = 3.0  # a file that the disk took for so long after a failure means that it works again


@dataclass(slots=True)
class _File:
    """The file being written."""

    writer: SegmentWriter
    init: InitSegment
    start_utc_ns: int
    utc_offset_s: int
    slot: int
    began_s: float
    frames: int = 0
    """Handed to the writer, and counted."""
    bytes: int = 0


class Recorder:
    """A fragment sink that writes what it is asked to write (core.ports.FragmentSink).

    Args:
        hub: The camera's stream; its memory gives the beginning of a file that is switched on.
        archive: Where the files go.
        bus: RecordingChanged and SegmentFinished are published there.
        clock: For the local time's offset and pauses after a failure.
        segment_s: Length of a clock slot, seconds.
        pre_roll_s: How far back a file begins, unless the order to begin says something else.
        wanted: Whether it records until the first order.
    """

    def __init__(
        self,
        hub: Hub,
        archive: Archive,
        bus: EventBus,
        clock: Clock,
        *,
        segment_s: int,
        pre_roll_s: float,
        wanted: bool,
    ) -> None:
        self._hub = hub
        self._archive = archive
        self._bus = bus
        self._clock = clock
        self._segment_s = segment_s
        self._pre_roll_s = pre_roll_s
        self._demand = Demand(on=wanted, idle=None if wanted else GapCause.SWITCHED_OFF)
        self._reach_s = pre_roll_s
        """How far back the running order reaches."""
        self._held: Fault | None = None
        self._fault: Fault | None = None
        self._file: _File | None = None
        self._run: InitSegment | None = None
        self._run_id = 0
        self._sequence = 0
        self._last_number = -1
        self._missed = range(0)
        """Numbers of the newest fragments in a row that could not be recorded because of the disk."""
        self._stopped = False
        self._retry = Backoff(first_s=1.0, most_s=10.0)
        self._retry_at_s = 0.0
        self._segments = self._frames = self._bytes = self._dropped = 0
        self._last: SegmentInfo | None = None

    def status(self) -> RecordingStatus:
        """What was asked for, and what it really does."""
        file, demand = self._file, self._demand
        return RecordingStatus(
            wanted=demand.on,
            active=file is not None,
            current_path=file.writer.path if file else None,
            since_utc_ns=file.start_utc_ns if file else None,
            last_segment=self._last,
            segments=self._segments,
            frames=self._frames,
            bytes=self._bytes,
            dropped_frames=self._dropped,
            fault=self._held or self._fault,
            mode=demand.mode,
            idle=demand.idle,
            idle_by=demand.idle_by,
            keeping_until_utc_ns=demand.keeping_until_utc_ns,
            modes=demand.modes,
        )

    def configure(self, *, segment_s: int, pre_roll_s: float) -> None:
        """Other lengths from now on; the file being written ends at the next border of the new slots."""
        if segment_s != self._segment_s and (file := self._file) is not None:
            file.slot = slot_of(file.start_utc_ns, file.utc_offset_s, segment_s)
        self._segment_s, self._pre_roll_s = segment_s, pre_roll_s

    def ask(self, demand: Demand, *, reach_s: float | None = None) -> None:
        """Begins recording (from memory, see `begin_from`), goes on, or ends it, at once.

        Args:
            demand: What is wanted from now on.
            reach_s: How far back a file begins, if one begins because of this order; the usual pre-roll if None.
        """
        before, self._demand = self._demand, demand
        if demand == before:
            return
        if demand.idle is not None:
            self._finish(demand.end_cause)
            self._fault = None  # of nobody's concern any more; if it lasts, the next file will say so
        elif before.idle is not None:
            self._reach_s = self._pre_roll_s if reach_s is None else reach_s
            self._begin_from_memory()
        self._tell()

    def hold(self, fault: Fault | None) -> None:
        """Suspends recording for a reason of the disk's, or goes on if None; the order stands."""
        if fault == self._held:
            return
        self._held = fault
        if fault is not None:
            self._finish(EndCause.DISK)
        elif self._demand.idle is None:
            self._begin_from_memory()
        self._tell()

    def stop(self) -> None:
        """The service stops: the file is finished, and no further one begins. The order stands."""
        self._stopped = True
        self._finish(EndCause.SERVICE)

    def on_fragment(self, fragment: Fragment) -> None:
        """See core.ports.FragmentSink."""
        if self._demand.idle is not None or self._stopped:
            return
        file = self._file
        if file is not None and fragment.init is not file.init:
            self.on_end(EndCause.ENCODER)
            file = None
        if file is None:
            if fragment.keyframe and self._may_begin():
                self._begin([fragment])
            elif self._held or self._fault:
                self._miss(fragment)
        elif must_cut(fragment, file.start_utc_ns, file.slot, file.utc_offset_s, self._segment_s):
            self._finish(EndCause.CLOCK)
            self._begin([fragment])
        else:
            self._append(file, fragment)

    def on_end(self, cause: EndCause) -> None:
        """See core.ports.FragmentSink."""
        if self._file is not None:
            self._finish(cause)
            self._tell()

    def _may_begin(self) -> bool:
        return not self._stopped and self._held is None and self._clock.monotonic() >= self._retry_at_s

    def _begin_from_memory(self) -> None:
        if self._file is None and self._hub.init is not None and self._may_begin():
            now = self._clock.monotonic()
            self._begin(begin_from(self._hub.ring, now, self._reach_s, self._last_number))

    def _begin(self, fragments: Iterable[Fragment]) -> None:
        """Begins a file with `fragments`, the first of which is a keyframe; nothing happens if there are none."""
        for fragment in fragments:
            file = self._file
            if file is None:
                file = self._open(fragment)
            elif must_cut(fragment, file.start_utc_ns, file.slot, file.utc_offset_s, self._segment_s):
                self._finish(EndCause.CLOCK)  # a pre-roll may reach over the border of a slot
                file = self._open(fragment)
            self._append(file, fragment)
        self._tell()

    def _open(self, first: Fragment) -> _File:
        if first.init is not self._run:
            self._run, self._run_id, self._sequence = first.init, randbits(63), 0
        offset = self._clock.utc_offset_s(first.utc_ns)
        start = SegmentStart(self._hub.camera_id, first.init, first.utc_ns, offset, self._run_id, self._sequence)
        self._sequence += 1
        writer = self._archive.begin(
            start,
            lambda segment: self._finished(file, segment),
            lambda reason: self._failed(file, reason),
        )
        slot = slot_of(first.utc_ns, offset, self._segment_s)
        file = _File(writer, first.init, first.utc_ns, offset, slot, self._clock.monotonic())
        self._file = file
        return file

    def _append(self, file: _File, fragment: Fragment) -> None:
        file.writer.append(fragment)
        self._last_number = fragment.number
        self._count(file, fragment.frames, len(fragment.data))
        if fragment.number in self._missed:  # it came too late for the disk then, and from memory now
            self._dropped -= fragment.frames
        if self._fault is not None and fragment.arrived_s - file.began_s > _TRUST_S:
            _log.info("%s: recording works again", self._hub.camera_id)
            self._fault = None
            self._retry.reset()
            self._tell()

    def _miss(self, fragment: Fragment) -> None:
        self._dropped += fragment.frames
        begin = self._missed.start if self._missed.stop == fragment.number else fragment.number
        self._missed = range(begin, fragment.number + 1)

    def _count(self, file: _File, frames: int, size: int) -> None:
        file.frames += frames
        file.bytes += size
        self._frames += frames
        self._bytes += size

    def _finish(self, cause: EndCause) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.writer.finish(cause)

    def _finished(self, file: _File, segment: Segment) -> None:
        if segment.frames > file.frames:  # it failed, and this much of it was kept
            self._dropped -= segment.frames - file.frames
            self._count(file, segment.frames - file.frames, segment.bytes - file.bytes)
        self._segments += 1
        self._last = SegmentInfo(
            segment.path, segment.start_utc_ns, segment.duration_ns, segment.frames, segment.bytes
        )
        self._bus.publish(SegmentFinished(segment))
        self._tell()

    def _failed(self, file: _File, reason: str) -> None:
        """The disk refused: try again soon, at a keyframe, and say so."""
        # A full disk is tried for hours, with a new file each time.
        if self._fault is None or _without_place(self._fault.message) != _without_place(reason):
            _log.error("%s: cannot record: %s", self._hub.camera_id, reason)
        if self._file is file:
            self._file = None
        self._dropped += file.frames
        self._count(file, -file.frames, -file.bytes)
        self._fault = Fault(reason, "recording goes on by itself when the disk does", self._clock.utc_ns())
        self._retry_at_s = self._clock.monotonic() + self._retry.next_s()
        self._tell()

    def _tell(self) -> None:
        self._bus.publish(RecordingChanged(self._hub.camera_id, self.status()))


def _without_place(reason: str) -> str:
    return reason.partition(" (")[0]
