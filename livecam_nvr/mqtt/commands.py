"""Messages from outside become orders to the recorders, or one line in the log."""

import logging
from dataclasses import dataclass

from livecam_nvr.core.ports import RecordingControl
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import RecordingStatus
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_PAYLOADS = {b"ON": True, b"OFF": False}
_SHOWN_BYTES = 40
_SHOWN_TOPIC = 120
_LINES = 5
_PER_S = 60.0
_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Switch:
    """A well-formed command."""

    camera_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a message, for the log."""

    reason: str


def parse(topics: Topics, topic: str, payload: bytes) -> Switch | Refusal | None:
    """What a message asks for; None if its topic is not one that takes commands. Never raises."""
    command = topics.command(topic)
    if command is None:
        return None
    shown = topic[:_SHOWN_TOPIC]
    if command.what != "recording":
        return Refusal(f"{shown!r}: a camera has no {command.what[:_SHOWN_BYTES]!r}; only `recording` can be set")
    on = _PAYLOADS.get(payload)
    if on is None:
        more = f"... ({len(payload)} bytes)" if len(payload) > _SHOWN_BYTES else ""
        return Refusal(f"{shown!r}: {payload[:_SHOWN_BYTES]!r}{more} is neither ON nor OFF")
    return Switch(command.camera_id, on)


class CommandDesk:
    """Carries out commands. Whatever is wrong with one is logged, and changes nothing."""

    def __init__(self, topics: Topics, control: RecordingControl, clock: Clock) -> None:
        self._topics = topics
        self._control = control
        self._complaints = _Complaints(clock)
        self._retained: set[str] = set()

    def handle(self, topic: str, payload: bytes, *, retained: bool) -> tuple[str, RecordingStatus] | None:
        """The camera and what its recorder does now, if the message was a good command; else None."""
        asked = parse(self._topics, topic, payload)
        if asked is None:
            return None
        if retained:
            self._leave_alone(topic, payload)
            return None
        if isinstance(asked, Refusal):
            self._complaints.log(asked.reason)
            return None
        try:
            return asked.camera_id, self._control.set_recording(asked.camera_id, asked.on, by="MQTT")
        except LivecamError as error:
            self._complaints.log(f"{topic[:_SHOWN_TOPIC]!r}: {error.message}; {error.hint}")
            return None

    def _leave_alone(self, topic: str, payload: bytes) -> None:
        """A command that the broker kept is as old as can be: obeying it would undo what was chosen since."""
        if topic not in self._retained and len(self._retained) < _REMEMBERED:
            self._retained.add(topic)
            _log.warning(
                "the broker keeps an old command on %r (%r): ignored. Commands are to be published without retain;"
                " an empty retained message there removes it",
                topic[:_SHOWN_TOPIC],
                payload[:_SHOWN_BYTES],
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
