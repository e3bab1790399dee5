"""Turns the config, events and the regular look at the status into messages of the outbox."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import (
    CameraStateChanged,
    ComplaintsChanged,
    DiskChanged,
    QualityChanged,
    RecordingChanged,
    StreamStarted,
)
from livecam_nvr.core.ports import StatusSource
from livecam_nvr.domain.coverage import Coverage
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.domain.status import RecordingStatus, RetentionStatus
from livecam_nvr.mqtt import states
from livecam_nvr.mqtt.commands import Answer
from livecam_nvr.mqtt.discovery import CameraCard, NodeCard, announcements
from livecam_nvr.mqtt.entities import ONLINE
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
        self._node = node
        self._cameras = {camera.id: camera for camera in cameras}
        self._announcements = announcements(topics, node, cameras)
        self._withheld: set[str] = set()
        self._heights: dict[str, int] = {}
        self._stock_known = False

    def listen(self, bus: EventBus) -> list[Callable[[], None]]:
        """Subscribes to what is told at once; returns what ends that."""
        return [
            bus.subscribe(RecordingChanged, lambda event: self.recording(event.camera_id, event.status)),
            bus.subscribe(CameraStateChanged, self._camera_changed),
            bus.subscribe(StreamStarted, self._stream_started),
            bus.subscribe(QualityChanged, self._quality_changed),
            bus.subscribe(ComplaintsChanged, self._complaints_changed),
            bus.subscribe(DiskChanged, lambda event: self._put(states.disk_problem(self._topics, event.status))),
        ]

    @property
    def announced(self) -> frozenset[str]:
        """The discovery topics of the node and its cameras."""
        return frozenset(self._announcements)

    def everything(self) -> None:
        """Wants all to be sent (again): announcements, availability, states, pictures, in this order."""
        self._look_at_qualities()
        for topic in self._announcements:
            self._outbox.drop(topic)  # so that one that was withheld comes back in its place: the node first
        self._announce()
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
        if self._look_at_qualities():
            self._announce()
        status = self._source.status()
        for camera in status.cameras:
            if camera.id in self._cameras:
                self._heights[camera.id] = camera.height
                self._put_state(self._quality(camera.id, camera.quality))
                self._put_state(states.problem(self._topics, camera.id, camera.complaints))
                self._put_state(states.camera_state(self._topics, camera.id, camera.state, camera.fault))
                self._put_state(states.recording(self._topics, camera.id, camera.recording))
                self._put_state(states.stats(self._topics, camera))
        self._put_state(states.disk_problem(self._topics, status.disk))
        self._put_state(states.disk_free(self._topics, status.disk))
        # After a start that takes a moment to be known; what the broker keeps is nearer to the truth than nothing.
        self._stock_known = self._stock_known or status.retention != RetentionStatus()
        if self._stock_known:
            self._put_state(states.retention(self._topics, status.retention))

    def recording(self, camera_id: str, status: RecordingStatus) -> None:
        """What a recorder was asked and does."""
        if camera_id in self._cameras:
            self._put(states.recording(self._topics, camera_id, status))

    def answer(self, answer: Answer) -> None:
        """Like `recording`, but what was asked for is told even if it did not move: somebody waits for it."""
        self.recording(answer.camera_id, answer.status)
        self._outbox.repeat(answer.topic)

    def coverage(self, camera_id: str, hour: Coverage | None, day: Coverage | None) -> None:
        """How much of the past was recorded; None if that cannot be told."""
        self._put_state(states.coverage(self._topics, camera_id, hour, day))

    def settled(self, camera_id: str) -> None:
        """A change of the quality that was asked for has worked or failed: it is told what runs, in any case."""
        for topic in (self._topics.resolution(camera_id), self._topics.frame_rate(camera_id)):
            self._outbox.repeat(topic)

    def picture(self, camera_id: str, jpeg: bytes) -> None:
        """A new still picture."""
        self._outbox.put(Message(self._topics.picture(camera_id), jpeg, Rank.PICTURE, qos=0))

    def _camera_changed(self, event: CameraStateChanged) -> None:
        if event.camera_id in self._cameras:
            self._put(states.camera_state(self._topics, event.camera_id, event.state, event.fault))

    def _stream_started(self, event: StreamStarted) -> None:
        self._heights[event.camera_id] = event.height

    def _quality_changed(self, event: QualityChanged) -> None:
        if event.camera_id in self._cameras:
            self._put(self._quality(event.camera_id, event.status))

    def _complaints_changed(self, event: ComplaintsChanged) -> None:
        if event.camera_id in self._cameras:
            self._put(states.problem(self._topics, event.camera_id, event.complaints))

    def _quality(self, camera_id: str, status: QualityStatus) -> states.Payloads:
        return states.quality(self._topics, camera_id, status, self._heights.get(camera_id, 0))

    def _look_at_qualities(self) -> bool:
        """Notes what can be set of which camera, which only the status tells; True if that differs from before."""
        before = dict(self._cameras)
        for camera in self._source.status().cameras:
            if camera.id in self._cameras:
                can = camera.quality
                card = replace(self._cameras[camera.id], heights=can.heights, most_fps=can.most_fps)
                self._cameras[camera.id] = card
        if self._cameras == before:
            return False
        self._announcements = announcements(self._topics, self._node, list(self._cameras.values()))
        return True

    def _announce(self) -> None:
        for topic, payload in self._announcements.items():
            if topic not in self._withheld:
                self._outbox.put(Message(topic, payload, Rank.DISCOVERY))

    def _put(self, payloads: states.Payloads) -> None:
        for topic, payload in payloads.items():
            self._outbox.put(self._message(topic, payload), urgent=True)

    def _put_state(self, payloads: states.Payloads) -> None:
        for topic, payload in payloads.items():
            self._outbox.put(self._message(topic, payload))

    def _message(self, topic: str, payload: bytes) -> Message:
        rank = Rank.AVAILABILITY if topic.endswith("/availability") else Rank.STATE
        return Message(topic, payload, rank)
