"""How everything is, as the status API, the page and Home Assistant tell it. Plain values, ready for JSON."""

from dataclasses import dataclass, field
from enum import StrEnum

from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.quality import QualityStatus


class CameraState(StrEnum):
    """The one word on a camera's tile."""

    LIVE = "LIVE"
    DELAY = "DELAY"
    """It runs, but the newest frame is late."""
    ERROR = "ERROR"
    """It delivered and then failed, or delivers what cannot be used; being restarted."""
    OFFLINE = "OFFLINE"
    """It cannot be opened or reached; tried again for ever."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, in words, and what to do about it."""

    message: str
    hint: str = ""
    at_utc_ns: int = 0


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something about a camera that is not right although it may run; gone when it is right again."""

    kind: str
    """`restarts`, `black`, `frozen`, `slow`, `late`: stable, for programs."""
    message: str
    hint: str
    since_utc_ns: int


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A segment as far as a status tells of it."""

    path: str
    start_utc_ns: int
    duration_ns: int
    frames: int
    bytes: int


class RecordingMode(StrEnum):
    """What a camera's recording depends on, besides its switch."""

    SWITCHED = "switched"
    """Recorded while the switch is on."""
    ALWAYS = "always"
    """Recorded whatever the switch says."""
    SCHEDULE = "schedule"
    """Recorded while the switch is on and the schedule has a time for it."""
    EVENTS = "events"
    """Recorded while the switch is on and something happens."""


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """One camera's recorder: what was asked for, and what it really does."""

    wanted: bool
    """The switch."""
    active: bool
    """True only while frames are going into a file."""
    current_path: str | None = None
    since_utc_ns: int | None = None
    last_segment: SegmentInfo | None = None
    segments: int = 0
    """Finished since the service started."""
    frames: int = 0
    """Written since the service started."""
    bytes: int = 0
    dropped_frames: int = 0
    """Frames that should have been recorded and could not be (disk)."""
    fault: Fault | None = None
    mode: RecordingMode = RecordingMode.SWITCHED
    idle: GapCause | None = None
    """Why nothing is meant to be recorded now: SWITCHED_OFF, SCHEDULE or NO_EVENT; None if something is."""
    idle_by: str = ""
    """Who switched it off."""
    keeping_until_utc_ns: int | None = None
    """Until then it is recorded because somebody pressed *keep that*."""
    modes: tuple[RecordingMode, ...] = ()
    """Those that can be chosen: without a schedule in the config there is no SCHEDULE."""


@dataclass(frozen=True, slots=True)
class StreamAddresses:
    """Where one camera can be watched through the media server; `{host}` stands for this machine's name."""

    rtsp: str
    webrtc: str | None = None
    """WHEP endpoint (RFC 9725)."""
    ll_hls: str | None = None
    rtsps: str | None = None
    """RTSP over TLS; None without a certificate."""


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """One camera."""

    id: str
    name: str
    kind: str
    state: CameraState
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    """Over the last few seconds."""
    bitrate_bps: float = 0.0
    frames: int = 0
    """Since the service started, over all restarts."""
    bytes: int = 0
    dropped_frames: int = 0
    """Frames that ffmpeg reported as dropped plus those the timestamps show to be missing."""
    restarts: int = 0
    last_frame_age_s: float | None = None
    viewers: int = 0
    """HTTP viewers of the service itself; those of the media server are its own affair."""
    latency_s: float | None = None
    """How much later than usual the newest frame came."""
    audio_codec: str = ""
    """RFC 6381; empty without sound."""
    encoder: str = ""
    """What encodes it here; empty if it is copied as the camera sends it."""
    phase_ms: float | None = None
    """How far its frames are from the common moments, for cameras that line up (`line_up`)."""
    quality: QualityStatus = field(default_factory=lambda: QualityStatus(changeable=False))
    sub_stream: str = ""
    """The id under which its smaller stream is served; empty if it has none."""
    complaints: tuple[Complaint, ...] = ()
    """What is not right about it now."""
    fault: Fault | None = None
    """The last error; kept after it healed, for the record."""
    enabled: bool = True
    """False: it was stopped by somebody, whom the fault names."""
    recording: RecordingStatus = field(default_factory=lambda: RecordingStatus(wanted=False, active=False))
    addresses: StreamAddresses | None = None
    lasting: tuple[str, ...] = ()
    """The labels of the events that last now, sorted."""
    last_event: Event | None = None
    """The newest that began since the service started; as it is now."""


class ServerState(StrEnum):
    """A supervised child's state (see runtime/supervisor.py)."""

    STARTING = "starting"
    READY = "ready"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FATAL = "fatal"
    """Retrying cannot cure it."""


@dataclass(frozen=True, slots=True)
class MediaServerStatus:
    """The media server that serves RTSP."""

    name: str
    """`mediamtx`, `gstreamer` or `none`."""
    state: ServerState
    version: str = ""
    restarts: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """The MQTT broker."""

    configured: bool
    connected: bool = False
    address: str = ""
    fault: Fault | None = None


class DiskLevel(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    FULL = "full"
    """Recording pauses."""


class DiskTrouble(StrEnum):
    """What is wrong with the disk."""

    NONE = "none"
    SPACE = "space"
    """Little room, or none."""
    READ_ONLY = "read_only"
    MISSING = "missing"
    """The recordings' disk is not mounted: what is in its place is another one."""
    SLOW = "slow"
    """What is to be written queues up."""
    BROKEN = "broken"
    """It reports errors, or does not answer."""


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """The file system that the recordings lie on."""

    path: str
    total_bytes: int = 0
    free_bytes: int = 0
    problem: bool = False
    reason: str = ""
    """Empty if there is no problem."""
    level: DiskLevel = DiskLevel.OK
    trouble: DiskTrouble = DiskTrouble.NONE
    hint: str = ""
    """What to do about it."""
    read_only: bool = False
    """As the file system's flags say."""


@dataclass(frozen=True, slots=True)
class RetentionStatus:
    """What the archive holds, and how long that goes on."""

    bytes: int = 0
    """All recordings that the index knows."""
    oldest_utc_ns: int | None = None
    bytes_per_day: float = 0.0
    """At the present rate."""
    days_held: float | None = None
    """Days of footage that the limits and the disk allow at that rate; None if not known."""
    days_until_full: float | None = None
    """Until recording pauses for want of space; None if retention prevents that, or it is not known."""


@dataclass(frozen=True, slots=True)
class BreakIn:
    """Somebody has tried so many wrong passwords that they are slowed down."""

    at_utc_ns: int
    name: str
    """Empty if many were tried."""
    address: str
    failures: int
    door: str


@dataclass(frozen=True, slots=True)
class ClockStatus:
    """The machine's clock."""

    synchronised: bool = True
    warning: str = ""
    """Why the times of recordings may be wrong; empty if they are right."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What the service costs, with its children, over the last seconds."""

    cpu_percent: float | None = None
    """Of one core; None until it was looked at twice."""
    memory_bytes: int | None = None
    """What several processes share counts once (proportional set size)."""
    processes: int = 0


class Severity(StrEnum):
    """How much an alarm matters."""

    WARNING = "warning"
    """Nothing is lost yet, or it mends itself."""
    ERROR = "error"
    """Pictures or recordings are being lost."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is not right now, and what to do about it; gone when it is right again."""

    severity: Severity
    kind: str
    """`disk`, `disk_full`, `clock`, `broker`, `media_server`, `camera`, `recording`, or a complaint's kind:
    stable, for programs.
    """
    words: str
    hint: str
    since_utc_ns: int
    """When it began, or was first noticed."""
    camera_id: str = ""
    """The camera that it is about, which `words` do not name; empty for what is not one camera's affair."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The whole service."""

    name: str
    version: str
    started_utc_ns: int
    uptime_s: float
    cameras: tuple[CameraStatus, ...]
    media_server: MediaServerStatus
    broker: BrokerStatus
    disk: DiskStatus
    page_url: str = ""
    retention: RetentionStatus = RetentionStatus()
    clock: ClockStatus = ClockStatus()
    process: ProcessStatus = ProcessStatus()
    alarms: tuple[Alarm, ...] = ()
    """What is not right now, the worst first (see domain/alarms.py)."""
    node_id: str = ""
    """As in the config."""
    install_id: str = ""
    """32 hexadecimal digits, made once for this installation's data folder; stays whatever is renamed."""
    installed_version: str = ""
    """Of the software on the disk; another one than `version` after an upgrade, until the service is restarted."""
    break_in: BreakIn | None = None
    """The newest attempt that was told of since the service started."""
