"""How a camera is, as payloads: topic to bytes. Pure."""

from collections.abc import Sequence

from livecam_nvr.domain.coverage import Coverage, GapCause
from livecam_nvr.domain.gap_words import in_words
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.domain.status import (
    CameraState,
    CameraStatus,
    Complaint,
    Fault,
    RecordingMode,
    RecordingStatus,
    SegmentInfo,
)
from livecam_nvr.mqtt.discovery.entities import OFFLINE, ONLINE, UNKNOWN
from livecam_nvr.mqtt.tell.payloads import Payloads, as_json, as_moment, as_state, as_text
from livecam_nvr.mqtt.topics import Topics

_IDLE = {
    GapCause.SWITCHED_OFF: "switched off",
    GapCause.SCHEDULE: "the schedule has this time off",
    GapCause.NO_EVENT: "nothing happens",
}


def camera_state(topics: Topics, camera_id: str, state: CameraState, fault: Fault | None) -> Payloads:
    """Whether the camera delivers, and its one word with the reason for it.

    A status keeps its last fault after it healed; a camera that delivers has none to tell here.
    """
    delivers = state in (CameraState.LIVE, CameraState.DELAY)
    told = None if delivers else fault
    return {
        topics.available(camera_id): (ONLINE if delivers else OFFLINE).encode(),
        topics.state(camera_id): as_json(
            state=str(state), error=as_text(told.message if told else ""), hint=as_text(told.hint if told else "")
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
        topics.recording(camera_id): as_state(status.wanted or status.mode is RecordingMode.ALWAYS),
        topics.recording_mode(camera_id): str(status.mode).encode(),
        topics.recording_active(camera_id): as_json(
            active=as_state(status.active).decode(), reason=as_text(reason)
        ),
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
        resolution = f"{real}p".encode() if real in status.heights else UNKNOWN.encode()
        rate = f"{status.fps:g}".encode()
    return {topics.resolution(camera_id): resolution, topics.frame_rate(camera_id): rate}


def problem(topics: Topics, camera_id: str, complaints: Sequence[Complaint]) -> Payloads:
    """Whether anything about the camera is not right, and what to do about it."""
    told = [{"kind": c.kind, "message": as_text(c.message), "hint": as_text(c.hint)} for c in complaints]
    return {topics.problem(camera_id): as_json(problem=as_state(bool(told)).decode(), complaints=told)}


def stats(topics: Topics, camera: CameraStatus) -> Payloads:
    """Frame rate, bit rate and size, rounded to what a person reads, so that noise makes no messages."""
    return {
        topics.stats(camera.id): as_json(
            fps=round(camera.fps, 1),
            bitrate_mbps=round(camera.bitrate_bps / 1_000_000, 2),
            size=f"{camera.width}x{camera.height}" if camera.width else "",
            dropped=camera.dropped_frames,
        )
    }


def enabled(topics: Topics, camera_id: str, on: bool) -> Payloads:
    """Whether the camera is switched on at all."""
    return {topics.enabled(camera_id): as_state(on)}


def motion(topics: Topics, camera_id: str, moves: bool | None) -> Payloads:
    """Whether something moves in front of the camera; None while nobody has told."""
    return {topics.motion(camera_id): as_state(moves)}


def coverage(topics: Topics, camera_id: str, hour: Coverage | None, day: Coverage | None) -> Payloads:
    """How much of the last hour and day was recorded, and the newest gap that nobody meant; None: not known."""
    missed = [gap for gap in day.gaps if not gap.cause.meant] if day else []
    last = missed[-1] if missed else None
    told = as_json(
        hour=_percent(hour.share if hour else None),
        day=_percent(day.share if day else None),
        of_wanted=_percent(day.share_of_wanted if day else None),
        gaps=len(missed) if day else None,
        last_gap=None
        if last is None
        else {
            "begin": as_moment(last.begin_utc_ns),
            "end": as_moment(last.end_utc_ns),
            "cause": str(last.cause),
            "words": as_text(in_words(last)),
        },
    )
    return {topics.coverage(camera_id): told}


def _last_segment(segment: SegmentInfo) -> bytes:
    return as_json(finished=as_moment(segment.start_utc_ns + segment.duration_ns), file=segment.path)


def _percent(share: float | None) -> float | None:
    """Rounded down: 100 is said only where nothing is missing."""
    return None if share is None else int(share * 1000) / 10
