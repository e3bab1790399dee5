"""What was recorded: days, files, events, clips, coverage, exports."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .errors import InvalidAnswer
from .models_status import ReportedEvent
from .reading import Reading


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the service's local time with footage."""

    day: date
    segments: int
    frames: int
    bytes: int
    duration_s: float

    @classmethod
    def of(cls, reading: Reading) -> Day:
        """Raises InvalidAnswer."""
        try:
            day = date.fromisoformat(reading.text("day"))
        except ValueError:
            raise InvalidAnswer(f"{reading.text('day')!r} is no day") from None
        return cls(
            day,
            reading.whole("segments"),
            reading.whole("frames"),
            reading.whole("bytes"),
            reading.number("duration_s"),
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """A finished file."""

    url: str
    path: str
    start: datetime
    duration_s: float
    frames: int
    bytes: int
    codec: str
    width: int
    height: int

    @property
    def end(self) -> datetime:
        """When its last picture ends."""
        return self.start + timedelta(seconds=self.duration_s)

    @classmethod
    def of(cls, reading: Reading) -> Segment:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("url"),
            reading.text("path"),
            reading.moment("start_utc"),
            reading.number("duration_s"),
            reading.whole("frames"),
            reading.whole("bytes"),
            reading.text("codec"),
            reading.whole("width"),
            reading.whole("height"),
        )


@dataclass(frozen=True, slots=True)
class Segments:
    """The finished files of a range."""

    begin: datetime
    end: datetime
    """Where the answer ends: with `more`, ask on from there."""
    segments: tuple[Segment, ...]
    recording_since: datetime | None
    more: bool

    @classmethod
    def of(cls, reading: Reading) -> Segments:
        """Raises InvalidAnswer."""
        return cls(
            reading.moment("from_utc"),
            reading.moment("to_utc"),
            reading.each("segments", Segment.of),
            reading.maybe_moment("recording_since_utc"),
            reading.flag("more"),
        )


@dataclass(frozen=True, slots=True)
class Clip:
    """Footage that is kept until somebody gives it up."""

    id: str
    camera_id: str
    """Empty in a timeline, which is of one camera."""
    title: str
    by: str
    begin: datetime
    end: datetime

    @classmethod
    def of(cls, reading: Reading) -> Clip:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("id"),
            reading.maybe_text("camera_id") or "",
            reading.text("title"),
            reading.text("by"),
            reading.moment("begin_utc"),
            reading.moment("end_utc"),
        )


@dataclass(frozen=True, slots=True)
class Span:
    """Footage without a gap."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, reading: Reading) -> Span:
        """Raises InvalidAnswer."""
        return cls(reading.moment("begin_utc"), reading.moment("end_utc"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Where nothing was recorded, and why."""

    begin: datetime
    end: datetime
    cause: str
    by: str
    text: str
    """All that is known of it, in a sentence."""
    meant: bool
    """Whether nothing was to be recorded then."""

    @classmethod
    def of(cls, reading: Reading) -> Gap:
        """Raises InvalidAnswer."""
        return cls(
            reading.moment("begin_utc"),
            reading.moment("end_utc"),
            reading.text("cause"),
            reading.text("by"),
            reading.text("text"),
            reading.flag("meant"),
        )


@dataclass(frozen=True, slots=True)
class CoverageSum:
    """How much of a range was recorded."""

    begin: datetime
    end: datetime
    recorded_s: float
    share: float | None
    """0 to 1; None for an empty range."""
    share_of_wanted: float | None

    @classmethod
    def of(cls, reading: Reading) -> CoverageSum:
        """Raises InvalidAnswer."""
        return cls(
            reading.moment("begin_utc"),
            reading.moment("end_utc"),
            reading.number("recorded_s"),
            reading.maybe_number("share"),
            reading.maybe_number("share_of_wanted"),
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a range was recorded, and why the rest was not."""

    sums: CoverageSum
    gaps: tuple[Gap, ...]
    last_hour: CoverageSum
    last_day: CoverageSum

    @classmethod
    def of(cls, reading: Reading) -> Coverage:
        """Raises InvalidAnswer."""
        return cls(
            CoverageSum.of(reading),
            reading.each("gaps", Gap.of),
            CoverageSum.of(reading.part("last_hour")),
            CoverageSum.of(reading.part("last_day")),
        )


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that a timeline shows of a range."""

    sums: CoverageSum
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    events: tuple[ReportedEvent, ...]
    clips: tuple[Clip, ...]

    @classmethod
    def of(cls, reading: Reading) -> Timeline:
        """Raises InvalidAnswer."""
        return cls(
            CoverageSum.of(reading),
            reading.each("spans", Span.of),
            reading.each("gaps", Gap.of),
            reading.each("events", ReportedEvent.of),
            reading.each("clips", Clip.of),
        )


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was ordered."""

    id: str
    state: str
    """`queued`, `running`, `done`, `failed` or `cancelled`."""
    progress: float
    words: str
    name: str
    url: str | None
    """The path of the file at the service, once it is done."""

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ("done", "failed", "cancelled")

    @classmethod
    def of(cls, reading: Reading) -> Export:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("id"),
            reading.text("state"),
            reading.number("progress"),
            reading.text("words"),
            reading.text("name"),
            reading.maybe_text("url"),
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link that opens one path without credentials for some time."""

    url: str
    """The path, with the ticket in its query."""
    expires: datetime

    @classmethod
    def of(cls, reading: Reading) -> Ticket:
        """Raises InvalidAnswer."""
        return cls(reading.text("url"), reading.moment("expires_utc"))
