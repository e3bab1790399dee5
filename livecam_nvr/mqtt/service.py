"""The service's MQTT side as one thing to start and stop: connects for ever, announces, obeys."""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import aiomqtt

from livecam_nvr.config.models import NodeConfig
from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.core.access import AuditLog
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import BrokerChanged
from livecam_nvr.core.past import ClipDesk, EventDesk, Past
from livecam_nvr.core.ports import CameraControl, Pictures, RecordingControl, StatusSource
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import BrokerStatus, Fault
from livecam_nvr.mqtt.announcer import Announcer
from livecam_nvr.mqtt.commands import CommandDesk, Orders
from livecam_nvr.mqtt.connection import connected
from livecam_nvr.mqtt.discovery import CameraCard, NodeCard
from livecam_nvr.mqtt.entities import OFFLINE
from livecam_nvr.mqtt.incidents import Incidents
from livecam_nvr.mqtt.outbox import Message, Outbox, Rank
from livecam_nvr.mqtt.past import PastTeller
from livecam_nvr.mqtt.rival import keep_clear
from livecam_nvr.mqtt.session import Parts, Session
from livecam_nvr.mqtt.snapshots import Snapshots
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collaborators:
    """Whom the MQTT side asks and orders."""

    source: StatusSource
    control: RecordingControl
    pictures: Pictures
    bus: EventBus
    clock: Clock
    cameras: CameraControl
    events: EventDesk
    clips: ClipDesk
    past: Past
    audit: AuditLog
    """Where commands are noted."""


class MqttService:
    """Home Assistant over MQTT. Nothing that the broker does or does not do is ever raised.

    Stop it before the recorders: entities must become unavailable before a stopping recorder says "off".

    Args:
        config: The broker; an empty host means that there is none, and nothing is done.
        node: Its id begins all topics and ids.
        cameras: Those to announce. What an earlier run announced and is not among them is removed.
        others: Whom it works with.
        version: The service's.
        page_url: Where the service's page is, as another machine would open it; may be empty.
        support_url: Where the project lives; may be empty.
    """

    def __init__(
        self,
        config: MqttConfig,
        node: NodeConfig,
        cameras: Sequence[CameraCard],
        others: Collaborators,
        *,
        version: str,
        page_url: str = "",
        support_url: str = "",
    ) -> None:
        self._instance = secrets.token_hex(8).encode()
        card = NodeCard(node.name, version, page_url, support_url)
        topics = Topics(config.base_topic, config.discovery_prefix, node.id)
        outbox = Outbox()
        outbox.put(Message(topics.instance, self._instance, Rank.URGENT))
        announcer = Announcer(topics, card, cameras, outbox, others.source)
        self._config = config
        self._topics = topics
        self._bus = others.bus
        self._clock = others.clock
        self._parts = Parts(
            topics=topics,
            camera_ids=[camera.id for camera in cameras],
            announcer=announcer,
            outbox=outbox,
            desk=CommandDesk(
                topics,
                Orders(others.control, others.cameras, others.events, others.clips),
                others.clock,
                announcer.settled,
                others.audit,
            ),
            past=PastTeller(others.past, others.clock, [camera.id for camera in cameras], announcer.coverage),
            snapshots=Snapshots(others.pictures, others.clock, config.snapshot_seconds, announcer.picture),
            incidents=Incidents(others.clock),
        )
        self._status = BrokerStatus(
            configured=bool(config.host), address=f"{config.host}:{config.port}" if config.host else ""
        )
        self._supervisor = Supervisor("MQTT", self._attempt, others.clock, on_failure=self._tell_fault)
        self._was_connected = False
        self._unsubscribe: list[Callable[[], None]] = []

    def status(self) -> BrokerStatus:
        """Whether the broker is connected, and if not, why."""
        return self._status

    async def start(self) -> None:
        """Begins to connect, at once and in the background; idempotent."""
        if not self._status.configured or self._unsubscribe:
            return
        listening = self._parts.announcer.listen(self._bus)
        self._unsubscribe = [*listening, self._parts.incidents.listen(self._bus)]
        self._supervisor.start()

    async def stop(self) -> None:
        """Says `offline` and disconnects; at most a second, whatever the broker does; idempotent."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        await self._supervisor.stop()
        await self._parts.desk.stop()
        self._set(replace(self._status, connected=False))

    async def _attempt(self) -> None:
        if self._was_connected:
            await keep_clear(self._config, self._topics, self._instance, self._tell_fault)
        will = aiomqtt.Will(self._topics.service, OFFLINE, qos=1, retain=True)
        async with connected(self._config, self._topics.client_id, will) as client:
            self._was_connected = True
            self._supervisor.ready()
            self._set(replace(self._status, connected=True, fault=None))
            _log.info("connected to the broker %s", self._status.address)
            session = Session(client, self._parts, self._refused)
            await session.run()

    def _refused(self, topic: str) -> None:
        fault = Fault(
            f"the broker does not let us read {topic}",
            "allow it in the broker's access rules for this user",
            self._clock.utc_ns(),
        )
        _log.warning("MQTT: %s; %s", fault.message, fault.hint)
        self._set(replace(self._status, fault=fault))

    def _tell_fault(self, error: LivecamError) -> None:
        fault = self._status.fault
        if fault is None or fault.message != error.message:
            _log.warning("MQTT: %s; %s", error.message, error.hint)
            fault = Fault(error.message, error.hint, self._clock.utc_ns())
        self._set(replace(self._status, connected=False, fault=fault))

    def _set(self, status: BrokerStatus) -> None:
        if status != self._status:
            self._status = status
            self._bus.publish(BrokerChanged(status))
