"""What messages from outside ask for. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.discovery.entities import PRESS
from livecam_nvr.mqtt.obey.wishes import Wish
from livecam_nvr.mqtt.topics import Topics

SHOWN_BYTES = 40
SHOWN_TOPIC = 120
LONGEST_BYTES = 4096
"""No command needs more, and nothing longer is looked at."""
_ON_OFF = {b"ON": True, b"OFF": False}
_EVENT_STATES = {"begin": True, "end": False, "moment": None}
_RESOLUTION = re.compile(rb"([1-9][0-9]{1,3})p")
_FRAME_RATE = re.compile(rb"[0-9]{1,3}(\.[0-9]{1,3})?")
_LABEL = re.compile(rb"[a-z0-9][a-z0-9 _-]{0,39}")
_LONGEST_S = 3600


@dataclass(frozen=True, slots=True)
class Switch:
    """Recording on or off."""

    camera_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class Mode:
    """What recording is to depend on."""

    camera_id: str
    mode: RecordingMode


@dataclass(frozen=True, slots=True)
class Keep:
    """What is seen around now is to be kept."""

    camera_id: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something in front of a camera begins, ends, or was over at once (`on` is None)."""

    camera_id: str
    label: str
    on: bool | None = None
    lasted_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Restart:
    """A camera that is to begin anew."""

    camera_id: str


@dataclass(frozen=True, slots=True)
class Power:
    """The camera itself on or off."""

    camera_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A new still picture at once."""

    camera_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a message."""

    reason: str
    """For the log: shows the message's beginning."""
    camera_id: str
    what: str
    """The command; empty if there is no such command."""
    problem: str
    """Like `reason`, but without anything that the message said."""
    hint: str


Order = Switch | Mode | Keep | Happening | Wish | Restart | Power | Snapshot


def parse(topics: Topics, topic: str, payload: bytes) -> Order | Refusal | None:
    """What a message asks for; None if its topic is not one that takes commands. Never raises."""
    command = topics.command(topic)
    if command is None:
        return None
    camera_id, what = command.camera_id, command.what
    place = repr(topic[:SHOWN_TOPIC])
    reader = _READERS.get(what)
    if reader is None:
        known = ", ".join(f"`{name}`" for name in _READERS)
        reason = f"{place}: a camera has no {what[:SHOWN_BYTES]!r}; there are {known}"
        return Refusal(reason, camera_id, "", "there is no such command", f"there are: {', '.join(_READERS)}")
    problem, hint = reader.problem, reader.hint
    if len(payload) > LONGEST_BYTES:
        problem, hint = f"longer than {LONGEST_BYTES} bytes", reader.hint
    elif (order := reader.read(camera_id, payload)) is not None:
        return order
    more = f"... ({len(payload)} bytes)" if len(payload) > SHOWN_BYTES else ""
    reason = f"{place}: {shown(payload)}{more} is {problem}; {hint}"
    return Refusal(reason, camera_id, what, f"what was sent is {problem}", hint)


def shown(payload: bytes) -> str:
    """A payload's beginning, in a line and without secrets."""
    return repr(redact(payload[:LONGEST_BYTES].decode("utf-8", "backslashreplace"))[:SHOWN_BYTES])


def _switch(camera_id: str, payload: bytes) -> Order | None:
    on = _ON_OFF.get(payload)
    return None if on is None else Switch(camera_id, on)


def _resolution(camera_id: str, payload: bytes) -> Order | None:
    found = _RESOLUTION.fullmatch(payload)
    return Wish(camera_id, height=int(found[1])) if found else None


def _frame_rate(camera_id: str, payload: bytes) -> Order | None:
    fps = float(payload) if _FRAME_RATE.fullmatch(payload) else 0.0
    return Wish(camera_id, fps=fps) if fps else None


def _power(camera_id: str, payload: bytes) -> Order | None:
    on = _ON_OFF.get(payload)
    return None if on is None else Power(camera_id, on)


def _pressed(order: Callable[[str], Keep | Snapshot | Restart]) -> Callable[[str, bytes], Order | None]:
    """Reads what a button says."""
    return lambda camera_id, payload: order(camera_id) if payload == PRESS.encode() else None


def _mode(camera_id: str, payload: bytes) -> Order | None:
    mode = next((mode for mode in RecordingMode if payload == mode.value.encode()), None)
    return None if mode is None else Mode(camera_id, mode)


def _event(camera_id: str, payload: bytes) -> Order | None:
    """A label alone is a moment; JSON tells more."""
    if _LABEL.fullmatch(payload):
        return Happening(camera_id, payload.decode())
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not told.keys() <= {"label", "state", "lasted_s"}:
        return None
    label, state, lasted_s = told.get("label"), told.get("state", "moment"), told.get("lasted_s", 0.0)
    is_time = isinstance(lasted_s, int | float) and not isinstance(lasted_s, bool) and 0 <= lasted_s <= _LONGEST_S
    if not isinstance(label, str) or not _LABEL.fullmatch(label.encode("utf-8", "replace")):
        return None
    if not isinstance(state, str) or state not in _EVENT_STATES or not is_time:
        return None
    return Happening(camera_id, label, _EVENT_STATES[state], lasted_s)


@dataclass(frozen=True, slots=True)
class _Reader:
    """How one command is read."""

    read: Callable[[str, bytes], Order | None]
    problem: str
    """What a payload is that it cannot read."""
    hint: str


_ON_OR_OFF = ("neither ON nor OFF", "send ON or OFF")
_A_PRESS = ("not PRESS", f"send {PRESS}")
_READERS: Final[Mapping[str, _Reader]] = {
    "recording": _Reader(_switch, *_ON_OR_OFF),
    "enabled": _Reader(_power, *_ON_OR_OFF),
    "recording_mode": _Reader(
        _mode, f"none of {', '.join(RecordingMode)}", f"send one of {', '.join(RecordingMode)}"
    ),
    "keep": _Reader(_pressed(Keep), *_A_PRESS),
    "snapshot": _Reader(_pressed(Snapshot), *_A_PRESS),
    "restart": _Reader(_pressed(Restart), *_A_PRESS),
    "event": _Reader(
        _event,
        "no event",
        'send a label such as motion, or {"label": "motion", "state": "begin"} (end, moment)',
    ),
    "resolution": _Reader(_resolution, "no resolution", "send a height such as 720p"),
    "frame_rate": _Reader(_frame_rate, "no number of frames a second", "send a number such as 15 or 12.5"),
}
