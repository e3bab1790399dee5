"""How much of a time was recorded, and why the rest was not: values."""

from dataclasses import dataclass
from enum import StrEnum


class GapCause(StrEnum):
    """Why there is no footage of a time."""

    SWITCHED_OFF = "switched_off"
    SCHEDULE = "schedule"
    """The schedule has this time off."""
    NO_EVENT = "no_event"
    """It records on events only, and there was none."""
    CAMERA = "camera"
    """The camera was away or could not be opened."""
    ENCODER = "encoder"
    """ffmpeg died, stalled, or sent what is not a stream."""
    FORMAT = "format"
    RECONFIGURED = "reconfigured"
    DISK = "disk"
    SERVICE_STOPPED = "service_stopped"
    SERVICE_CRASHED = "service_crashed"
    """It was killed, or the power failed."""
    DELETED = "deleted"
    """There was footage, and retention (or a person) has deleted it."""
    NEVER = "never"
    """The camera had not been recorded at all before."""
    CLOCK_SET = "clock_set"
    """The machine's clock was set forward while recording: no picture is missing, this time has never been."""
    UNKNOWN = "unknown"
    """No explanation is on record."""

    @property
    def meant(self) -> bool:
        """Whether the gap was meant to be: nobody misses that footage."""
        return self in _MEANT


_MEANT = {
    GapCause.SWITCHED_OFF,
    GapCause.SCHEDULE,
    GapCause.NO_EVENT,
    GapCause.DELETED,
    GapCause.NEVER,
    GapCause.CLOCK_SET,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A time, from `begin_utc_ns` up to but not including `end_utc_ns`."""

    begin_utc_ns: int
    end_utc_ns: int

    @property
    def duration_ns(self) -> int:
        """Its length."""
        return self.end_utc_ns - self.begin_utc_ns


@dataclass(frozen=True, slots=True)
class Gap(Span):
    """A time of which there is no footage."""

    cause: GapCause
    words: str = ""
    """More about it, for people: what the disk said, how long the camera was away."""
    by: str = ""
    """Who switched it off."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there is of one camera between two moments. Spans and gaps lie in order and fill the range."""

    camera_id: str
    range: Span
    spans: tuple[Span, ...]
    """Footage without a gap."""
    gaps: tuple[Gap, ...]
    frames: int
    """In the files that begin in the range."""

    @property
    def recorded_ns(self) -> int:
        """How much was recorded."""
        return sum(span.duration_ns for span in self.spans)

    @property
    def share(self) -> float:
        """The part of the range that was recorded, 0 to 1."""
        return self.recorded_ns / self.range.duration_ns if self.range.duration_ns else 0.0

    @property
    def share_of_wanted(self) -> float:
        """The part of the time that was meant to be recorded, 0 to 1; 1 if none was."""
        meant = sum(gap.duration_ns for gap in self.gaps if gap.cause.meant)
        wanted = self.range.duration_ns - meant
        return self.recorded_ns / wanted if wanted else 1.0
