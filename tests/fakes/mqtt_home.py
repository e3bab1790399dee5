"""The real MQTT side with fakes around it; run as a program, it lives until it is killed."""

import asyncio
import sys
from pathlib import Path

from fakes.access_audit import FakeAuditLog
from fakes.core_control import FakeControl
from fakes.core_past import FakeClips, FakeEvents, FakePast
from fakes.mqtt_pictures import FakePictures
from fakes.mqtt_power import FakePower
from fakes.mqtt_recording import FakeRecording
from fakes.mqtt_status import FakeStatus
from support.waiting import until

from livecam_nvr.config.models import MqttConfig, NodeConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.home_assistant import Carrier
from livecam_nvr.mqtt.discovery.announcements import CameraCard
from livecam_nvr.mqtt.service import Collaborators, MqttService
from livecam_nvr.runtime.clock import SystemClock


def cards(*camera_ids: str) -> list[CameraCard]:
    return [CameraCard(camera_id, camera_id.upper(), "test") for camera_id in camera_ids]


class Home:
    """The service's MQTT side with fakes around it."""

    def __init__(
        self,
        port: int,
        camera_ids: tuple[str, ...] = ("cam0", "cam1"),
        copied: tuple[str, ...] = (),
        *,
        installation: str = "1" * 32,
        carrier: Carrier = Carrier.MQTT,
        node_id: str = "home",
        places: Path | None = None,
        announced: tuple[str, ...] | None = None,
        before: "Home | None" = None,
        **config: object,
    ) -> None:
        self.bus = EventBus()
        self.recording = FakeRecording(self.bus, camera_ids)
        self.control = FakeControl(self.bus, camera_ids, copied)
        self.power = FakePower(camera_ids)
        self.source = FakeStatus(self.recording, self.control, self.power)
        self.pictures = FakePictures()
        self.events = FakeEvents(camera_ids)
        self.clips = FakeClips(camera_ids)
        self.past = FakePast()
        self.audit = FakeAuditLog()
        settings = MqttConfig.model_validate(
            {"host": "127.0.0.1", "port": port, "snapshot_seconds": 3600, **config}
        )
        self.service = MqttService(
            settings,
            NodeConfig(id=node_id, name="My home"),
            cards(*(camera_ids if announced is None else announced)),
            Collaborators(
                self.source,
                self.recording,
                self.pictures,
                self.bus,
                SystemClock(),
                self.control,
                self.events,
                self.clips,
                self.past,
                self.audit,
                self.power,
            ),
            version="1.2.3",
            page_url="http://192.0.2.7:8001/",
            support_url="https://example.org/livecam-nvr",
            carrier=carrier,
            install_id=installation,
            places=places,
            before=None if before is None else before.service,
        )

    async def connected(self) -> None:
        await self.service.start()
        await until(lambda: self.service.status().connected, what="connected")


async def _live(port: int) -> None:
    home = Home(port)
    await home.connected()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_live(int(sys.argv[1])))
