"""The thread that waits for the disk, so that writing never does: fsync on a cadence, and of finished files."""

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread

from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.gauge import Gauge
from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.segment_file import SegmentFile

_log = logging.getLogger(__name__)


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
        self._due_s = 0.0
        self._stopped = False
        self._thread = Thread(target=self._run, name="archive sync", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def call(self, work: Callable[[], None]) -> None:
        """Does `work` on this thread, after everything handed over before."""
        self._work.put(work)

    def stop(self) -> None:
        """Ends the thread; to be called on it."""
        self._stopped = True

    def watch(self, file: SegmentFile) -> None:
        """From now on the file is synced on the cadence."""
        self.call(lambda: self._open.add(file))

    def seal(
        self, file: SegmentFile, on_sealed: Callable[[Segment], None], on_refused: Callable[[str], None]
    ) -> None:
        """Makes the finished file durable and closes it; calls one of the two, on this thread."""

        def work() -> None:
            self._open.discard(file)
            try:
                segment = file.seal()
            except OSError as error:
                self._refused(error)
                on_refused(in_words(error, file.path))
            else:
                on_sealed(segment)

        self.call(work)

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
                work = self._sync_all
            try:
                with self.gauge:
                    work()
            except Exception:
                _log.exception("the archive's sync thread failed in an unforeseen way")

    def _pause_s(self) -> float | None:
        if not self._open:
            self._due_s = 0.0
            return None
        if not self._due_s:
            self._due_s = self._clock.monotonic() + self._durability_s
        return max(0.0, self._due_s - self._clock.monotonic())

    def _sync_all(self) -> None:
        self._due_s = self._clock.monotonic() + self._durability_s
        for file in tuple(self._open):
            try:
                file.sync()
            except OSError as error:
                self._open.discard(file)
                self._refused(error)
                self._on_trouble(file, in_words(error, file.path))
