"""Turns the config, events and the regular look at the status into messages of the outbox."""

from collections.abc import Callable, Sequence

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
from livecam_nvr.mqtt.discovery.announcements import CameraCard, NodeCard, visitable
from livecam_nvr.mqtt.discovery.devices import Devices
from livecam_nvr.mqtt.discovery.entities import ONLINE
from livecam_nvr.mqtt.obey.commands import Answer
from livecam_nvr.mqtt.tell import node_states, states
from livecam_nvr.mqtt.tell.outbox import Message, Outbox, Rank
from livecam_nvr.mqtt.tell.pace import Pace
from livecam_nvr.mqtt.tell.payloads import Payloads
from livecam_nvr.mqtt.topics import Topics

_FIGURES_S = 300.0


class Announcer:
    """Says how things are: at once what matters, the figures when `look` is called.

    Args:
        topics: The names.
        devices: Those that are announced; events about other cameras are ignored.
        outbox: Where the messages go.
        source: The status.
        pace: How often figures are told.
        install_id: Of this installation.
    """

    def __init__(
        self,
        topics: Topics,
        devices: Devices,
        outbox: Outbox,
        source: StatusSource,
        *,
        pace: Pace,
        install_id: str = "",
    ) -> None:
        self._topics = topics
        self._devices = devices
        self._outbox = outbox
        self._source = source
        self._pace = pace
        self._install_id = install_id
        self._heights: dict[str, int] = {}
        self._moves: dict[str, bool] = {}
        self._stock_known = False

    def listen(self, bus: EventBus) -> list[Callable[[], None]]:
        """Subscribes to what is told at once; returns what ends that."""
        return [
            bus.subscribe(RecordingChanged, lambda event: self.recording(event.camera_id, event.status)),
            bus.subscribe(CameraStateChanged, self._camera_changed),
            bus.subscribe(StreamStarted, self._stream_started),
            bus.subscribe(QualityChanged, self._quality_changed),
            bus.subscribe(ComplaintsChanged, self._complaints_changed),
            bus.subscribe(
                DiskChanged, lambda event: self._put(node_states.disk_problem(self._topics, event.status))
            ),
        ]

    def everything(self) -> None:
        """Wants all to be sent (again): announcements, availability, states, pictures, in this order."""
        self._devices.look(self._source.status().cameras)
        self._devices.announce_anew()
        self._outbox.put(Message(self._topics.service, ONLINE.encode(), Rank.AVAILABILITY))
        self._tell_about()
        self._pace.all_due()
        self.look()
        self._outbox.repeat_all()

    def born(self) -> None:
        """Home Assistant has started: whatever was deleted in it before is announced anew, with all the rest."""
        self._devices.born()
        self.everything()

    def still_here(self) -> None:
        """Somebody has said `offline` in our name, as the last will of an earlier connection may do."""
        self._outbox.repeat(self._topics.service)

    def update(self, node: NodeCard, cameras: Sequence[CameraCard]) -> None:
        """Other names, other cameras: tells what differs, and removes what is gone."""
        for camera_id in self._devices.update(node, cameras):
            self._retract(camera_id)
        self._tell_about()
        self.look()

    def forget(self, camera_id: str) -> None:
        """Removes all that the broker keeps of a camera that we do not have, so that Home Assistant forgets it."""
        # First the announcement, or Home Assistant would complain of states that it cannot read.
        self._devices.remove(self._topics.discovery(camera_id))
        self._retract(camera_id)

    def look(self) -> None:
        """Takes over the whole status; what differs from the last time is sent."""
        status = self._source.status()
        self._devices.look(status.cameras)
        for camera in status.cameras:
            if camera.id in self._devices.camera_ids:
                self._heights[camera.id] = camera.height
                self._put_state(self._quality(camera.id, camera.quality))
                self._put_state(states.problem(self._topics, camera.id, camera.complaints))
                self._put_state(states.camera_state(self._topics, camera.id, camera.state, camera.fault))
                self._put_state(states.recording(self._topics, camera.id, camera.recording))
                if self._pace.stats_due(camera):
                    self._put_state(states.stats(self._topics, camera))
                self._put_state(states.enabled(self._topics, camera.id, camera.enabled))
                self._put_state(states.motion(self._topics, camera.id, self._moves.get(camera.id)))
        self._put_state(node_states.disk_problem(self._topics, status.disk))
        self._put_state(node_states.update(self._topics, status))
        if self._pace.cost_due(status.process):
            self._put_state(node_states.figures(self._topics, status))
        figures = node_states.room(self._topics, status.disk)
        # After a start that takes a moment to be known; what the broker keeps is nearer to the truth than nothing.
        self._stock_known = self._stock_known or status.retention != RetentionStatus()
        if self._stock_known:
            figures |= node_states.retention(self._topics, status.retention)
        self._put_state(self._pace.due(figures, _FIGURES_S))

    def recording(self, camera_id: str, status: RecordingStatus) -> None:
        """What a recorder was asked and does."""
        if camera_id in self._devices.camera_ids:
            self._put(states.recording(self._topics, camera_id, status))

    def answer(self, answer: Answer) -> None:
        """Like `recording`, but what was asked for is told even if it did not move: somebody waits for it."""
        self.recording(answer.camera_id, answer.status)
        self._outbox.repeat(answer.topic)

    def coverage(self, camera_id: str, hour: Coverage | None, day: Coverage | None) -> None:
        """How much of the past was recorded; None if that cannot be told."""
        if camera_id in self._devices.camera_ids:
            self._put_state(states.coverage(self._topics, camera_id, hour, day))

    def settled(self, camera_id: str) -> None:
        """A change of the quality that was asked for has worked or failed: it is told what runs, in any case."""
        for topic in (self._topics.resolution(camera_id), self._topics.frame_rate(camera_id)):
            self._outbox.repeat(topic)

    def switched(self, camera_id: str) -> None:
        """The camera was to be switched on or off: it is told whether it is on, in any case."""
        self._look_at_power(camera_id)
        self._outbox.repeat(self._topics.enabled(camera_id))

    def pictured(self, camera_id: str) -> None:
        """Somebody waits for the newest picture: it is told even if it is the one before."""
        self._outbox.repeat(self._topics.picture(camera_id))

    def moves(self, camera_id: str, on: bool) -> None:
        """Whether something moves in front of a camera."""
        if camera_id in self._devices.camera_ids:
            self._moves[camera_id] = on
            self._put(states.motion(self._topics, camera_id, on))

    def picture(self, camera_id: str, jpeg: bytes) -> None:
        """A new still picture."""
        if camera_id in self._devices.camera_ids:
            self._outbox.put(Message(self._topics.picture(camera_id), jpeg, Rank.PICTURE, qos=0))

    def _camera_changed(self, event: CameraStateChanged) -> None:
        if event.camera_id in self._devices.camera_ids:
            self._put(states.camera_state(self._topics, event.camera_id, event.state, event.fault))
            self._look_at_power(event.camera_id)

    def _look_at_power(self, camera_id: str) -> None:
        for camera in self._source.status().cameras:
            if camera.id == camera_id and camera_id in self._devices.camera_ids:
                self._put(states.enabled(self._topics, camera_id, camera.enabled))

    def _stream_started(self, event: StreamStarted) -> None:
        self._heights[event.camera_id] = event.height

    def _quality_changed(self, event: QualityChanged) -> None:
        if event.camera_id in self._devices.camera_ids:
            self._put(self._quality(event.camera_id, event.status))

    def _complaints_changed(self, event: ComplaintsChanged) -> None:
        if event.camera_id in self._devices.camera_ids:
            self._put(states.problem(self._topics, event.camera_id, event.complaints))

    def _quality(self, camera_id: str, status: QualityStatus) -> Payloads:
        return states.quality(self._topics, camera_id, status, self._heights.get(camera_id, 0))

    def _retract(self, camera_id: str) -> None:
        """The state goes last: if that is broken off, by this the rest is found again."""
        last, announcement = self._topics.state(camera_id), self._topics.discovery(camera_id)
        for topic in (*(set(self._topics.retained_of(camera_id)) - {last, announcement}), last):
            self._outbox.retract(topic)
        self._heights.pop(camera_id, None)
        self._moves.pop(camera_id, None)
        self._pace.forget(camera_id)

    def _tell_about(self) -> None:
        node = self._devices.node
        url = visitable(node.page_url) or ""
        about = node_states.about(self._topics, self._install_id, node.name, node.version, url)
        for topic, payload in about.items():
            self._outbox.put(Message(topic, payload, Rank.AVAILABILITY))

    def _put(self, payloads: Payloads) -> None:
        for topic, payload in payloads.items():
            self._outbox.put(self._message(topic, payload), urgent=True)

    def _put_state(self, payloads: Payloads) -> None:
        for topic, payload in payloads.items():
            self._outbox.put(self._message(topic, payload))

    def _message(self, topic: str, payload: bytes) -> Message:
        rank = Rank.AVAILABILITY if topic.endswith("/availability") else Rank.STATE
        return Message(topic, payload, rank)
