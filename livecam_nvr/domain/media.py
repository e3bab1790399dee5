"""Streams as the service sees them: an init segment and fragments of ISO base media (ISO/IEC 14496-12)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a stream, as its `moov` describes it."""

    track_id: int
    kind: Literal["video", "audio"]
    codec: str
    """RFC 6381 codec string, e.g. `avc1.42c01f`."""
    timescale: int
    """Ticks per second."""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class InitSegment:
    """`ftyp` and `moov` of one run of a camera's ffmpeg. Compared by identity: a new run is a new stream."""

    data: bytes
    tracks: tuple[Track, ...]

    @property
    def video(self) -> Track:
        """The first video track (a stream without one never becomes an InitSegment)."""
        return next(t for t in self.tracks if t.kind == "video")

    @property
    def mime(self) -> str:
        """The MIME type that Media Source Extensions and `<source type>` take."""
        return f'video/mp4; codecs="{",".join(t.codec for t in self.tracks)}"'


class TrackFragment(NamedTuple):
    """One `traf` of a fragment."""

    track_id: int
    tfdt_at: int
    """Where the baseMediaDecodeTime field begins in `Fragment.data`."""
    tfdt_size: int
    """4 or 8 bytes."""
    time: int
    """baseMediaDecodeTime in the track's ticks."""
    duration: int
    """Sum of the sample durations, ticks."""
    samples: int


class Fragment(NamedTuple):
    """One `moof` + `mdat`: one video frame, or the frames of one moment.

    A tuple because one is made for every frame: that costs a quarter of a frozen dataclass.
    """

    init: InitSegment
    data: bytes
    number: int
    """Grows by one for each fragment of the camera, for as long as the service lives."""
    keyframe: bool
    """True if its first video sample is a sync sample."""
    frames: int
    """Video samples in it (0 for a fragment of sound alone)."""
    time: int
    """Decode time of its first video sample, ticks of the video track."""
    duration: int
    """Duration of its video samples, ticks of the video track."""
    tracks: tuple[TrackFragment, ...]
    arrived_s: float
    """Monotonic time at which the service had it."""
    utc_ns: int
    """UTC at which its first video frame was taken, as well as that can be told."""

    @property
    def time_s(self) -> float:
        """Decode time in seconds of the stream's own clock."""
        return self.time / self.init.video.timescale


def base_times(fragment: Fragment) -> dict[int, int]:
    """Per track id, the time (in that track's ticks) to subtract so that `fragment`'s video begins at zero."""
    video = fragment.init.video
    return {
        t.track_id: fragment.time
        if t.track_id == video.track_id
        else fragment.time * t.timescale // video.timescale
        for t in fragment.init.tracks
    }


def rebased(fragment: Fragment, bases: dict[int, int]) -> list[bytes | memoryview]:
    """`fragment`'s bytes in pieces (for `writev`), with each track's decode time lowered by its base.

    The media bytes are not copied. Times never go below zero (sound that began a little before the
    first keyframe is moved onto it).
    """
    view = memoryview(fragment.data)
    pieces: list[bytes | memoryview] = []
    at = 0
    for track in fragment.tracks:
        value = max(0, track.time - bases.get(track.track_id, 0))
        pieces += [view[at : track.tfdt_at], value.to_bytes(track.tfdt_size, "big")]
        at = track.tfdt_at + track.tfdt_size
    pieces.append(view[at:])
    return pieces


class EndCause(StrEnum):
    """Why a segment ended, or a stream: kept in the file, in the index and on every gap."""

    CLOCK = "clock"
    """The next segment's time had come; nothing is missing after it."""
    SWITCHED_OFF = "switched_off"
    SCHEDULE = "schedule"
    """The schedule has the time after it off."""
    NO_EVENT = "no_event"
    """It records on events only, and the last one is over."""
    SERVICE = "service"
    """The service was stopped or killed."""
    CAMERA = "camera"
    """The camera went away or could not be opened."""
    ENCODER = "encoder"
    """ffmpeg died, stalled or sent what is not a stream."""
    FORMAT = "format"
    """The camera changed its codec or size in mid-stream."""
    RECONFIGURED = "reconfigured"
    """Somebody changed the camera's quality, or had it restarted."""
    DISK = "disk"
    """The disk refused, or was too slow."""
    UNKNOWN = "unknown"
