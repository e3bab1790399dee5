"""What people and programs reach: the page with its API, and what only it asks.

Imported by the service when its cameras have begun: no camera has to wait for a third of all libraries.
"""

from dataclasses import dataclass

from pydantic import SecretStr

from livecam_nvr.app.about import ServiceAbout
from livecam_nvr.app.access import Access
from livecam_nvr.app.application import Application
from livecam_nvr.app.fleet import Fleet
from livecam_nvr.app.recordings import Recordings
from livecam_nvr.config.models import Config, RtspCamera
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.home_assistant import HomeAssistantDesk
from livecam_nvr.core.ports import MediaServer, StatusSource
from livecam_nvr.core.settings import SettingsDesk
from livecam_nvr.media.control import CameraControls
from livecam_nvr.onvif.service import OnvifCameras
from livecam_nvr.rtsp.whep import whep_of
from livecam_nvr.runtime.logs import LogRing
from livecam_nvr.web.keys import WebAccess
from livecam_nvr.web.past_ports import PastPorts
from livecam_nvr.web.server import WebPorts, WebServer


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the page."""

    access: Access
    fleet: Fleet
    recordings: Recordings
    application: Application
    settings: SettingsDesk | None
    server: MediaServer
    control: CameraControls
    board: StatusSource
    carrier: HomeAssistantDesk
    bus: EventBus
    log: LogRing


class Front:
    """Made but not started by the constructor; `stop` is idempotent.

    Args:
        config: What the service begins with.
        behind: The rest of the service.
        past: What was recorded.
    """

    def __init__(self, config: Config, behind: Behind, past: PastPorts) -> None:
        access = behind.access
        self._onvif = OnvifCameras(_onvif(config))
        self._whep = whep_of(behind.server, config, access.users, behind.bus)
        ports = WebPorts(
            streams=behind.fleet.streams,
            pictures=behind.fleet.pictures,
            recording=behind.recordings.triggers.switches,
            status=behind.board,
            index=behind.recordings.index,
            bus=behind.bus,
            control=behind.control,
            onvif=self._onvif,
            recordings=config.recording.path,
            whep=self._whep,
            log=behind.log,
            about=ServiceAbout(lambda: behind.application.config),
            settings=behind.settings,
            power=behind.application,
            home_assistant=behind.carrier,
        )
        people = WebAccess(access.users, access.users, access.audit)
        self._web = WebServer(config.listen, ports, past, access=people, tls=config.tls)

    async def start(self) -> None:
        """Returns when it listens. Raises as `WebServer.start`."""
        await self._web.start()

    async def stop(self) -> None:
        """Ends all viewers and what they began."""
        await self._web.stop()
        await self._onvif.stop()
        if self._whep is not None:
            await self._whep.stop()

    async def change(self, config: Config) -> None:
        """Another config is in force."""
        await self._onvif.configure(_onvif(config))


def _onvif(config: Config) -> dict[str, SecretStr]:
    cameras = (camera for camera in config.cameras if camera.enabled and isinstance(camera, RtspCamera))
    return {camera.id: camera.onvif_url for camera in cameras if camera.onvif_url}
