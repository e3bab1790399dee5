"""Facts that parts of the service tell each other over the bus. Past tense, frozen, no behaviour."""

from dataclasses import dataclass

from livecam_nvr.domain.ledger import Clip, Event
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraState,
    ClockStatus,
    Complaint,
    DiskStatus,
    Fault,
    MediaServerStatus,
    RecordingStatus,
)


@dataclass(frozen=True, slots=True)
class CameraStateChanged:
    """A camera is now LIVE, DELAY, ERROR or OFFLINE."""

    camera_id: str
    state: CameraState
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A camera's stream has (again) begun: a new init segment is there."""

    camera_id: str
    codec: str
    """RFC 6381."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """A camera's quality was changed, or a change began or failed."""

    camera_id: str
    status: QualityStatus


@dataclass(frozen=True, slots=True)
class ComplaintsChanged:
    """Something about a camera is not right, or is right again."""

    camera_id: str
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """What was asked of a camera's recorder, or what it does, changed."""

    camera_id: str
    status: RecordingStatus


@dataclass(frozen=True, slots=True)
class SegmentFinished:
    """A file is complete on disk and has its durations and keyframe table."""

    segment: Segment


@dataclass(frozen=True, slots=True)
class SegmentRedated:
    """A finished file got its true time once the clock was right; the index knows already."""

    segment: Segment
    """As it is now."""
    was_path: str
    """Where it was before; the same path if only the mark was taken from it."""


@dataclass(frozen=True, slots=True)
class EventChanged:
    """Something began or ended in front of a camera."""

    event: Event


@dataclass(frozen=True, slots=True)
class ClipChanged:
    """Footage is kept from now on, its range has changed, or it was given up (`removed`)."""

    clip: Clip
    removed: bool = False


@dataclass(frozen=True, slots=True)
class DiskChanged:
    """New disk figures (on a cadence), or a disk problem came or went (at once)."""

    status: DiskStatus


@dataclass(frozen=True, slots=True)
class ClockChanged:
    """The machine's clock was synchronised, or there is (again) something to say about it."""

    status: ClockStatus


@dataclass(frozen=True, slots=True)
class MediaServerChanged:
    """The media server came up, died or was given up."""

    status: MediaServerStatus


@dataclass(frozen=True, slots=True)
class BrokerChanged:
    """The broker's connection came or went."""

    status: BrokerStatus


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """What these came with is not valid any more: whatever runs on it has to end, at every door."""

    credentials: frozenset[str] = frozenset()
    """As `Principal.credential`."""
    sessions: frozenset[str] = frozenset()
    """As `Principal.session`."""
    keep_session: str = ""
    """Goes on in spite of its credential: the session in which somebody has changed their own password."""


@dataclass(frozen=True, slots=True)
class BreakInAttempt:
    """So many wrong passwords have come that attempts are slowed down; told seldom, not for each attempt."""

    name: str
    """The user that was tried; empty if there were many."""
    address: str
    failures: int
    door: str


@dataclass(frozen=True, slots=True)
class FootageDeleted:
    """Retention has deleted recordings of a camera; told once a pass."""

    camera_id: str
    files: int
    bytes: int
    reason: str


AnyEvent = (
    CameraStateChanged
    | StreamStarted
    | QualityChanged
    | ComplaintsChanged
    | RecordingChanged
    | SegmentFinished
    | SegmentRedated
    | EventChanged
    | ClipChanged
    | DiskChanged
    | ClockChanged
    | MediaServerChanged
    | BrokerChanged
    | AccessEnded
    | BreakInAttempt
    | FootageDeleted
)
