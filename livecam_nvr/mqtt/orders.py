"""What messages from outside ask for. Pure."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.entities import PRESS
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.mqtt.wishes import Wish

SHOWN_BYTES = 40
SHOWN_TOPIC = 120
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
class Refusal:
    """What is wrong with a message, for the log."""

    reason: str
    camera_id: str
    what: str
    problem: str
    """Like `reason`, but without anything that the message said."""


Order = Switch | Mode | Keep | Happening | Wish | Restart


def parse(topics: Topics, topic: str, payload: bytes) -> Order | Refusal | None:
    """What a message asks for; None if its topic is not one that takes commands. Never raises."""
    command = topics.command(topic)
    if command is None:
        return None
    shown = topic[:SHOWN_TOPIC]
    reader = _READERS.get(command.what)
    if reader is None:
        known = ", ".join(f"`{what}`" for what in _READERS)
        reason = f"{shown!r}: a camera has no {command.what[:SHOWN_BYTES]!r}; there are {known}"
        return Refusal(reason, command.camera_id, "", "there is no such command")
    read, wanted = reader
    order = read(command.camera_id, payload)
    if order is None:
        more = f"... ({len(payload)} bytes)" if len(payload) > SHOWN_BYTES else ""
        reason = f"{shown!r}: {payload[:SHOWN_BYTES]!r}{more} is {wanted}"
        return Refusal(reason, command.camera_id, command.what, wanted)
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


def _mode(camera_id: str, payload: bytes) -> Order | None:
    mode = next((mode for mode in RecordingMode if payload == mode.value.encode()), None)
    return None if mode is None else Mode(camera_id, mode)


def _keep(camera_id: str, payload: bytes) -> Order | None:
    return Keep(camera_id) if payload == PRESS.encode() else None


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


_READERS: dict[str, tuple[Callable[[str, bytes], Order | None], str]] = {
    "recording": (_switch, "neither ON nor OFF"),
    "resolution": (_resolution, "no resolution like 720p"),
    "frame_rate": (_frame_rate, "no number of frames a second"),
    "recording_mode": (_mode, f"none of {', '.join(RecordingMode)}"),
    "keep": (_keep, "not PRESS"),
    "event": (
        _event,
        'neither a label such as motion nor JSON such as {"label": "motion", "state": "begin"} (end, moment)',
    ),
    "restart": (_restart, "not PRESS"),
}
