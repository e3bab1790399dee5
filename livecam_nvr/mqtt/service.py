"""The service's MQTT side as one thing to start and stop: connects for ever, announces, obeys."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiomqtt

from livecam_nvr.config.models import NodeConfig
from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.core.access import AuditLog
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import BrokerChanged
from livecam_nvr.core.home_assistant import BrokerNames, Carrier
from livecam_nvr.core.past import ClipDesk, EventDesk, Past
from livecam_nvr.core.ports import CameraControl, Pictures, RecordingControl, StatusSource
from livecam_nvr.core.settings import CameraSwitch
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import BrokerStatus, Fault
from livecam_nvr.mqtt.broker.connection import connected
from livecam_nvr.mqtt.broker.mark import Mark
from livecam_nvr.mqtt.broker.rival import keep_clear
from livecam_nvr.mqtt.broker.session import Parts, Session
from livecam_nvr.mqtt.discovery.announcements import CameraCard, NodeCard
from livecam_nvr.mqtt.discovery.devices import Devices
from livecam_nvr.mqtt.discovery.entities import OFFLINE
from livecam_nvr.mqtt.former import clearing
from livecam_nvr.mqtt.former.places import Place, Places
from livecam_nvr.mqtt.obey.commands import CommandDesk, Orders
from livecam_nvr.mqtt.obey.refusals import Refusals
from livecam_nvr.mqtt.tell.announcer import Announcer
from livecam_nvr.mqtt.tell.happenings import Happenings
from livecam_nvr.mqtt.tell.incidents import Incidents
from livecam_nvr.mqtt.tell.outbox import Message, Outbox, Rank
from livecam_nvr.mqtt.tell.pace import Pace
from livecam_nvr.mqtt.tell.past import PastTeller
from livecam_nvr.mqtt.tell.snapshots import Snapshots
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)

_CARRY_S = 5.0
_LEAVE_S = 5.0


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
    power: CameraSwitch | None = None
    """Without it, no camera can be switched off."""


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
        carrier: Who carries the entities in Home Assistant; if not MQTT, they are not announced here.
        install_id: Of this installation: by that it knows its own place after a crash; may be empty.
        places: The file that remembers the names under which it was announced; None: none are remembered.
        before: What this one comes instead of, stopped; what it has left at another broker is taken away there.
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
        carrier: Carrier = Carrier.MQTT,
        install_id: str = "",
        places: Path | None = None,
        before: "MqttService | None" = None,
    ) -> None:
        self._mark = Mark(install_id)
        self._card = card = NodeCard(
            node.name,
            version,
            page_url,
            support_url,
            power=others.power is not None,
            stills=config.snapshot_seconds > 0,
        )
        topics = Topics(config.base_topic, config.discovery_prefix, node.id)
        outbox = Outbox()
        outbox.put(Message(topics.instance, self._mark.encoded(), Rank.URGENT))
        devices = Devices(topics, card, cameras, outbox, carrier)
        announcer = Announcer(
            topics, devices, outbox, others.source, pace=Pace(others.clock), install_id=install_id
        )
        telegrams = Telegrams(others.clock)
        snapshots = Snapshots(others.pictures, others.clock, config.snapshot_seconds, announcer.picture)
        self._source = others.source
        self._incidents = Incidents(topics, telegrams, others.clock)
        self._happenings = Happenings(topics, telegrams, others.clock, announcer.moves)
        self._config = config
        self._topics = topics
        self._bus = others.bus
        self._clock = others.clock
        self._parts = Parts(
            topics=topics,
            devices=devices,
            announcer=announcer,
            outbox=outbox,
            desk=CommandDesk(
                topics,
                Orders(others.control, others.cameras, others.events, others.clips, snapshots.now, others.power),
                Refusals(topics, telegrams, others.clock),
                announcer,
                others.audit,
            ),
            past=PastTeller(others.past, others.clock, announcer.coverage),
            snapshots=snapshots,
            telegrams=telegrams,
            source=others.source,
        )
        self._places = Places(places)
        self._tell_who_there_is()
        self._status = BrokerStatus(
            configured=bool(config.host), address=f"{config.host}:{config.port}" if config.host else ""
        )
        self._before = before if before is not None and before.status().address != self._status.address else None
        self._one_by_one = False
        """Whether a second connection of ours beside the first was seen to end that."""
        self._supervisor = Supervisor("MQTT", self._attempt, others.clock, on_failure=self._tell_fault)
        self._was_connected = False
        self._unsubscribe: list[Callable[[], None]] = []

    def status(self) -> BrokerStatus:
        """Whether the broker is connected, and if not, why."""
        return self._status

    def names(self) -> BrokerNames:
        """See core.ports.Broker."""
        self._parts.devices.look(self._source.status().cameras)
        return self._parts.devices.names()

    async def carry(self, carrier: Carrier) -> None:
        """See core.ports.Broker."""
        devices, outbox = self._parts.devices, self._parts.outbox
        if not self._status.configured:
            return
        # Announcements that are simply taken away are entities that Home Assistant deletes.
        at_once = carrier is not Carrier.INTEGRATION or devices.carrier is not Carrier.MQTT
        if self._status.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CARRY_S):
                    for step in (carrier,) if at_once else (Carrier.MOVING, carrier):
                        devices.carry(step)
                        await outbox.delivered(devices.announced)
                    return
        devices.carry(carrier)
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the broker {self._status.address} could not be told who carries the entities",
            "it is told as soon as it answers; its own log may say why it does not",
        )

    def update(self, node: NodeConfig, cameras: Sequence[CameraCard]) -> None:
        """Other names or other cameras: only what differs is told, and the connection stays.

        For another broker, other topics or another node id there has to be another MqttService.
        """
        gone = set(self._parts.devices.camera_ids) - {camera.id for camera in cameras}
        self._card = replace(self._card, name=node.name)
        self._parts.announcer.update(self._card, cameras)
        for camera_id in gone:
            self._happenings.forget(camera_id)
        self._tell_who_there_is()

    def _tell_who_there_is(self) -> None:
        camera_ids = list(self._parts.devices.camera_ids)
        self._parts.past.update(camera_ids)
        self._parts.snapshots.update(camera_ids)

    async def start(self) -> None:
        """Begins to connect, at once and in the background; idempotent."""
        if not self._status.configured or self._unsubscribe:
            return
        lasting = {camera.id: camera.lasting for camera in self._source.status().cameras}
        self._unsubscribe = [
            *self._parts.announcer.listen(self._bus),
            self._incidents.listen(self._bus),
            self._happenings.listen(self._bus, lasting),
            self._parts.snapshots.listen(self._bus),
        ]
        self._supervisor.start()

    async def stop(self) -> None:
        """Says `offline` and disconnects; at most a second, whatever the broker does; idempotent."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self._happenings.stop()
        await self._supervisor.stop()
        await self._parts.desk.stop()
        self._set(replace(self._status, connected=False))

    async def _attempt(self) -> None:
        await keep_clear(self._config, self._topics, self._mark, self._tell_fault, began=self._was_connected)
        others = await asyncio.to_thread(self._places.add, self._place)
        left = [place for place in others if place.broker == self._status.address]
        if left and self._one_by_one:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await self._clear(left)
            left = []
        will = aiomqtt.Will(self._topics.service, OFFLINE, qos=1, retain=True)
        async with connected(self._config, self._topics.client_id, will) as client:
            self._was_connected = True
            self._supervisor.ready()
            self._set(replace(self._status, connected=True, fault=None))
            _log.info("connected to the broker %s", self._status.address)
            session = Session(client, self._parts, self._refused)
            await session.run(lambda: self._move_out(left))

    async def leave(self, heir: Mark | None = None) -> None:
        """After `stop`, when this broker is to be told nothing any more: takes away what it keeps of ours.

        Takes at most some seconds; what fails is logged, and stays there.

        Args:
            heir: The run that goes on at another address. If that is the same broker's, nothing is taken away.
        """
        place = self._place
        try:
            async with asyncio.timeout(_LEAVE_S):
                await clearing.clear(self._config, place.topics, None, self._mark.install_id, heir)
        except (LivecamError, TimeoutError) as error:
            why = error.message if isinstance(error, LivecamError) else "it takes too long"
            _log.warning("what was announced at the broker %s stays there: %s", place.broker, why)
        else:
            await asyncio.to_thread(self._places.remove, place)

    @property
    def _place(self) -> Place:
        topics = self._topics
        return Place(self._status.address, topics.base, topics.discovery_prefix, topics.node_id)

    async def _move_out(self, places: Sequence[Place]) -> None:
        """Clears what we have left elsewhere, beside all else."""
        if places:
            try:
                await self._clear(places)
            except asyncio.CancelledError:
                # Perhaps by itself: brokers can be told to take all connections of a user for one and the same.
                self._one_by_one = True
                raise
        before, self._before = self._before, None
        if before is not None:
            await self._parts.outbox.delivered([self._topics.instance])
            await before.leave(self._mark)

    async def _clear(self, places: Sequence[Place]) -> None:
        """Removes what is left under names that we had before; what fails is tried next time."""
        for place in places:
            try:
                await clearing.clear(self._config, place.topics, self._topics, self._mark.install_id)
            except LivecamError as error:
                _log.info("what was announced as %s is not removed yet: %s", place.node_id, error.message)
            else:
                await asyncio.to_thread(self._places.remove, place)

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
