"""Gathers the status of everything when somebody asks (core.ports.StatusSource)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from livecam_nvr.core.ports import CameraView, MediaServer, RecordingControl
from livecam_nvr.domain.alarms import alarms_of
from livecam_nvr.domain.status import (
    Alarm,
    BrokerStatus,
    ClockStatus,
    DiskStatus,
    ProcessStatus,
    RetentionStatus,
    ServiceStatus,
)
from livecam_nvr.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask."""

    cameras: Iterable[CameraView]
    """Asked anew for each status: cameras may come and go."""
    recording: RecordingControl
    media_server: MediaServer
    broker: Callable[[], BrokerStatus]
    disk: Callable[[], DiskStatus]
    retention: Callable[[], RetentionStatus] = RetentionStatus
    clock: Callable[[], ClockStatus] = ClockStatus
    process: Callable[[], ProcessStatus] = ProcessStatus


class StatusBoard:
    """The service's status; asks its parts and keeps nothing but its start and since when alarms last."""

    def __init__(self, name: str, version: str, page_url: str, sources: Sources, clock: Clock) -> None:
        self._name = name
        self._version = version
        self._page_url = page_url
        self._sources = sources
        self._clock = clock
        self._started_s = clock.monotonic()
        self._started_utc_ns = clock.utc_ns()
        self._alarms: tuple[Alarm, ...] = ()

    def rename(self, name: str) -> None:
        """What the installation is called from now on."""
        self._name = name

    def status(self) -> ServiceStatus:
        """See core.ports.StatusSource."""
        sources = self._sources
        cameras = tuple(
            replace(
                found,
                recording=sources.recording.recording(found.id),
                addresses=sources.media_server.addresses(found.id),
            )
            for found in (view.camera_status() for view in sources.cameras)
        )
        found = ServiceStatus(
            name=self._name,
            version=self._version,
            started_utc_ns=self._started_utc_ns,
            uptime_s=round(self._clock.monotonic() - self._started_s, 1),
            cameras=cameras,
            media_server=sources.media_server.status(),
            broker=sources.broker(),
            disk=sources.disk(),
            page_url=self._page_url,
            retention=sources.retention(),
            clock=sources.clock(),
            process=sources.process(),
        )
        self._alarms = alarms_of(found, self._alarms, self._clock.utc_ns())
        return replace(found, alarms=self._alarms)
