"""Messages from outside become orders to the recorders and cameras, or one line in the log."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from livecam_nvr.core.access import AuditLog
from livecam_nvr.core.past import ClipDesk, EventDesk
from livecam_nvr.core.ports import CameraControl, RecordingControl
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingStatus
from livecam_nvr.mqtt.books import Books
from livecam_nvr.mqtt.orders import (
    SHOWN_BYTES,
    SHOWN_TOPIC,
    Happening,
    Keep,
    Mode,
    Order,
    Refusal,
    Restart,
    Switch,
    parse,
)
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.mqtt.wishes import Wish, Wishes
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_LINES = 5
_PER_S = 60.0
_REMEMBERED = 200
_SOURCE = "mqtt"


@dataclass(frozen=True, slots=True)
class Orders:
    """Who carries them out."""

    recording: RecordingControl
    cameras: CameraControl
    events: EventDesk
    clips: ClipDesk


class Answer(NamedTuple):
    """What somebody waits for who gave an order."""

    camera_id: str
    status: RecordingStatus
    topic: str
    """The one to tell again even if nothing has changed."""


class CommandDesk:
    """Carries out commands. Whatever is wrong with one is logged, and changes nothing.

    Args:
        topics: The names.
        orders: Who carries them out.
        clock: The service's.
        settled: Told a camera whose quality was asked to change, when that has worked or failed.
        audit: Where every command is noted.
    """

    def __init__(
        self,
        topics: Topics,
        orders: Orders,
        clock: Clock,
        settled: Callable[[str], None],
        audit: AuditLog,
    ) -> None:
        self._topics = topics
        self._orders = orders
        self._complaints = _Complaints(clock)
        self._books = Books(audit, self._knows)
        self._wishes = Wishes(orders.cameras, self._complaints.log, settled, self._books.done)
        self._retained: set[str] = set()

    def handle(self, topic: str, payload: bytes, *, retained: bool) -> Answer | None:
        """What its recorder does now, if the message was a command for that; else None."""
        asked = parse(self._topics, topic, payload)
        if asked is None:
            return None
        if retained:
            self._leave_alone(topic, payload)
            return None
        if isinstance(asked, Refusal):
            self._complaints.log(asked.reason)
            self._books.refused(asked)
            return None
        try:
            answer = self._obey(asked)
        except LivecamError as error:
            self._books.done(asked, error)
            self._complaints.log(f"{topic[:SHOWN_TOPIC]!r}: {error.message}; {error.hint}")
            # Whoever was refused sees again how it is.
            if isinstance(asked, Switch | Mode) and error.kind is ErrorKind.CONFLICT:
                return self._answer(asked, self._orders.recording.recording(asked.camera_id))
            return None
        if not isinstance(asked, Wish):  # that takes its time, and may fail yet
            self._books.done(asked)
        return answer

    def _answer(self, asked: Switch | Mode, status: RecordingStatus) -> Answer:
        of = self._topics.recording if isinstance(asked, Switch) else self._topics.recording_mode
        return Answer(asked.camera_id, status, of(asked.camera_id))

    def _knows(self, camera_id: str) -> bool:
        try:
            self._orders.recording.recording(camera_id)
        except LivecamError:
            return False
        return True

    def _obey(self, asked: Order) -> Answer | None:
        match asked:
            case Switch():
                status = self._orders.recording.set_recording(asked.camera_id, asked.on, by="MQTT")
                return self._answer(asked, status)
            case Mode():
                status = self._orders.recording.set_mode(asked.camera_id, asked.mode, by="MQTT")
                return self._answer(asked, status)
            case Keep():
                self._orders.clips.keep(asked.camera_id, by="MQTT")
            case Happening():
                self._report(asked)
            case Wish():
                self._wishes.add(asked)
            case Restart():
                self._orders.cameras.restart(asked.camera_id, by="MQTT")
        return None

    def _report(self, asked: Happening) -> None:
        events = self._orders.events
        if asked.on is None:
            events.report_event(asked.camera_id, asked.label, _SOURCE, lasted_s=asked.lasted_s)
        elif asked.on:
            events.begin_event(asked.camera_id, asked.label, _SOURCE)
        else:
            events.end_event(asked.camera_id, asked.label, _SOURCE)

    async def stop(self) -> None:
        """Ends what still waits for a camera; idempotent."""
        await self._wishes.stop()

    def _leave_alone(self, topic: str, payload: bytes) -> None:
        """A command that the broker kept is as old as can be: obeying it would undo what was chosen since."""
        if topic not in self._retained and len(self._retained) < _REMEMBERED:
            self._retained.add(topic)
            command = self._topics.command(topic)
            if command is not None:
                self._books.kept(command.camera_id, command.what)
            _log.warning(
                "the broker keeps an old command on %r (%r): ignored. Commands are to be published without retain;"
                " an empty retained message there removes it",
                topic[:SHOWN_TOPIC],
                payload[:SHOWN_BYTES],
            )


class _Complaints:
    """A few lines a minute, then only how many more there were."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_s = clock.monotonic()
        self._lines = 0
        self._unsaid = 0

    def log(self, reason: str) -> None:
        now = self._clock.monotonic()
        if now - self._since_s > _PER_S:
            self._since_s, self._lines = now, 0
        if self._lines >= _LINES:
            self._unsaid += 1
            return
        self._lines += 1
        more = f" ({self._unsaid} more messages like this were not logged)" if self._unsaid else ""
        self._unsaid = 0
        _log.warning("MQTT command ignored: %s%s", reason, more)
