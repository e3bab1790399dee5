"""What the handlers find in the application: the ports they call and what they share."""

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from livecam_nvr.core.about import About, NothingAbout
from livecam_nvr.core.access import AccessDesk, AuditLog, Gate
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.home_assistant import HomeAssistantDesk
from livecam_nvr.core.ports import (
    CameraControl,
    Pictures,
    RecordingControl,
    SegmentIndex,
    StatusSource,
    Streams,
    Whep,
)
from livecam_nvr.core.ptz import OnvifPort
from livecam_nvr.core.settings import CameraSwitch, SettingsDesk
from livecam_nvr.runtime.clock import Clock, SystemClock
from livecam_nvr.runtime.logs import LogRing
from livecam_nvr.web.open_streams import OpenStreams
from livecam_nvr.web.shelves import Shelves


@dataclass(frozen=True, slots=True)
class WebPorts:
    """What the web server needs of the rest of the service."""

    streams: Streams
    pictures: Pictures
    recording: RecordingControl
    status: StatusSource
    index: SegmentIndex
    recordings: Path
    """The folder of the archive; absolute."""
    bus: EventBus
    control: CameraControl
    clock: Clock = field(default_factory=SystemClock)
    onvif: OnvifPort | None = None
    """Without it, nothing is searched for and no camera can be moved."""
    whep: Whep | None = None
    """Without it, there is no WebRTC."""
    log: LogRing = field(default_factory=LogRing)
    about: About = field(default_factory=NothingAbout)
    """What the service can say of itself and of this machine."""
    settings: SettingsDesk | None = None
    """Without it, the settings are shown to nobody and cannot be changed."""
    power: CameraSwitch | None = None
    """Without it, no camera can be switched off."""
    home_assistant: HomeAssistantDesk | None = None
    """Without it, nobody can take the entities over."""

    @property
    def has_webrtc(self) -> bool:
        """Whether it makes sense to ask for WebRTC now."""
        return self.whep is not None and self.whep.ready

    @property
    def ways(self) -> dict[str, str]:
        """The header of live answers that tells the page of a better way."""
        return {"X-Ways": "webrtc" if self.has_webrtc else ""}


@dataclass(frozen=True, slots=True)
class WebAccess:
    """Who may come in."""

    gate: Gate
    desk: AccessDesk
    audit: AuditLog


PORTS = web.AppKey("PORTS", WebPorts)
ACCESS = web.AppKey("ACCESS", WebAccess)
OPEN = web.AppKey("OPEN", OpenStreams)
SHELVES = web.AppKey("SHELVES", Shelves)
