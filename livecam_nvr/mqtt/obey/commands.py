"""Messages from outside become orders to the recorders and cameras, or are refused."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from livecam_nvr.core.access import AuditLog
from livecam_nvr.core.past import ClipDesk, EventDesk
from livecam_nvr.core.ports import CameraControl, RecordingControl
from livecam_nvr.core.settings import CameraSwitch
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.status import RecordingStatus
from livecam_nvr.mqtt.obey.books import Books
from livecam_nvr.mqtt.obey.errands import Errands
from livecam_nvr.mqtt.obey.orders import (
    SHOWN_TOPIC,
    Happening,
    Keep,
    Mode,
    Order,
    Power,
    Refusal,
    Restart,
    Snapshot,
    Switch,
    parse,
    shown,
)
from livecam_nvr.mqtt.obey.refusals import Refusals
from livecam_nvr.mqtt.obey.wishes import Wish, Wishes
from livecam_nvr.mqtt.tell.occurrences import Refused
from livecam_nvr.mqtt.topics import Topics

_log = logging.getLogger(__name__)

_REMEMBERED = 200
_SOURCE = "mqtt"
_BY = "MQTT"
_KEPT = "the broker keeps this command: it may be days old"
_LATELY = "publish commands without retain; an empty retained message on this topic removes it"


@dataclass(frozen=True, slots=True)
class Orders:
    """Who carries them out."""

    recording: RecordingControl
    cameras: CameraControl
    events: EventDesk
    clips: ClipDesk
    picture: Callable[[str], Awaitable[None]]
    """Has a new still picture of a camera sent. Raises LivecamError if there is none."""
    power: CameraSwitch | None = None
    """Without it, no camera can be switched off."""


class Answer(NamedTuple):
    """What somebody waits for who gave an order."""

    camera_id: str
    status: RecordingStatus
    topic: str
    """The one to tell again even if nothing has changed."""


class Told(Protocol):
    """Whom a camera is named to when what was asked of it has worked or failed: it is told then how it is."""

    def settled(self, camera_id: str) -> None:
        """Its quality."""

    def switched(self, camera_id: str) -> None:
        """Whether it is on."""

    def pictured(self, camera_id: str) -> None:
        """Its picture."""


class CommandDesk:
    """Carries out commands. Whatever is wrong with one is logged and answered, and changes nothing.

    Args:
        topics: The names.
        orders: Who carries them out.
        refusals: Where it is said what is not done.
        told: Told what has come of orders that take their time.
        audit: Where every command is noted.
    """

    def __init__(self, topics: Topics, orders: Orders, refusals: Refusals, told: Told, audit: AuditLog) -> None:
        self._topics = topics
        self._orders = orders
        self._refusals = refusals
        self._told = told
        self._books = Books(audit, self._knows)
        self._wishes = Wishes(orders.cameras, refusals.log, told.settled, self._wish_ended)
        self._errands = Errands()
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
            self._refusals.refuse(self._refused(topic, asked.problem, asked.hint), asked.reason)
            self._books.refused(asked)
            return None
        try:
            answer = self._obey(asked, topic)
        except LivecamError as error:
            self._failed(asked, topic, error)
            # Whoever was refused sees again how it is.
            if isinstance(asked, Switch | Mode) and error.kind is ErrorKind.CONFLICT:
                return self._answer(asked, self._orders.recording.recording(asked.camera_id))
            return None
        if not isinstance(asked, Wish | Power | Snapshot):  # these take their time, and may fail yet
            self._books.done(asked)
        return answer

    async def stop(self) -> None:
        """Ends what still waits for a camera; idempotent."""
        await self._wishes.stop()
        await self._errands.stop()
        self._refusals.sum_up()

    def _answer(self, asked: Switch | Mode, status: RecordingStatus) -> Answer:
        of = self._topics.recording if isinstance(asked, Switch) else self._topics.recording_mode
        return Answer(asked.camera_id, status, of(asked.camera_id))

    def _knows(self, camera_id: str) -> bool:
        try:
            self._orders.recording.recording(camera_id)
        except LivecamError:
            return False
        return True

    def _obey(self, asked: Order, topic: str) -> Answer | None:
        match asked:
            case Switch():
                status = self._orders.recording.set_recording(asked.camera_id, asked.on, by=_BY)
                return self._answer(asked, status)
            case Mode():
                status = self._orders.recording.set_mode(asked.camera_id, asked.mode, by=_BY)
                return self._answer(asked, status)
            case Keep():
                self._orders.clips.keep(asked.camera_id, by=_BY)
            case Happening():
                self._report(asked)
            case Wish():
                self._wishes.add(asked)
            case Restart():
                self._orders.cameras.restart(asked.camera_id, by=_BY)
            case Power():
                self._switch(asked, topic)
            case Snapshot():
                self._look(asked, topic)
        return None

    def _report(self, asked: Happening) -> None:
        events = self._orders.events
        if asked.on is None:
            events.report_event(asked.camera_id, asked.label, _SOURCE, lasted_s=asked.lasted_s)
        elif asked.on:
            events.begin_event(asked.camera_id, asked.label, _SOURCE)
        else:
            events.end_event(asked.camera_id, asked.label, _SOURCE)

    def _switch(self, asked: Power, topic: str) -> None:
        camera_id, power = asked.camera_id, self._orders.power
        self._orders.recording.recording(camera_id)
        if power is None:
            raise LivecamError(ErrorKind.UNAVAILABLE, "cameras cannot be switched off here", "stop the service")

        def ended(error: LivecamError | None) -> None:
            self._ended(asked, topic, error)
            self._told.switched(camera_id)

        # One camera after the other: the service makes one change at a time, and refuses a second one.
        self._errands.add("enabled", camera_id, lambda: power.set_enabled(camera_id, asked.on, _BY), ended)

    def _look(self, asked: Snapshot, topic: str) -> None:
        camera_id = asked.camera_id
        self._orders.recording.recording(camera_id)

        def ended(error: LivecamError | None) -> None:
            self._ended(asked, topic, error)
            if error is None:
                self._told.pictured(camera_id)

        self._errands.add(f"snapshot of {camera_id}", camera_id, lambda: self._orders.picture(camera_id), ended)

    def _ended(self, asked: Order, topic: str, error: LivecamError | None) -> None:
        if error is None:
            self._books.done(asked)
        else:
            self._failed(asked, topic, error)

    def _failed(self, asked: Order, topic: str, error: LivecamError) -> None:
        self._books.done(asked, error)
        self._refusals.refuse(self._refused(topic, error.message, error.hint))

    def _wish_ended(self, wish: Wish, error: LivecamError | None) -> None:
        """What could not be tried and what failed are answered alike; which is in the log `Wishes` knows."""
        self._books.done(wish, error)
        if error is not None:
            of = self._topics.resolution_set if wish.height else self._topics.frame_rate_set
            self._refusals.answer(self._refused(of(wish.camera_id), error.message, error.hint))

    def _refused(self, topic: str, reason: str, hint: str) -> Refused:
        command = self._topics.command(topic)
        camera_id, what = (command.camera_id, command.what) if command else ("", "")
        return Refused(topic[:SHOWN_TOPIC], camera_id, what, reason, hint)

    def _leave_alone(self, topic: str, payload: bytes) -> None:
        """A command that the broker kept is as old as can be: obeying it would undo what was chosen since."""
        if topic not in self._retained and len(self._retained) < _REMEMBERED:
            self._retained.add(topic)
            refused = self._refused(topic, _KEPT, _LATELY)
            self._books.kept(refused.camera_id, refused.command)
            self._refusals.answer(refused)
            _log.warning(
                "the broker keeps an old command on %r (%s): ignored. Commands are to be published without retain;"
                " an empty retained message there removes it",
                redact(topic)[:SHOWN_TOPIC],
                shown(payload),
            )
