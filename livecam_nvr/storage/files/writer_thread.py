"""The thread that writes all files: takes fragments in order, puts them into the page cache, ends the files."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Thread

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.gauge import Gauge
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.files.sync_thread import SyncThread
from livecam_nvr.storage.place.lock import ArchiveLock
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_MOST_PENDING = 512


@dataclass(slots=True)
class Lane:
    """One camera's backlog. Each number has one thread that changes it, so no lock is needed."""

    queued: int = 0
    """Bytes handed over, counted on the event loop."""
    taken: int = 0
    """Bytes written or given up, counted on the writer thread."""

    @property
    def backlog(self) -> int:
        """Bytes that still wait."""
        return self.queued - self.taken


class _State(Enum):
    NEW = auto()
    OPEN = auto()
    OVER = auto()


class Job:
    """A file on its way through the threads.

    Args:
        file: The file.
        lane: The camera's backlog.
        on_finished: Called on a thread when the file is durable.
        on_failed: Called on a thread each time the disk refuses.
    """

    __slots__ = ("file", "lane", "on_failed", "on_finished", "state")

    def __init__(
        self,
        file: SegmentFile,
        lane: Lane,
        on_finished: Callable[[Segment], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self.file = file
        self.lane = lane
        self.on_finished = on_finished
        self.on_failed = on_failed
        self.state = _State.NEW


class WriterThread:
    """Does what it is handed, in order; fragments that wait for the same file go out in one call.

    Args:
        lock: Ensured before each file, so that a disk that comes back is locked again.
        sync: Takes the files over when they are finished.
        clock: For the gauge.
        refused: Notes each error of the disk's, for those who have to tell what is wrong with it.

    Attributes:
        gauge: How long writing takes.
    """

    def __init__(
        self, lock: ArchiveLock, sync: SyncThread, clock: Clock, refused: Callable[[Exception], None]
    ) -> None:
        self.gauge = Gauge(clock)
        self._refused = refused
        self._lock = lock
        self._sync = sync
        self._queue: SimpleQueue[tuple[Job, Fragment] | Callable[[], None]] = SimpleQueue()
        self._jobs: dict[SegmentFile, Job] = {}
        self._stopped = False
        self._thread = Thread(target=self._run, name="archive writer", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def append(self, job: Job, fragment: Fragment) -> None:
        """Adds a fragment to the job's file."""
        self._queue.put((job, fragment))

    def call(self, work: Callable[[], None]) -> None:
        """Does `work` on this thread, after everything handed over before."""
        self._queue.put(work)

    def stop(self) -> None:
        """Finishes what is open and ends the thread; to be called on it."""
        for job in tuple(self._jobs.values()):
            self.finish(job, EndCause.SERVICE)
        self._stopped = True

    def begin(self, job: Job) -> None:
        """Creates the file; to be called on this thread."""
        try:
            with self.gauge:
                self._lock.ensure()
                job.file.create()
        except (OSError, BoxError, LivecamError) as error:
            job.state = _State.OVER
            self._refused(error)
            job.on_failed(in_words(error, job.file.path) if isinstance(error, OSError) else str(error))
            self._sync.discard(job.file)
            return
        job.state = _State.OPEN
        self._jobs[job.file] = job
        self._sync.watch(job.file)

    def finish(self, job: Job, cause: EndCause) -> None:
        """Ends the file; to be called on this thread. A file without a fragment is deleted."""
        if job.state is not _State.OPEN:
            return
        job.state = _State.OVER
        del self._jobs[job.file]
        if job.file.empty:
            self._sync.discard(job.file)
            return
        try:
            job.file.finish(cause)
        except OSError as error:
            self._refused(error)
            job.on_failed(in_words(error, job.file.path))
            self._sync.close(job.file)
            return
        self._sync.seal(job.file, job.on_finished, job.on_failed, at_once=cause is not EndCause.CLOCK)

    def fail(self, file: SegmentFile, reason: str) -> None:
        """The disk refused: says so and finishes what is there as well as it goes; to be called on this thread."""
        job = self._jobs.get(file)
        if job is not None:
            job.on_failed(reason)
            self.finish(job, EndCause.DISK)

    def let_go(self) -> None:
        """Gives the lock back until the next file, if none is open; to be called on this thread.

        A disk that fails has to be unmounted to be mended: nothing of it is held open without need.
        """
        if not self._jobs:
            self._lock.release()

    def _run(self) -> None:
        pending: dict[Job, list[Fragment]] = {}
        while not self._stopped:
            work = self._queue.get()
            count = 0
            while True:
                if callable(work):
                    self._write(pending)
                    self._do(work)
                    if self._stopped:
                        break
                else:
                    pending.setdefault(work[0], []).append(work[1])
                    count += 1
                if count >= _MOST_PENDING:
                    break
                try:
                    work = self._queue.get_nowait()
                except Empty:
                    break
            self._write(pending)

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _log.exception("the archive's writer thread failed in an unforeseen way")

    def _write(self, pending: dict[Job, list[Fragment]]) -> None:
        for job, fragments in pending.items():
            if job.state is _State.OPEN:
                try:
                    with self.gauge:
                        job.file.write(fragments)
                except OSError as error:
                    self._refused(error)
                    self.fail(job.file, in_words(error, job.file.path))
                except Exception:
                    _log.exception("%s cannot be written for an unforeseen reason", job.file.path)
                    self.fail(job.file, "the file could not be written for an unforeseen reason, see the log")
            job.lane.taken += sum(len(fragment.data) for fragment in fragments)
        pending.clear()
