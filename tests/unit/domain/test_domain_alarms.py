from dataclasses import replace
from typing import Any

import pytest

from livecam_nvr.domain.alarms import alarms_of
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraState,
    CameraStatus,
    ClockStatus,
    Complaint,
    DiskLevel,
    DiskStatus,
    Fault,
    MediaServerStatus,
    RecordingStatus,
    RetentionStatus,
    ServerState,
    ServiceStatus,
    Severity,
)

FAULT = Fault("it is gone", "plug it in", 7)
LIVE = CameraStatus("cam0", "Door", "test", CameraState.LIVE)


def status(*cameras: CameraStatus, **more: Any) -> ServiceStatus:
    usual: dict[str, Any] = {
        "media_server": MediaServerStatus("mediamtx", ServerState.READY),
        "broker": BrokerStatus(configured=False),
        "disk": DiskStatus("/srv", 100, 50),
    }
    return ServiceStatus("Home", "1", 1, 1.0, cameras or (LIVE,), **(usual | more))


def found(state: ServiceStatus) -> list[tuple[str, str, str, int, str]]:
    return [(a.severity.value, a.kind, a.hint, a.since_utc_ns, a.camera_id) for a in alarms_of(state, (), 99)]


def test_a_healthy_service_has_none() -> None:
    assert alarms_of(status(), (), 99) == ()


@pytest.mark.parametrize(
    ("more", "alarm"),
    [
        ({"disk": DiskStatus("/s", level=DiskLevel.WARNING, hint="h")}, ("warning", "disk", "h", 99, "")),
        ({"disk": DiskStatus("/s", level=DiskLevel.CRITICAL, hint="h")}, ("error", "disk", "h", 99, "")),
        ({"disk": DiskStatus("/s", problem=True, hint="h")}, ("error", "disk", "h", 99, "")),
        ({"clock": ClockStatus(warning="it is off")}, ("warning", "clock", None, 99, "")),
        ({"retention": RetentionStatus(days_until_full=1.5)}, ("warning", "disk_full", None, 99, "")),
        (
            {"media_server": MediaServerStatus("none", ServerState.FATAL, fault=FAULT)},
            ("warning", "media_server", "plug it in", 7, ""),
        ),
        (
            {"broker": BrokerStatus(configured=True, fault=FAULT)},
            ("warning", "broker", "plug it in", 7, ""),
        ),
    ],
)
def test_each_part_has_its_alarm(more: dict[str, Any], alarm: tuple[Any, ...]) -> None:
    (only,) = found(status(**more))
    assert [want for want, _ in zip(alarm, only, strict=True) if want is not None] == [
        got for want, got in zip(alarm, only, strict=True) if want is not None
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"retention": RetentionStatus(days_until_full=20)},
        {"media_server": MediaServerStatus("mediamtx", ServerState.STARTING)},
        {"broker": BrokerStatus(configured=True)},
        {"broker": BrokerStatus(configured=True, connected=True, fault=FAULT)},
    ],
)
def test_what_is_no_trouble_yet_or_any_more_is_not_told(more: dict[str, Any]) -> None:
    assert found(status(**more)) == []


def test_a_camera_that_is_gone_is_an_error_and_a_complaint_a_warning() -> None:
    gone = replace(LIVE, state=CameraState.OFFLINE, fault=FAULT)
    black = replace(LIVE, id="cam1", fault=FAULT, complaints=(Complaint("black", "it is black", "light", 5),))
    assert found(status(black, replace(gone, id="cam2", enabled=False), gone)) == [
        ("error", "camera", "plug it in", 7, "cam0"),
        ("warning", "black", "light", 5, "cam1"),
    ]


def test_a_camera_that_should_be_recorded_and_is_not() -> None:
    recording = RecordingStatus(wanted=True, active=False, fault=FAULT)
    assert [one[1] for one in found(status(replace(LIVE, recording=recording)))] == ["recording"]
    for other in (
        replace(recording, active=True),
        replace(recording, wanted=False),
        replace(recording, idle=GapCause.SCHEDULE),
    ):
        assert found(status(replace(LIVE, recording=other))) == []


def test_an_alarm_that_lasts_keeps_its_beginning() -> None:
    low = status(disk=DiskStatus("/s", level=DiskLevel.WARNING))
    first = alarms_of(low, (), 10)
    later = alarms_of(replace(low, disk=DiskStatus("/s", level=DiskLevel.FULL)), first, 20)
    assert [(a.severity, a.since_utc_ns) for a in later] == [(Severity.ERROR, 10)]
    assert alarms_of(status(), later, 30) == ()
    assert alarms_of(low, (), 40)[0].since_utc_ns == 40
