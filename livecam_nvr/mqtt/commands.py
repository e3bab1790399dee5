"""Messages from outside become orders to the recorders and cameras, or one line in the log."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from livecam_nvr.core.ports import CameraControl, RecordingControl
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import RecordingStatus
from livecam_nvr.mqtt.entities import PRESS
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.mqtt.wishes import Wish, Wishes
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_ON_OFF = {b"ON": True, b"OFF": False}
_RESOLUTION = re.compile(rb"([1-9][0-9]{1,3})p")
_FRAME_RATE = re.compile(rb"[0-9]{1,3}(\.[0-9]{1,3})?")
_SHOWN_BYTES = 40
_SHOWN_TOPIC = 120
_LINES = 5
_PER_S = 60.0
_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Switch:
    """Recording on or off."""

    camera_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """A camera that is to begin anew."""

    camera_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a message, for the log."""

    reason: str


Order = Switch | Wish | Restart


def parse(topics: Topics, topic: str, payload: bytes) -> Order | Refusal | None:
    """What a message asks for; None if its topic is not one that takes commands. Never raises."""
    command = topics.command(topic)
    if command is None:
        return None
    shown = topic[:_SHOWN_TOPIC]
    reader = _READERS.get(command.what)
    if reader is None:
        known = ", ".join(f"`{what}`" for what in _READERS)
        return Refusal(f"{shown!r}: a camera has no {command.what[:_SHOWN_BYTES]!r}; there are {known}")
    read, wanted = reader
    order = read(command.camera_id, payload)
    if order is None:
        more = f"... ({len(payload)} bytes)" if len(payload) > _SHOWN_BYTES else ""
        return Refusal(f"{shown!r}: {payload[:_SHOWN_BYTES]!r}{more} is {wanted}")
    return order


def _switch(camera_id: str, payload: bytes) -> Order | None:
    on = _ON_OFF.get(payload)
    return None if on is None else Switch(camera_id, on)


def _resolution(camera_id: str, payload: bytes) -> Order | None:
    found = _RESOLUTION.fullmatch(payload)
    return Wish(camera_id, height=int(found[1])) if found else None


def _frame_rate(camera_id: str, payload: bytes) -> Order | None:
    fps = float(payload) if _FRAME_RATE.fullmatch(payload) else 0.0
    return Wish(camera_id, fps=fps) if fps else None


def _restart(camera_id: str, payload: bytes) -> Order | None:
    return Restart(camera_id) if payload == PRESS.encode() else None


_READERS: dict[str, tuple[Callable[[str, bytes], Order | None], str]] = {
    "recording": (_switch, "neither ON nor OFF"),
    "resolution": (_resolution, "no resolution like 720p"),
    "frame_rate": (_frame_rate, "no number of frames a second"),
    "restart": (_restart, "not PRESS"),
}


class CommandDesk:
    """Carries out commands. Whatever is wrong with one is logged, and changes nothing.

    Args:
        topics: The names.
        recording: The recording switches.
        cameras: What else can be changed about the cameras.
        clock: The service's.
        settled: Told a camera whose quality was asked to change, when that has worked or failed.
    """

    def __init__(
        self,
        topics: Topics,
        recording: RecordingControl,
        cameras: CameraControl,
        clock: Clock,
        settled: Callable[[str], None],
    ) -> None:
        self._topics = topics
        self._recording = recording
        self._cameras = cameras
        self._complaints = _Complaints(clock)
        self._wishes = Wishes(cameras, self._complaints.log, settled)
        self._retained: set[str] = set()

    def handle(self, topic: str, payload: bytes, *, retained: bool) -> tuple[str, RecordingStatus] | None:
        """The camera and what its recorder does now, if the message was a good command for it; else None."""
        asked = parse(self._topics, topic, payload)
        if asked is None:
            return None
        if retained:
            self._leave_alone(topic, payload)
            return None
        try:
            match asked:
                case Refusal():
                    self._complaints.log(asked.reason)
                case Switch():
                    return asked.camera_id, self._recording.set_recording(asked.camera_id, asked.on, by="MQTT")
                case Wish():
                    self._wishes.add(asked)
                case Restart():
                    self._cameras.restart(asked.camera_id, by="MQTT")
        except LivecamError as error:
            self._complaints.log(f"{topic[:_SHOWN_TOPIC]!r}: {error.message}; {error.hint}")
        return None

    async def stop(self) -> None:
        """Ends what still waits for a camera; idempotent."""
        await self._wishes.stop()

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
