"""The thread that waits for the disk, so that writing never does: fsync on a cadence, and of finished files."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.files.gauge import Gauge
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_GATHER_S = 1.0


@dataclass(frozen=True, slots=True)
class _Seal:
    """A finished file that waits to be sealed."""

    file: SegmentFile
    on_sealed: Callable[[Segment], None]
    on_refused: Callable[[str], None]


class SyncThread:
    """Syncs the files it watches every `durability_s`, seals the finished ones, and closes them all.

    Only this thread closes files, so that no descriptor can be reused while it is being synced.

    Args:
        durability_s: Seconds.
        clock: For the cadence.
        on_trouble: Called on this thread when a watched file cannot be synced.
        refused: Notes each error of the disk's, for those who have to tell what is wrong with it.

    Attributes:
        gauge: How long syncs take.
    """

    def __init__(
        self,
        durability_s: float,
        clock: Clock,
        on_trouble: Callable[[SegmentFile, str], None],
        refused: Callable[[OSError], None] = lambda _error: None,
    ) -> None:
        self.gauge = Gauge(clock)
        self._refused = refused
        self._durability_s = durability_s
        self._clock = clock
        self._on_trouble = on_trouble
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._open: set[SegmentFile] = set()
        self._sealing: list[_Seal] = []
        self._due_s = self._seal_due_s = 0.0
        self._stopped = False
        self._thread = Thread(target=self._run, name="archive sync", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def call(self, work: Callable[[], None]) -> None:
        """Does `work` on this thread, after everything handed over before."""
        self._work.put(lambda: self._after_seals(work))

    def stop(self) -> None:
        """Ends the thread; to be called on it."""
        self._stopped = True

    def watch(self, file: SegmentFile) -> None:
        """From now on the file is synced on the cadence."""
        self._work.put(lambda: self._open.add(file))

    def seal(
        self,
        file: SegmentFile,
        on_sealed: Callable[[Segment], None],
        on_refused: Callable[[str], None],
        *,
        at_once: bool,
    ) -> None:
        """Makes the finished file durable and closes it; calls one of the two, on this thread.

        Unless `at_once`, it waits a moment for those of other cameras: files end on the clock, and together they
        cost fewer commits of the file system's journal.
        """

        def work() -> None:
            if not self._sealing:
                self._seal_due_s = self._clock.monotonic() + _GATHER_S
            self._sealing.append(_Seal(file, on_sealed, on_refused))
            if at_once:
                self._seal_all()

        self._work.put(work)

    def discard(self, file: SegmentFile) -> None:
        """Deletes a file in which nothing was recorded."""
        self._release(file, file.discard)

    def close(self, file: SegmentFile) -> None:
        """Closes a file that could not be finished; the next start repairs it."""
        self._release(file, file.close)

    def _release(self, file: SegmentFile, end: Callable[[], None]) -> None:
        def work() -> None:
            self._open.discard(file)
            end()

        self.call(work)

    def _run(self) -> None:
        while not self._stopped:
            try:
                work = self._work.get(timeout=self._pause_s())
            except Empty:
                work = self._look
            try:
                with self.gauge:
                    work()
            except Exception:
                _log.exception("the archive's sync thread failed in an unforeseen way")

    def _pause_s(self) -> float | None:
        if not self._open and not self._sealing:
            self._due_s = 0.0
            return None
        if not self._due_s:
            self._due_s = self._clock.monotonic() + self._durability_s
        due_s = min(self._due_s, self._seal_due_s) if self._sealing else self._due_s
        return max(0.0, due_s - self._clock.monotonic())

    def _look(self) -> None:
        now = self._clock.monotonic()
        if self._sealing and now >= min(self._seal_due_s, self._due_s):
            self._seal_all()
        if now >= self._due_s:
            self._sync_all()

    def _after_seals(self, work: Callable[[], None]) -> None:
        self._seal_all()
        work()

    def _sync_all(self) -> None:
        self._due_s = self._clock.monotonic() + self._durability_s
        for step in (SegmentFile.write_out, SegmentFile.sync):
            for file in tuple(self._open):
                try:
                    step(file)
                except OSError as error:
                    self._open.discard(file)
                    self._refused(error)
                    self._on_trouble(file, in_words(error, file.path))

    def _seal_all(self) -> None:
        """Each step for all of them before the next one."""
        seals, self._sealing = self._sealing, []
        for step in (SegmentFile.write_out, SegmentFile.settle, SegmentFile.mark):
            seals = [seal for seal in seals if self._tried(seal, step)]
        for seal in seals:
            try:
                segment = seal.file.seal()
            except OSError as error:
                self._give_up(seal, error)
            else:
                self._open.discard(seal.file)
                seal.on_sealed(segment)

    def _tried(self, seal: _Seal, step: Callable[[SegmentFile], None]) -> bool:
        try:
            step(seal.file)
        except OSError as error:
            self._give_up(seal, error)
            return False
        return True

    def _give_up(self, seal: _Seal, error: OSError) -> None:
        self._open.discard(seal.file)
        seal.file.close()
        self._refused(error)
        seal.on_refused(in_words(error, seal.file.path))
