"""What the parts of the service need from each other. Only `app.py` knows who fulfils which port."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from livecam_nvr.core.home_assistant import BrokerNames, Carrier
from livecam_nvr.domain.access import Principal
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment
from livecam_nvr.domain.quality import Quality, QualityStatus
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraStatus,
    DiskStatus,
    MediaServerStatus,
    RecordingMode,
    RecordingStatus,
    ServiceStatus,
    StreamAddresses,
)


class FragmentSink(Protocol):
    """Somebody in the service who takes every fragment as it comes (the recorder, the figures).

    Both calls come on the event loop and must return at once.
    """

    def on_fragment(self, fragment: Fragment) -> None:
        """The next fragment; its `init` tells if it belongs to another run than the one before."""

    def on_end(self, cause: EndCause) -> None:
        """The run ended; a next one may follow."""


class Subscription(Protocol):
    """A viewer's bounded queue: `async with hub.subscribe() as s: async for fragment in s`.

    Begins with a keyframe. When the viewer is too slow, whole GOPs are left out: after a gap in `number` the next
    fragment is a keyframe. A change of `fragment.init` means a new stream (another init segment, times begin
    anew). Goes on across restarts of the camera; ends only when the service stops.
    """

    dropped: int
    """Fragments left out because the viewer was too slow."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...
    def __aiter__(self) -> AsyncIterator[Fragment]: ...


class Hub(Protocol):
    """One camera's stream in memory: the last seconds, and everything that comes."""

    camera_id: str

    @property
    def ring(self) -> Sequence[Fragment]:
        """The fragments in memory, oldest first, beginning with a keyframe; may span two runs. A snapshot."""

    @property
    def init(self) -> InitSegment | None:
        """The running stream's init segment; None before the first fragment ever and after the run ended."""

    @property
    def viewers(self) -> int:
        """Open subscriptions."""

    def subscribe(self, *, max_bytes: int = 8_000_000) -> Subscription:
        """A viewer's queue that begins with the newest keyframe in memory (or the next one, if there is none)."""

    async def wait_fragment(self, after_number: int = -1) -> Fragment:
        """The first fragment in memory whose number is greater than `after_number`, or the next that comes."""


class Streams(Protocol):
    """All cameras' hubs."""

    def hub(self, camera_id: str) -> Hub:
        """Raises LivecamError NOT_FOUND for an unknown camera."""

    def ids(self) -> Sequence[str]:
        """The cameras' ids in the config's order."""


class CameraView(Protocol):
    """What a camera can say of itself."""

    def camera_status(self) -> CameraStatus:
        """Its status now, without recording and addresses; cheap."""


class Pictures(Protocol):
    """JPEG pictures of a camera, decoded only when somebody asks."""

    async def snapshot(self, camera_id: str, *, max_height: int | None = None) -> bytes:
        """The newest keyframe as JPEG. One decode serves all who ask for the same keyframe and height.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera, UNAVAILABLE if it has no picture now (offline).
        """

    def mjpeg(self, camera_id: str) -> AsyncIterator[bytes]:
        """JPEG pictures of the live stream, one after the other, from one decoder shared by all viewers.

        It runs only while somebody looks. Raises LivecamError like `snapshot`.
        """


class RecordingControl(Protocol):
    """The recording switch of every camera."""

    def set_recording(self, camera_id: str, on: bool, by: str) -> RecordingStatus:
        """Turns recording on or off at once; remembered over restarts. `by` names who asked, for the log.

        The returned status, and every RecordingChanged event, says what the recorder really does.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera, CONFLICT where the mode leaves nothing to switch.
        """

    def set_mode(self, camera_id: str, mode: RecordingMode, by: str) -> RecordingStatus:
        """Changes what the camera's recording depends on; remembered until the config's own mode is changed.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera, CONFLICT for a schedule where the config has none.
        """

    def recording(self, camera_id: str) -> RecordingStatus:
        """Raises LivecamError NOT_FOUND for an unknown camera."""


class CameraControl(Protocol):
    """What can be changed about a camera while it runs; no other camera notices."""

    def quality(self, camera_id: str) -> QualityStatus:
        """Raises LivecamError NOT_FOUND for an unknown camera."""

    async def set_quality(
        self, camera_id: str, *, height: int | None = None, fps: float | None = None, by: str
    ) -> QualityStatus:
        """Changes height or frame rate, or both; returns when the first frame of the new quality is there.

        Remembered over restarts until the config's own size or rate is changed. `by` names who asked, for the log.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera; INVALID for a value that it cannot have; CONFLICT if
                its stream is copied or a change is under way; UNAVAILABLE if it does not run now, or if the new
                quality failed: the old one is back then, or is being tried.
        """

    def restart(self, camera_id: str, by: str) -> None:
        """Ends what runs of it and starts it anew, without a pause. Raises LivecamError NOT_FOUND."""


class QualityMemory(Protocol):
    """Remembers qualities over restarts (atomic, durable)."""

    def save(self, camera_id: str, quality: Quality | None) -> None:
        """Remembers, soon, in the background; None forgets."""


class StatusSource(Protocol):
    """The status of everything, gathered when asked; cheap."""

    def status(self) -> ServiceStatus:
        """The whole service, now."""


@dataclass(frozen=True, slots=True)
class PublishTarget:
    """Where a camera's ffmpeg sends the live stream: the second leg of its `tee`."""

    format: str
    """ffmpeg muxer: `rtsp` or `mpegts`."""
    url: str
    """May contain credentials: never log it unredacted."""
    options: tuple[tuple[str, str], ...] = ()
    """Muxer options, e.g. `(("rtsp_transport", "tcp"),)`."""

    @property
    def connects(self) -> bool:
        """Whether the media server has to answer before ffmpeg comes; what is only sent gets lost until then."""
        return self.format == "rtsp"


class MediaServer(Protocol):
    """A media server as a supervised child process: MediaMTX, or GStreamer's RTSP server."""

    async def start(self, ready_within_s: float) -> bool:
        """Starts it and its supervision. True once it answers; False if it did not in time (it goes on trying).

        Never raises because the server fails: that shows in `status()`.
        """

    async def stop(self) -> None:
        """Ends it; idempotent; returns when the process is gone."""

    def publish_target(self, camera_id: str) -> PublishTarget:
        """Where this camera's ffmpeg publishes. Stable for the life of the service."""

    def add(self, camera_id: str, *, h264: bool) -> None:
        """A stream more, while the server runs or before; `h264` if it is certain to be that. No other notices."""

    def remove(self, camera_id: str) -> None:
        """A stream less: its viewers end; harmless if there is none. To be called when nothing publishes it."""

    def stream_started(self, camera_id: str, codec: str) -> None:
        """Tells which codec (RFC 6381) the camera sends, for servers that must know beforehand."""

    def addresses(self, camera_id: str) -> StreamAddresses:
        """Where viewers find this camera."""

    def status(self) -> MediaServerStatus:
        """How it is."""


@dataclass(frozen=True, slots=True)
class WhepSession:
    """Somebody watches over WebRTC."""

    id: str
    """Hard to guess: whoever knows it may end it."""
    answer: str
    """SDP (RFC 8866), for the browser."""


class Whep(Protocol):
    """WebRTC by WHEP (draft-ietf-wish-whep), where the media server has it."""

    @property
    def ready(self) -> bool:
        """Whether it makes sense to ask now."""

    async def begin(self, camera_id: str, offer: str, principal: Principal) -> WhepSession:
        """Begins to send a camera to the browser whose offer (SDP) this is; ends with the principal's credential.

        Raises:
            LivecamError: INVALID if the browser cannot take what the camera sends (its codec), or the offer is
                none; UNAVAILABLE if the media server does not answer, or has not got the camera now.
        """

    async def trickle(self, camera_id: str, session_id: str, fragment: str) -> None:
        """Hands on where the browser can be reached, too (RFC 8840: a fragment of SDP).

        Raises:
            LivecamError: NOT_FOUND if there is no such session (any more), INVALID, UNAVAILABLE.
        """

    async def end(self, camera_id: str, session_id: str) -> None:
        """Ends a session. Raises like `trickle`."""


class Broker(Protocol):
    """The connection that tells Home Assistant."""

    async def start(self) -> None:
        """Begins to connect, in the background; idempotent."""

    async def stop(self) -> None:
        """Says goodbye and disconnects; at most a second, whatever the broker does; idempotent."""

    def status(self) -> BrokerStatus:
        """Whether it is connected, and if not, why."""

    def names(self) -> BrokerNames | None:
        """What devices and entities are called in MQTT discovery; None if no broker is configured."""

    async def carry(self, carrier: Carrier) -> None:
        """Announces from now on as `carrier` says; returns when the broker has acknowledged that.

        Raises:
            LivecamError: UNAVAILABLE if it is not connected, or not within some seconds; it is done then as soon
                as it is.
        """


class SegmentWriter(Protocol):
    """One file being written. No call blocks: the work is done by the archive's own threads, in order."""

    @property
    def path(self) -> str:
        """Relative to the archive's root; known at once (names are given on the loop, never overwriting)."""

    def append(self, fragment: Fragment) -> None:
        """Adds a fragment. The caller stops when `failed` is set."""

    def finish(self, cause: EndCause) -> None:
        """Ends the file: durations, keyframe table, fsync. `on_finished` is called on the loop afterwards."""


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """What the archive must know to begin a file."""

    camera_id: str
    init: InitSegment
    start_utc_ns: int
    utc_offset_s: int
    run_id: int
    sequence: int


class Archive(Protocol):
    """The recordings folder."""

    def begin(
        self,
        start: SegmentStart,
        on_finished: Callable[[Segment], None],
        on_failed: Callable[[str], None],
    ) -> SegmentWriter:
        """Begins a file. `on_failed(reason)` (once, on the loop) says that the disk refused: what was written
        until then is kept and the writer is done.
        """

    def flush(self) -> Awaitable[None]:
        """Returns when everything handed over so far is written and finished files are synced."""


class SegmentIndex(Protocol):
    """The index over the archive: derived, can be rebuilt."""

    def add(self, segment: Segment) -> None:
        """Adds or replaces a segment, soon and in the background; a failing index is logged, never raised."""

    async def latest(self, camera_id: str, limit: int = 1) -> list[Segment]:
        """The newest segments of a camera, newest first."""

    async def between(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, limit: int = 10_000
    ) -> list[Segment]:
        """The segments that overlap a range, oldest first."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A recording switch."""

    on: bool
    by: str = ""
    """Who turned it; empty if that is not known."""


class SwitchMemory(Protocol):
    """Remembers the recording switches over restarts (atomic, durable)."""

    def load(self) -> dict[str, Switch]:
        """Camera id to switch; empty if nothing was remembered or it cannot be read (logged)."""

    def save(self, switches: Mapping[str, Switch]) -> None:
        """Remembers all of them, soon, in the background."""


class ModeMemory(Protocol):
    """Remembers the recording modes over restarts (atomic, durable)."""

    def save(self, camera_id: str, mode: RecordingMode) -> None:
        """Remembers, soon, in the background."""


class DiskProbe(Protocol):
    """Figures of the recordings' file system."""

    async def probe(self) -> DiskStatus:
        """Figures and flags; if it is not the right disk, only a trouble with its reason and hint. Core judges.

        Raises:
            LivecamError: DISK if it does not answer, or not in time.
        """


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor`."""

    name: str
    ok: bool
    found: str
    """What is so, e.g. `ffmpeg 5.1.9`."""
    mend: str = ""
    """What to do if not ok."""


class SelfCheck(Protocol):
    """What `doctor` needs of each part."""

    async def check(self) -> Sequence[Check]:
        """Looks; changes nothing; takes at most a few seconds."""
