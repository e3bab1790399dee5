"""How things are, as payloads: topic to bytes. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from livecam_nvr.core.events import BreakInAttempt
from livecam_nvr.domain.coverage import Coverage, GapCause
from livecam_nvr.domain.gap_words import in_words
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import (
    CameraState,
    CameraStatus,
    Complaint,
    DiskStatus,
    Fault,
    RecordingMode,
    RecordingStatus,
    RetentionStatus,
    SegmentInfo,
)
from livecam_nvr.mqtt.entities import BREAK_IN, OFF, OFFLINE, ON, ONLINE
from livecam_nvr.mqtt.topics import Topics

NO_CHOICE = b"None"
_LONGEST_NAME = 64  # what strangers type
_LONGEST_TEXT = 500  # attributes are stored with each state by Home Assistant's recorder

_IDLE = {
    GapCause.SWITCHED_OFF: "switched off",
    GapCause.SCHEDULE: "the schedule has this time off",
    GapCause.NO_EVENT: "nothing happens",
}

Payloads = dict[str, bytes]


def camera_state(topics: Topics, camera_id: str, state: CameraState, fault: Fault | None) -> Payloads:
    """Whether the camera delivers, and its one word with the reason for it.

    A status keeps its last fault after it healed; a camera that delivers has none to tell here.
    """
    delivers = state in (CameraState.LIVE, CameraState.DELAY)
    told = None if delivers else fault
    return {
        topics.available(camera_id): (ONLINE if delivers else OFFLINE).encode(),
        topics.state(camera_id): _json(
            state=str(state), error=_text(told.message if told else ""), hint=_text(told.hint if told else "")
        ),
    }


def recording(topics: Topics, camera_id: str, status: RecordingStatus) -> Payloads:
    """The switch, what the recorder really does, and the newest finished file (if one is known)."""
    reason = status.fault.message if status.fault else ""
    if not reason and not status.active:
        idle = _IDLE.get(status.idle, "") if status.idle else "waiting for the camera" if status.wanted else ""
        reason = f"{idle} by {status.idle_by}" if idle and status.idle_by else idle
    found = {
        # A camera that always records has nothing to switch.
        topics.recording(camera_id): _on(status.wanted or status.mode is RecordingMode.ALWAYS),
        topics.recording_mode(camera_id): str(status.mode).encode(),
        topics.recording_active(camera_id): _json(active=_on(status.active).decode(), reason=_text(reason)),
    }
    if status.last_segment is not None:
        found[topics.last_segment(camera_id)] = _last_segment(status.last_segment)
    return found


def quality(topics: Topics, camera_id: str, status: QualityStatus, height: int) -> Payloads:
    """The resolution and the frame rate that run; nothing while a change is under way: it is not proven yet.

    A camera may deliver another size than was asked for: then its real `height` (0 if unknown) counts. One that is
    no choice is told as `None`, which Home Assistant shows as unknown.
    """
    if status.changing:
        return {}
    resolution = rate = b""
    if status.changeable:
        real = height or status.height
        resolution = f"{real}p".encode() if real in status.heights else NO_CHOICE
        rate = f"{status.fps:g}".encode()
    return {topics.resolution(camera_id): resolution, topics.frame_rate(camera_id): rate}


def problem(topics: Topics, camera_id: str, complaints: Sequence[Complaint]) -> Payloads:
    """Whether anything about the camera is not right, and what to do about it."""
    told = [{"kind": c.kind, "message": _text(c.message), "hint": _text(c.hint)} for c in complaints]
    return {topics.problem(camera_id): _json(problem=_on(bool(told)).decode(), complaints=told)}


def stats(topics: Topics, camera: CameraStatus) -> Payloads:
    """Frame rate, bit rate and size, rounded to what a person reads, so that noise makes no messages."""
    return {
        topics.stats(camera.id): _json(
            fps=round(camera.fps, 1),
            bitrate_mbps=round(camera.bitrate_bps / 1_000_000, 2),
            size=f"{camera.width}x{camera.height}" if camera.width else "",
        )
    }


def disk_problem(topics: Topics, disk: DiskStatus) -> Payloads:
    """Whether the disk has a problem, which, how bad it is, and what to do."""
    told = _json(
        problem=_on(disk.problem).decode(),
        reason=_text(disk.reason),
        hint=_text(disk.hint),
        level=str(disk.level),
        trouble=str(disk.trouble),
    )
    return {topics.disk_problem: told}


def break_in(event: BreakInAttempt, utc_ns: int) -> bytes:
    """That somebody has tried so many passwords that they are slowed down."""
    return _json(
        event_type=BREAK_IN,
        address=_text(event.address),
        user=_text(event.name)[:_LONGEST_NAME],
        failures=event.failures,
        door=event.door,
        at=_moment(utc_ns),
    )


def retention(topics: Topics, status: RetentionStatus) -> Payloads:
    """How much footage there is, and how long that goes on."""
    oldest = status.oldest_utc_ns
    told = _json(
        days_held=_rounded(status.days_held),
        days_until_full=_rounded(status.days_until_full),
        oldest=None if oldest is None else _moment(oldest),
        gb=round(status.bytes / 1e9, 1),
        gb_per_day=round(status.bytes_per_day / 1e9, 1),
    )
    return {topics.retention: told}


def coverage(topics: Topics, camera_id: str, hour: Coverage | None, day: Coverage | None) -> Payloads:
    """How much of the last hour and day was recorded, and the newest gap that nobody meant; None: not known."""
    missed = [gap for gap in day.gaps if not gap.cause.meant] if day else []
    last = missed[-1] if missed else None
    told = _json(
        hour=_percent(hour.share if hour else None),
        day=_percent(day.share if day else None),
        of_wanted=_percent(day.share_of_wanted if day else None),
        gaps=len(missed) if day else None,
        last_gap=None
        if last is None
        else {
            "begin": _moment(last.begin_utc_ns),
            "end": _moment(last.end_utc_ns),
            "cause": str(last.cause),
            "words": _text(in_words(last)),
        },
    )
    return {topics.coverage(camera_id): told}


def disk_free(topics: Topics, disk: DiskStatus) -> Payloads:
    """Free space in GB; nothing while the disk has not been looked at."""
    if not disk.total_bytes:
        return {}
    return {topics.disk_free: f"{disk.free_bytes / 1_000_000_000:.1f}".encode()}


def _on(value: bool) -> bytes:
    return (ON if value else OFF).encode()


def _text(text: str) -> str:
    return redact(text)[:_LONGEST_TEXT]


def _json(**values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _last_segment(segment: SegmentInfo) -> bytes:
    return _json(finished=_moment(segment.start_utc_ns + segment.duration_ns), file=segment.path)


def _moment(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns // NS, UTC).isoformat()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _percent(share: float | None) -> float | None:
    """Rounded down: 100 is said only where nothing is missing."""
    return None if share is None else int(share * 1000) / 10
