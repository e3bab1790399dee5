"""One camera's line in the ledger: decides from what happens to it which entries are written."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.gaps import CAUSES, Stretch
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.domain.status import Fault, RecordingMode, RecordingStatus

# A frame that lasts longer than this, and than so many usual ones, is a pause of the camera's.
_PAUSE_NS = NS
_PAUSE_FRAMES = 5
_REMEMBERED_PAUSES = 8
_SETTLED_NS = 60 * NS
# Old ledgers are deleted, and the last word on a camera must not be among them.
_SAY_AGAIN_NS = 7 * 86_400 * NS
_AWAY = (GapCause.CAMERA, GapCause.ENCODER)

Put = Callable[[Entry], None]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nothing is recorded; an empty cause: it is."""

    cause: str
    by: str = ""
    words: str = ""


RECORDED = Reason("")


def reason_of(status: RecordingStatus, ended: EndCause | None, fault: Fault | None) -> Reason | None:
    """Why a camera is not recorded; None while that cannot be told yet (its stream is about to begin).

    Args:
        status: Its recorder's.
        ended: How its last run ended; None while one is running.
        fault: What is wrong with the camera.
    """
    # A disk that has failed is tried again and again: it is not believed before the recorder believes it.
    if status.active and status.fault is None:
        return RECORDED
    if status.idle is not None:
        return Reason(status.idle, status.idle_by)
    if not (status.active or status.wanted or status.mode is RecordingMode.ALWAYS or status.keeping_until_utc_ns):
        return Reason(GapCause.SWITCHED_OFF)
    if status.fault is not None:
        return Reason(GapCause.DISK, words=redact(status.fault.message))
    if ended is None:
        return None
    cause = CAUSES[ended]
    return Reason(cause, words=redact(fault.message) if fault is not None and cause in _AWAY else "")


class CameraLine:
    """What is said in the ledger about one camera, and what of its footage the index may not have yet.

    A FragmentSink that has to come after the camera's recorder.

    Args:
        camera_id: The camera.
        put: Takes the entries.
        now_utc_ns: The time.
    """

    def __init__(self, camera_id: str, put: Put, now_utc_ns: Callable[[], int]) -> None:
        self._camera_id = camera_id
        self._put = put
        self._now = now_utc_ns
        self._status = RecordingStatus(wanted=False, active=False)
        self._ended: EndCause | None = None
        self._fault: Fault | None = None
        self._said: Reason | None = None
        self._entry: Entry | None = None
        """The last STATE that was put."""
        self._newest_ns = 0
        """The latest moment that a STATE was put for."""
        self._usual_ns = 0
        self._pauses: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_PAUSES)
        self._open: Stretch | None = None
        """The file being written, without its end."""
        self._reached_ns = 0
        """And that: a number, because it changes with every frame."""
        self._closed: list[Stretch] = []
        """Files that the index may not have yet."""
        self._over = False

    @property
    def growing(self) -> tuple[Stretch, ...]:
        """Footage that is in files, and may not be in the index yet."""
        mine = self._as_far_as_it_came()
        return (*self._closed, mine) if mine is not None else tuple(self._closed)

    def begin(self, last: Entry | None, alive_utc_ns: int | None, status: RecordingStatus) -> None:
        """The service starts.

        Args:
            last: The last STATE there is.
            alive_utc_ns: When the service was last known to run.
            status: The recorder's.
        """
        if last is not None:
            self._newest_ns = last.begin_utc_ns
            if last.data.get("cause") != GapCause.SERVICE_STOPPED:
                self._say(Reason(GapCause.SERVICE_CRASHED), max(alive_utc_ns or 0, last.begin_utc_ns + 1))
        self.recording_changed(status)

    def end(self, words: str = "") -> None:
        """The service stops in good order, or stops serving this camera; what comes after is not told."""
        self._open = None
        self._over = True
        self._say(Reason(GapCause.SERVICE_STOPPED, words=words), self._now())

    def beat(self) -> None:
        """Says again what would be overlooked: what was said while the clock was behind, or very long ago."""
        entry, now = self._entry, self._now()
        if entry is None or self._over:
            return
        overtaken = entry.begin_utc_ns < self._newest_ns < now
        if overtaken or now - entry.begin_utc_ns > _SAY_AGAIN_NS:
            again = Entry(self._camera_id, EntryKind.STATE, now, data=entry.data)
            self._entry, self._newest_ns = again, now
            self._put(again)

    def recording_changed(self, status: RecordingStatus) -> None:
        """The recorder was asked for, or does, something else."""
        self._status = status
        self._follow_file(status)
        self._look()

    def fault_changed(self, fault: Fault | None) -> None:
        """Something else is wrong with the camera, or nothing any more."""
        self._fault = fault
        said, entry = self._said, self._entry
        if fault is None or said is None or entry is None or said.words or said.cause not in _AWAY:
            return
        self._said = replace(said, words=redact(fault.message))
        self._entry = replace(entry, data={**entry.data, "words": self._said.words})
        self._put(self._entry)

    def segment_finished(self, segment: Segment) -> None:
        """A file is complete; the index has it soon."""
        begin, end = segment.start_utc_ns, segment.end_utc_ns
        was = next((part for part in self._closed if part.begin_utc_ns == begin), None)
        self._closed = [p for p in self._closed if p is not was and p.end_utc_ns > self._now() - _SETTLED_NS]
        self._closed.append(Stretch(begin, end, segment.cause, was is not None and was.follows))

    def on_fragment(self, fragment: Fragment) -> None:
        """See core.ports.FragmentSink."""
        self._ended = None
        if not fragment.frames:
            return
        duration_ns = fragment.duration * NS // fragment.init.video.timescale
        if fragment.utc_ns + duration_ns > self._reached_ns and self._status.active:
            self._reached_ns = fragment.utc_ns + duration_ns
        usual_ns = self._usual_ns or duration_ns
        if duration_ns > max(_PAUSE_NS, _PAUSE_FRAMES * usual_ns):
            self._pauses.append((fragment.utc_ns + usual_ns, fragment.utc_ns + duration_ns))
            self._tell_pauses()
        self._usual_ns = usual_ns + (min(duration_ns, _PAUSE_FRAMES * usual_ns) - usual_ns) // 8

    def on_end(self, cause: EndCause) -> None:
        """See core.ports.FragmentSink."""
        if cause is not EndCause.SERVICE:
            if cause is not self._ended:
                self._fault = None  # what was wrong before; what is wrong now is told in a moment
            self._ended = cause
            self._look()

    def _look(self) -> None:
        reason = reason_of(self._status, self._ended, self._fault)
        said = self._said
        if reason is None or self._over or (said and (said.cause, said.by) == (reason.cause, reason.by)):
            return
        begin = now = self._now()
        # From its first picture on: a crash may cut off the file before the moment at which this is said.
        if reason == RECORDED and self._newest_ns < (self._status.since_utc_ns or 0) < now:
            begin = self._status.since_utc_ns or now
        self._say(reason, begin)

    def _say(self, reason: Reason, begin_utc_ns: int) -> None:
        begin = begin_utc_ns + 1 if begin_utc_ns == self._newest_ns else begin_utc_ns
        data = {"cause": str(reason.cause)}
        data |= {"by": reason.by} if reason.by else {}
        data |= {"words": reason.words} if reason.words else {}
        self._said = reason
        self._entry = Entry(self._camera_id, EntryKind.STATE, begin, data=data)
        self._newest_ns = max(begin, self._newest_ns)
        self._put(self._entry)

    def _follow_file(self, status: RecordingStatus) -> None:
        since = status.since_utc_ns if status.active else None
        was = self._open
        if since == (was.begin_utc_ns if was else None):
            return
        failed = since is None and status.fault is not None  # what is left of the file is told when it is finished
        mine = self._as_far_as_it_came()
        if mine is not None and not failed:
            self._closed.append(mine)
        follows = was is not None
        self._open = None if since is None else Stretch(since, since, EndCause.CLOCK, follows)
        self._reached_ns = since or 0
        if since is not None:
            self._tell_pauses()

    def _as_far_as_it_came(self) -> Stretch | None:
        if self._open is None or self._reached_ns <= self._open.begin_utc_ns:
            return None
        return replace(self._open, end_utc_ns=self._reached_ns)

    def _tell_pauses(self) -> None:
        """Writes down the pauses inside the file being written; it may have begun before this was known."""
        while self._pauses and self._open is not None and self._status.active:
            begin, end = self._pauses.popleft()
            if begin > self._open.begin_utc_ns:
                data = {"cause": str(GapCause.CAMERA)}
                self._put(Entry(self._camera_id, EntryKind.PAUSE, begin, end, data))
