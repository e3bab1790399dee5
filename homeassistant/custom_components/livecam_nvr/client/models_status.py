"""How everything is: `/api/status` and `/api/events`."""

from dataclasses import dataclass
from datetime import datetime

from .reading import Reading


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, and what to do about it."""

    message: str
    hint: str
    at: datetime | None

    @classmethod
    def of(cls, reading: Reading) -> Fault:
        """Raises InvalidAnswer."""
        return cls(reading.text("message"), reading.text("hint"), reading.maybe_moment("at_utc"))


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is not right about a camera although it may run."""

    kind: str
    message: str
    hint: str

    @classmethod
    def of(cls, reading: Reading) -> Complaint:
        """Raises InvalidAnswer."""
        return cls(reading.text("kind"), reading.text("message"), reading.text("hint"))


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """Something that happened in front of a camera."""

    id: str
    camera_id: str
    """Empty in a timeline, which is of one camera."""
    label: str
    source: str
    begin: datetime
    end: datetime | None
    """None while it lasts."""

    @classmethod
    def of(cls, reading: Reading) -> ReportedEvent:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("id"),
            reading.maybe_text("camera_id") or "",
            reading.text("label"),
            reading.text("source"),
            reading.moment("begin_utc"),
            reading.maybe_moment("end_utc"),
        )


@dataclass(frozen=True, slots=True)
class LastSegment:
    """A camera's newest finished file."""

    path: str
    start: datetime
    duration_s: float
    frames: int
    bytes: int

    @classmethod
    def of(cls, reading: Reading) -> LastSegment:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("path"),
            reading.moment("start_utc"),
            reading.number("duration_s"),
            reading.whole("frames"),
            reading.whole("bytes"),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A camera's recorder: what was asked for, and what it really does."""

    wanted: bool
    active: bool
    mode: str
    modes: tuple[str, ...]
    """Those that can be chosen."""
    idle: str | None
    idle_by: str
    last_segment: LastSegment | None
    fault: Fault | None
    keeping_until: datetime | None
    dropped_frames: int

    @classmethod
    def of(cls, reading: Reading) -> Recording:
        """Raises InvalidAnswer."""
        return cls(
            wanted=reading.flag("wanted"),
            active=reading.flag("active"),
            mode=reading.text("mode"),
            modes=reading.texts("modes"),
            idle=reading.maybe_text("idle"),
            idle_by=reading.maybe_text("idle_by") or "",
            last_segment=reading.maybe("last_segment", LastSegment.of),
            fault=reading.maybe("fault", Fault.of),
            keeping_until=reading.maybe_moment("keeping_until_utc"),
            dropped_frames=reading.whole("dropped_frames"),
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be chosen of a camera's picture, and what was."""

    changeable: bool
    height: int
    fps: float
    heights: tuple[int, ...]
    most_fps: float
    changing: bool

    @classmethod
    def of(cls, reading: Reading) -> Quality:
        """Raises InvalidAnswer."""
        return cls(
            reading.flag("changeable"),
            reading.whole("height"),
            reading.number("fps"),
            reading.numbers("heights"),
            reading.number("most_fps"),
            reading.flag("changing"),
        )


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the media server has a camera, with the host named as we name it."""

    rtsp: str
    rtsps: str | None
    webrtc: str | None
    ll_hls: str | None

    @classmethod
    def of(cls, reading: Reading) -> Addresses:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("rtsp"),
            reading.maybe_text("rtsps"),
            reading.maybe_text("webrtc"),
            reading.maybe_text("ll_hls"),
        )


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera."""

    id: str
    name: str
    kind: str
    state: str
    """`LIVE`, `DELAY`, `ERROR` or `OFFLINE`."""
    enabled: bool
    codec: str
    audio_codec: str
    width: int
    height: int
    fps: float
    bitrate_bps: float
    dropped_frames: int
    """Since the service started."""
    restarts: int
    viewers: int
    sub_stream: str
    complaints: tuple[Complaint, ...]
    fault: Fault | None
    recording: Recording
    quality: Quality
    addresses: Addresses | None
    lasting: tuple[str, ...]
    """The labels of the events that last now."""
    last_event: ReportedEvent | None
    """The newest that began since the service started."""

    @property
    def delivers(self) -> bool:
        """Whether pictures come."""
        return self.state in ("LIVE", "DELAY")

    @classmethod
    def of(cls, reading: Reading) -> Camera:
        """Raises InvalidAnswer."""
        return cls(
            id=reading.text("id"),
            name=reading.text("name"),
            kind=reading.text("kind"),
            state=reading.text("state"),
            enabled=reading.flag("enabled"),
            codec=reading.text("codec"),
            audio_codec=reading.text("audio_codec"),
            width=reading.whole("width"),
            height=reading.whole("height"),
            fps=reading.number("fps"),
            bitrate_bps=reading.number("bitrate_bps"),
            dropped_frames=reading.whole("dropped_frames"),
            restarts=reading.whole("restarts"),
            viewers=reading.whole("viewers"),
            sub_stream=reading.text("sub_stream"),
            complaints=reading.each("complaints", Complaint.of),
            fault=reading.maybe("fault", Fault.of),
            recording=Recording.of(reading.part("recording")),
            quality=Quality.of(reading.part("quality")),
            addresses=reading.maybe("addresses", Addresses.of),
            lasting=reading.texts("lasting"),
            last_event=reading.maybe("last_event", ReportedEvent.of),
        )


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of the recordings."""

    total_bytes: int
    free_bytes: int
    problem: bool
    reason: str
    hint: str
    level: str
    trouble: str

    @classmethod
    def of(cls, reading: Reading) -> Disk:
        """Raises InvalidAnswer."""
        return cls(
            reading.whole("total_bytes"),
            reading.whole("free_bytes"),
            reading.flag("problem"),
            reading.text("reason"),
            reading.text("hint"),
            reading.text("level"),
            reading.text("trouble"),
        )


@dataclass(frozen=True, slots=True)
class Retention:
    """What the archive holds, and how long that goes on."""

    bytes: int
    oldest: datetime | None
    bytes_per_day: float
    days_held: float | None
    days_until_full: float | None

    @classmethod
    def of(cls, reading: Reading) -> Retention:
        """Raises InvalidAnswer."""
        return cls(
            reading.whole("bytes"),
            reading.maybe_moment("oldest_utc"),
            reading.number("bytes_per_day"),
            reading.maybe_number("days_held"),
            reading.maybe_number("days_until_full"),
        )


@dataclass(frozen=True, slots=True)
class Process:
    """What the service costs, with its children."""

    cpu_percent: float | None
    memory_bytes: int | None

    @classmethod
    def of(cls, reading: Reading) -> Process:
        """Raises InvalidAnswer."""
        return cls(reading.maybe_number("cpu_percent"), reading.maybe_whole("memory_bytes"))


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the service's machine."""

    synchronised: bool
    warning: str

    @classmethod
    def of(cls, reading: Reading) -> Clock:
        """Raises InvalidAnswer."""
        return cls(reading.flag("synchronised"), reading.text("warning"))


@dataclass(frozen=True, slots=True)
class BreakIn:
    """Somebody has tried so many wrong passwords that they are slowed down."""

    at: datetime
    name: str
    address: str
    failures: int
    door: str

    @classmethod
    def of(cls, reading: Reading) -> BreakIn:
        """Raises InvalidAnswer."""
        return cls(
            reading.moment("at_utc"),
            reading.text("name"),
            reading.text("address"),
            reading.whole("failures"),
            reading.text("door"),
        )


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is not right now."""

    severity: str
    kind: str
    camera_id: str
    words: str
    hint: str

    @classmethod
    def of(cls, reading: Reading) -> Alarm:
        """Raises InvalidAnswer."""
        return cls(
            reading.text("severity"),
            reading.text("kind"),
            reading.text("camera_id"),
            reading.text("words"),
            reading.text("hint"),
        )


@dataclass(frozen=True, slots=True)
class Status:
    """The whole service."""

    name: str
    version: str
    installed_version: str
    """What lies on the disk: another one than `version` between an upgrade and the restart."""
    started: datetime
    page_url: str
    cameras: tuple[Camera, ...]
    disk: Disk
    retention: Retention | None
    clock: Clock
    process: Process
    alarms: tuple[Alarm, ...]
    break_in: BreakIn | None
    media_server: str
    """`mediamtx`, `gstreamer` or `none`."""

    def camera(self, camera_id: str) -> Camera | None:
        """One of them; None if there is no such camera (any more)."""
        return next((camera for camera in self.cameras if camera.id == camera_id), None)

    @classmethod
    def of(cls, reading: Reading) -> Status:
        """Raises InvalidAnswer."""
        version = reading.text("version")
        return cls(
            name=reading.text("name"),
            version=version,
            installed_version=reading.text("installed_version") or version,
            started=reading.moment("started_utc"),
            page_url=reading.text("page_url"),
            cameras=reading.each("cameras", Camera.of),
            disk=Disk.of(reading.part("disk")),
            retention=reading.maybe("retention", Retention.of),
            clock=Clock.of(reading.part("clock")),
            process=Process.of(reading.part("process")),
            alarms=reading.each("alarms", Alarm.of),
            break_in=reading.maybe("break_in", BreakIn.of),
            media_server=reading.part("media_server").text("name"),
        )
