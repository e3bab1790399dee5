"""The node and its cameras as devices of Home Assistant: which are announced, and whether they are at all."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from livecam_nvr.core.home_assistant import BrokerNames, Carrier
from livecam_nvr.domain.status import CameraStatus
from livecam_nvr.mqtt.discovery.announcements import MIGRATE, CameraCard, NodeCard, announcements
from livecam_nvr.mqtt.discovery.names import names
from livecam_nvr.mqtt.tell.outbox import Message, Outbox, Rank
from livecam_nvr.mqtt.topics import Topics


class Devices:
    """What the discovery topics should say.

    Args:
        topics: The names.
        node: Of the service.
        cameras: Those that there are.
        outbox: Where the announcements go.
        carrier: Who carries the entities in Home Assistant.
    """

    def __init__(
        self, topics: Topics, node: NodeCard, cameras: Sequence[CameraCard], outbox: Outbox, carrier: Carrier
    ) -> None:
        self._topics = topics
        self._outbox = outbox
        self._node = node
        self._cameras = {camera.id: camera for camera in cameras}
        self._announcements = announcements(topics, node, cameras)
        self._carrier = carrier
        self._withheld: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def node(self) -> NodeCard:
        """The service's card."""
        return self._node

    @property
    def camera_ids(self) -> Collection[str]:
        """Those that there are now, in the config's order."""
        return self._cameras.keys()

    @property
    def announced(self) -> frozenset[str]:
        """The discovery topics of the node and its cameras."""
        return frozenset(self._announcements)

    @property
    def carrier(self) -> Carrier:
        """Who carries the entities now."""
        return self._carrier

    def names(self) -> BrokerNames:
        """What everything is called that is announced, or would be if MQTT carried the entities."""
        return names(self._topics, self._cameras, self._announcements)

    async def announced_other_than(self, topics: Collection[str]) -> frozenset[str]:
        """`announced`, as soon as that is not `topics`."""
        while self.announced == topics:
            self._changed.clear()
            await self._changed.wait()
        return self.announced

    def look(self, cameras: Iterable[CameraStatus]) -> None:
        """Takes over what can be set of which camera, which only the status tells."""
        before = dict(self._cameras)
        for camera in cameras:
            if camera.id in self._cameras:
                can = camera.quality
                card = replace(self._cameras[camera.id], heights=can.heights, most_fps=can.most_fps)
                self._cameras[camera.id] = card
        if self._cameras != before:
            self._announcements = announcements(self._topics, self._node, list(self._cameras.values()))
            self.announce()

    def update(self, node: NodeCard, cameras: Sequence[CameraCard]) -> Collection[str]:
        """Other names, other cameras: announces what differs. Returns the cameras that are gone."""
        before = self._cameras
        self._node = node
        self._cameras = {
            card.id: replace(card, heights=before[card.id].heights, most_fps=before[card.id].most_fps)
            if card.id in before
            else card
            for card in cameras
        }
        self._announcements = announcements(self._topics, node, list(self._cameras.values()))
        self.announce()
        self._changed.set()
        gone = before.keys() - self._cameras.keys()
        if self._carrier is not Carrier.INTEGRATION:
            for camera_id in gone:
                self.remove(self._topics.discovery(camera_id))
        return gone

    def announce(self) -> None:
        """Announces what differs from what the broker was told."""
        if self._carrier is Carrier.INTEGRATION:
            return
        for topic, payload in self._announcements.items():
            if topic not in self._withheld:
                said = payload if self._carrier is Carrier.MQTT else MIGRATE
                self._outbox.put(Message(topic, said, Rank.DISCOVERY))

    def announce_anew(self) -> None:
        """Announces all, the node first, as if nothing had been announced before."""
        for topic in self._announcements:
            self._outbox.drop(topic)
        self.announce()

    def carry(self, carrier: Carrier) -> None:
        """From now on this one. Home Assistant deletes what it has if it was not `MOVING` before `INTEGRATION`."""
        self._carrier = carrier
        self._withheld.clear()
        if carrier is Carrier.INTEGRATION:
            for topic in self._announcements:
                self.remove(topic)
        self.announce()

    def remove(self, topic: str) -> None:
        """Has the broker keep no announcement there; Home Assistant deletes what was announced."""
        self._withheld.discard(topic)
        self._outbox.retract(topic, Rank.DISCOVERY)

    def withhold(self, topic: str) -> None:
        """Somebody deleted this announcement: it stays so until `born`."""
        self._withheld.add(topic)
        self._outbox.drop(topic)

    def born(self) -> None:
        """Home Assistant has started: what was deleted in it before is announced again."""
        self._withheld.clear()
