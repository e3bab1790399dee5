"""What is written down about recordings besides the pictures: why there are none, events, kept clips."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from secrets import token_hex

Value = str | int | float | bool


class EntryKind(StrEnum):
    """What an entry tells."""

    STATE = "state"
    """From `begin` on (until the next STATE) nothing is recorded, for the GapCause in `data["cause"]`, by whom
    in `data["by"]`, in words in `data["words"]`; or, if `cause` is empty, the camera is being recorded."""
    PAUSE = "pause"
    """Inside a file the camera sent no picture from `begin` to `end`; `data["cause"]` as above."""
    EVENT = "event"
    """Something happened: `data["label"]`, `data["source"]`. `end` is None while it lasts."""
    CLIP = "clip"
    """Footage from `begin` to `end` is kept until somebody gives it up: `data["title"]`, `data["by"]`."""
    DELETED = "deleted"
    """Retention deleted footage between `begin` and `end`: `data["files"]`, `data["bytes"]`, `data["reason"]`."""
    REDATED = "redated"
    """Times from `begin` to `end` were first written as `data["shift_ns"]` earlier: the clock was wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a camera's ledger. A later one with the same id takes the place of the earlier one."""

    camera_id: str
    kind: EntryKind
    begin_utc_ns: int
    end_utc_ns: int | None = None
    """None: it lasts, or it is a moment."""
    data: Mapping[str, Value] = field(default_factory=dict)
    id: str = field(default_factory=lambda: token_hex(8))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in front of a camera, as somebody reported it."""

    id: str
    camera_id: str
    label: str
    """`motion`, `person`, `doorbell` …: lower-case words of whoever reports it."""
    source: str
    """`mqtt`, `http`, a plug-in's name."""
    begin_utc_ns: int
    end_utc_ns: int | None
    """None while it lasts."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Footage that retention does not touch."""

    id: str
    camera_id: str
    title: str
    by: str
    """Who kept it."""
    begin_utc_ns: int
    end_utc_ns: int
