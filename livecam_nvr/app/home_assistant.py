"""What Home Assistant is told by and finds us by: the broker, who carries the entities, the network, our id."""

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from livecam_nvr import __version__
from livecam_nvr.announce.card import ServiceCard, addresses_of
from livecam_nvr.announce.service import NetworkAnnouncement
from livecam_nvr.app.changes import Changes
from livecam_nvr.config.models import Config
from livecam_nvr.core.access import AuditLog
from livecam_nvr.core.break_ins import BreakInWatch
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.entity_carrier import EntityCarrier
from livecam_nvr.core.no_broker import NoBroker
from livecam_nvr.core.past import ClipDesk, EventDesk, Past
from livecam_nvr.core.ports import Broker, CameraControl, Pictures, RecordingControl, StatusSource
from livecam_nvr.core.settings import CameraSwitch
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import BrokerStatus
from livecam_nvr.runtime.addresses import own_addresses
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.remembered.carriage import FILE_NAME, CarriageFile
from livecam_nvr.storage.remembered.install_id import install_id

if TYPE_CHECKING:
    from livecam_nvr.mqtt.discovery.announcements import CameraCard
    from livecam_nvr.mqtt.service import MqttService

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Others:
    """Whom Home Assistant is told about, and who does what it wants."""

    source: StatusSource
    control: RecordingControl
    pictures: Pictures
    cameras: CameraControl
    events: EventDesk
    clips: ClipDesk
    past: Past
    audit: AuditLog
    power: CameraSwitch


class HomeAssistant:
    """Made but not started by the constructor: `load`, `meet`, `connect`, `announce`; `disconnect` is idempotent.

    Args:
        config: What the service begins with.
        bus: The service's.
        clock: The service's.
        demo: Everybody is let in: the network is not told of that.

    Attributes:
        install_id: Empty if it cannot be kept; then nothing that has to name the installation works.
        carrier: Who carries the entities.
        break_ins: The newest attempt.
    """

    def __init__(self, config: Config, bus: EventBus, clock: Clock, *, demo: bool) -> None:
        self.install_id = ""
        self.break_ins = BreakInWatch(bus, clock)
        self.carrier = EntityCarrier(CarriageFile(config.data_dir / FILE_NAME), lambda: self._broker, clock)
        self._config = config
        self._bus = bus
        self._clock = clock
        self._demo = demo
        self._broker: Broker = NoBroker()
        self._mqtt: MqttService | None = None
        """The broker, if there is one."""
        self._others: Others
        self._announcement: NetworkAnnouncement | None = None

    async def load(self, stack: AsyncExitStack) -> None:
        """Reads what is remembered; before anybody is told anything."""
        try:
            self.install_id = await asyncio.to_thread(install_id, self._config.data_dir / "install-id")
        except LivecamError as error:
            _log.error("%s; %s", error.message, error.hint)
        await self.carrier.load()
        stack.callback(self.break_ins.close)
        stack.push_async_callback(self.carrier.stop)

    def meet(self, others: Others) -> None:
        """Whom it works with; before `connect`."""
        self._others = others

    async def connect(self, config: Config) -> None:
        """Begins to tell the broker, if there is one."""
        before, self._mqtt = self._mqtt, None
        if config.mqtt.host:
            await asyncio.to_thread(_import_mqtt)
            self._mqtt = self._mqtt_of(config, before)
        self._broker = self._mqtt or NoBroker()
        await self._broker.start()
        if before is not None and self._mqtt is None:
            await before.leave()

    async def disconnect(self) -> None:
        """Says goodbye to the broker and the network, within a second; idempotent."""
        announcement, self._announcement = self._announcement, None
        leave = () if announcement is None else (announcement.stop(),)
        await asyncio.gather(self._broker.stop(), *leave)

    async def change(self, done: Changes) -> None:
        """Another config is in force."""
        if self._announcement is not None:
            self._announcement.rename(done.config.node.name)
        if done.broker:
            await self._broker.stop()
            await self.connect(done.config)
        elif done.devices and self._mqtt is not None:
            self._mqtt.update(done.config.node, _cards(done.config))

    def announce(self) -> None:
        """Tells the network, if others can reach us and are meant to; when the page listens."""
        listen = self._config.listen
        if self._demo or not listen.announce or not self.install_id or ip_address(listen.address).is_loopback:
            return
        node = self._config.node
        card = ServiceCard(
            install_id=self.install_id,
            node_id=node.id,
            name=node.name,
            version=__version__,
            port=listen.http_port,
            https=self._config.tls.enabled,
        )
        self._announcement = NetworkAnnouncement(card, lambda: addresses_of(listen.address, own_addresses()))
        self._announcement.start()

    def status(self) -> BrokerStatus:
        """The broker's."""
        return self._broker.status()

    def _mqtt_of(self, config: Config, before: "MqttService | None") -> "MqttService":
        # Its libraries are 2.5 MB of memory that nobody has to pay who has no broker.
        from livecam_nvr.mqtt.service import Collaborators, MqttService  # noqa: PLC0415

        others = self._others
        return MqttService(
            config.mqtt,
            config.node,
            _cards(config),
            Collaborators(
                source=others.source,
                control=others.control,
                pictures=others.pictures,
                bus=self._bus,
                clock=self._clock,
                cameras=others.cameras,
                events=others.events,
                clips=others.clips,
                past=others.past,
                audit=others.audit,
                power=others.power,
            ),
            version=__version__,
            page_url=page_url(config),
            carrier=self.carrier.carriage().carrier,
            install_id=self.install_id,
            places=config.data_dir / "mqtt_places.json",
            before=before,
        )


def _import_mqtt() -> None:
    """Blocks, for longer than cameras that are just opened should wait."""
    import livecam_nvr.mqtt.service  # noqa: F401, PLC0415


def _cards(config: Config) -> "list[CameraCard]":
    """The cameras as far as the broker is told of them."""
    from livecam_nvr.mqtt.discovery.announcements import CameraCard  # noqa: PLC0415 - see _mqtt_of

    return [
        CameraCard(camera.id, camera.title, camera.kind, scheduled=bool(camera.schedule))
        for camera in config.cameras
        if camera.enabled
    ]


def page_url(config: Config) -> str:
    """The page's address as others reach it: this machine's name where we listen everywhere."""
    address = ip_address(config.listen.address)
    host = socket.gethostname() if address.is_unspecified else str(address)
    scheme = "https" if config.tls.enabled else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.listen.http_port}/"
