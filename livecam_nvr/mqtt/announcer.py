"""Turns the config, events and the regular look at the status into messages of the outbox."""

from collections.abc import Callable, Sequence

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, DiskChanged, RecordingChanged
from livecam_nvr.core.ports import StatusSource
from livecam_nvr.domain.status import RecordingStatus
from livecam_nvr.mqtt import states
from livecam_nvr.mqtt.discovery import ONLINE, CameraCard, NodeCard, announcements
from livecam_nvr.mqtt.outbox import Message, Outbox, Rank
from livecam_nvr.mqtt.topics import Topics


class Announcer:
    """Says how things are: at once what matters, the figures when `look` is called.

    Args:
        topics: The names.
        node: Of the service.
        cameras: Those that are announced; events about others are ignored.
        outbox: Where the messages go.
        source: The status.
    """

    def __init__(
        self,
        topics: Topics,
        node: NodeCard,
        cameras: Sequence[CameraCard],
        outbox: Outbox,
        source: StatusSource,
    ) -> None:
        self._topics = topics
        self._outbox = outbox
        self._source = source
        self._cameras = {camera.id for camera in cameras}
        self._announcements = announcements(topics, node, cameras)
        self._withheld: set[str] = set()

    def listen(self, bus: EventBus) -> list[Callable[[], None]]:
        """Subscribes to what is told at once; returns what ends that."""
        return [
            bus.subscribe(RecordingChanged, lambda event: self.recording(event.camera_id, event.status)),
            bus.subscribe(CameraStateChanged, self._camera_changed),
            bus.subscribe(DiskChanged, lambda event: self._put(states.disk_problem(self._topics, event.status))),
        ]

    @property
    def announced(self) -> frozenset[str]:
        """The discovery topics of the node and its cameras."""
        return frozenset(self._announcements)

    def everything(self) -> None:
        """Wants all to be sent (again): announcements, availability, states, pictures, in this order."""
        for topic, payload in self._announcements.items():
            self._outbox.drop(topic)  # so that one that was withheld comes back in its place: the node first
            if topic not in self._withheld:
                self._outbox.put(Message(topic, payload, Rank.DISCOVERY))
        self._outbox.put(Message(self._topics.service, ONLINE.encode(), Rank.AVAILABILITY))
        self.look()
        self._outbox.repeat_all()

    def withhold(self, topic: str) -> None:
        """Somebody deleted this announcement: it stays so until `born`."""
        self._withheld.add(topic)
        self._outbox.drop(topic)

    def born(self) -> None:
        """Home Assistant has started: whatever was deleted in it before is announced anew, with all the rest."""
        self._withheld.clear()
        self.everything()

    def look(self) -> None:
        """Takes over the whole status; what differs from the last time is sent."""
        status = self._source.status()
        for camera in status.cameras:
            if camera.id in self._cameras:
                self._put_state(states.camera_state(self._topics, camera.id, camera.state, camera.fault))
                self._put_state(states.recording(self._topics, camera.id, camera.recording))
                self._put_state(states.stats(self._topics, camera))
        self._put_state(states.disk_problem(self._topics, status.disk))
        self._put_state(states.disk_free(self._topics, status.disk))

    def recording(self, camera_id: str, status: RecordingStatus) -> None:
        """What a recorder was asked and does."""
        if camera_id in self._cameras:
            self._put(states.recording(self._topics, camera_id, status))

    def answer(self, camera_id: str, status: RecordingStatus) -> None:
        """Like `recording`, but the switch is told even if it did not move: somebody waits for it."""
        self.recording(camera_id, status)
        self._outbox.repeat(self._topics.recording(camera_id))

    def picture(self, camera_id: str, jpeg: bytes) -> None:
        """A new still picture."""
        self._outbox.put(Message(self._topics.picture(camera_id), jpeg, Rank.PICTURE, qos=0))

    def _camera_changed(self, event: CameraStateChanged) -> None:
        if event.camera_id in self._cameras:
            self._put(states.camera_state(self._topics, event.camera_id, event.state, event.fault))

    def _put(self, payloads: states.Payloads) -> None:
        for topic, payload in payloads.items():
            self._outbox.put(self._message(topic, payload), urgent=True)

    def _put_state(self, payloads: states.Payloads) -> None:
        for topic, payload in payloads.items():
            self._outbox.put(self._message(topic, payload))

    def _message(self, topic: str, payload: bytes) -> Message:
        rank = Rank.AVAILABILITY if topic.endswith("/availability") else Rank.STATE
        return Message(topic, payload, rank)
