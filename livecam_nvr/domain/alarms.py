"""What is not right about the service now, as one list: the page and Home Assistant tell the same. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from livecam_nvr.domain.status import (
    Alarm,
    CameraState,
    CameraStatus,
    DiskLevel,
    Fault,
    ServerState,
    ServiceStatus,
    Severity,
)

_SOON_DAYS = 2.0
_LOSING = (DiskLevel.CRITICAL, DiskLevel.FULL)
_SET_CLOCK = "see that the machine reaches a time server: `timedatectl` says whether it is synchronised"
_LOOK = "the log says more"


def alarms_of(status: ServiceStatus, before: Sequence[Alarm], now_utc_ns: int) -> tuple[Alarm, ...]:
    """The alarms that follow from a status, the worst first, then the oldest.

    Args:
        status: All but its own `alarms`.
        before: What this returned last; an alarm that lasts keeps its beginning.
        now_utc_ns: For those whose beginning nobody else knows.
    """
    known = {_key(alarm): alarm.since_utc_ns for alarm in before}
    found = (*_of_disk(status), *_of_parts(status), *_of_cameras(status.cameras))
    dated = (
        replace(alarm, since_utc_ns=known.get(_key(alarm)) or alarm.since_utc_ns or now_utc_ns) for alarm in found
    )
    return tuple(sorted(dated, key=lambda alarm: (alarm.severity is not Severity.ERROR, alarm.since_utc_ns)))


def _key(alarm: Alarm) -> tuple[str, str]:
    return alarm.kind, alarm.camera_id


def _of_disk(status: ServiceStatus) -> Iterator[Alarm]:
    disk = status.disk
    if disk.level is not DiskLevel.OK or disk.problem:
        severity = Severity.ERROR if disk.level in _LOSING or disk.problem else Severity.WARNING
        words = disk.reason or f"the recordings' disk is {disk.level}: {disk.free_bytes / 1e9:.1f} GB are free"
        yield Alarm(severity, "disk", words, disk.hint, 0)
    days = status.retention.days_until_full
    if days is not None and days < _SOON_DAYS and disk.level is DiskLevel.OK:
        words = f"the disk is full in about {_span(days)}; recording pauses then"
        hint = "set a limit (recording.retention) so that the oldest recordings go, or make room"
        yield Alarm(Severity.WARNING, "disk_full", words, hint, 0)


def _span(days: float) -> str:
    hours = max(1, round(days * 24))
    return f"{hours} hour{'' if hours == 1 else 's'}"


def _of_parts(status: ServiceStatus) -> Iterator[Alarm]:
    if status.clock.warning:
        yield Alarm(Severity.WARNING, "clock", status.clock.warning, _SET_CLOCK, 0)
    server = status.media_server
    if server.state in (ServerState.BACKOFF, ServerState.FATAL):
        fault = server.fault or Fault(f"{server.name} does not run", _LOOK)
        words = f"no RTSP and WebRTC: {fault.message}"
        yield Alarm(Severity.WARNING, "media_server", words, fault.hint, fault.at_utc_ns)
    broker = status.broker
    # Without a fault, the first attempt is still under way.
    if broker.configured and not broker.connected and broker.fault is not None:
        words = f"no connection to Home Assistant's broker: {broker.fault.message}"
        yield Alarm(Severity.WARNING, "broker", words, broker.fault.hint, broker.fault.at_utc_ns)


def _of_cameras(cameras: Iterable[CameraStatus]) -> Iterator[Alarm]:
    for camera in cameras:
        yield from _of_camera(camera)


def _of_camera(camera: CameraStatus) -> Iterator[Alarm]:
    fault = camera.fault
    if not camera.enabled:
        return  # somebody wanted that
    # Without a fault, it is being opened for the first time.
    if camera.state in (CameraState.ERROR, CameraState.OFFLINE) and fault is not None:
        yield Alarm(Severity.ERROR, "camera", fault.message, fault.hint, fault.at_utc_ns, camera.id)
    for complaint in camera.complaints:
        yield Alarm(
            Severity.WARNING, complaint.kind, complaint.message, complaint.hint, complaint.since_utc_ns, camera.id
        )
    recording = camera.recording
    wanted = recording.wanted and recording.idle is None
    if recording.fault is not None and wanted and not recording.active and camera.state is CameraState.LIVE:
        words = f"it is not recorded: {recording.fault.message}"
        yield Alarm(Severity.ERROR, "recording", words, recording.fault.hint, recording.fault.at_utc_ns, camera.id)
