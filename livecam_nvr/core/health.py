"""Gathers the status of everything when somebody asks (core.ports.StatusSource)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from livecam_nvr.core.ports import CameraView, MediaServer, RecordingControl
from livecam_nvr.domain.alarms import alarms_of
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.status import (
    Alarm,
    BreakIn,
    BrokerStatus,
    ClockStatus,
    DiskStatus,
    ProcessStatus,
    RetentionStatus,
    ServiceStatus,
)
from livecam_nvr.runtime.clock import Clock


class Happenings(Protocol):
    """Knows what happens in front of the cameras."""

    def lasting(self, camera_id: str) -> tuple[str, ...]:
        """The labels of what happens there now, sorted, each once."""

    def newest(self, camera_id: str) -> Event | None:
        """What began last there since the service started, as it is now; None if nothing did."""


class _Quiet:
    """Nothing happens."""

    def lasting(self, camera_id: str) -> tuple[str, ...]:
        del camera_id
        return ()

    def newest(self, camera_id: str) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the installation is, whatever happens to it."""

    name: str
    version: str
    """The one that runs."""
    page_url: str = ""
    node_id: str = ""
    install_id: str = ""


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
    happenings: Happenings = field(default_factory=_Quiet)
    break_in: Callable[[], BreakIn | None] = lambda: None
    installed_version: Callable[[], str] = str
    """Of the software on the disk; empty: the one that runs."""


class StatusBoard:
    """The service's status; asks its parts and keeps nothing but its start and since when alarms last."""

    def __init__(self, identity: Identity, sources: Sources, clock: Clock) -> None:
        self._identity = identity
        self._sources = sources
        self._clock = clock
        self._started_s = clock.monotonic()
        self._started_utc_ns = clock.utc_ns()
        self._alarms: tuple[Alarm, ...] = ()

    def rename(self, name: str) -> None:
        """What the installation is called from now on."""
        self._identity = replace(self._identity, name=name)

    def status(self) -> ServiceStatus:
        """See core.ports.StatusSource."""
        sources, identity = self._sources, self._identity
        cameras = tuple(
            replace(
                found,
                recording=sources.recording.recording(found.id),
                addresses=sources.media_server.addresses(found.id),
                lasting=sources.happenings.lasting(found.id),
                last_event=sources.happenings.newest(found.id),
            )
            for found in (view.camera_status() for view in sources.cameras)
        )
        found = ServiceStatus(
            name=identity.name,
            version=identity.version,
            started_utc_ns=self._started_utc_ns,
            uptime_s=round(self._clock.monotonic() - self._started_s, 1),
            cameras=cameras,
            media_server=sources.media_server.status(),
            broker=sources.broker(),
            disk=sources.disk(),
            page_url=identity.page_url,
            retention=sources.retention(),
            clock=sources.clock(),
            process=sources.process(),
            node_id=identity.node_id,
            install_id=identity.install_id,
            installed_version=sources.installed_version() or identity.version,
            break_in=sources.break_in(),
        )
        self._alarms = alarms_of(found, self._alarms, self._clock.utc_ns())
        return replace(found, alarms=self._alarms)
