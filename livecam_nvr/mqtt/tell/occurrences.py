"""What happened, as payloads that no broker is to keep. Pure."""

from dataclasses import dataclass

from livecam_nvr.core.events import BreakInAttempt
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.segment import NS
from livecam_nvr.mqtt.discovery.entities import BEGIN, BREAK_IN, END, MOMENT, REFUSED
from livecam_nvr.mqtt.tell.payloads import as_json, as_moment, as_text

_LONGEST_NAME = 64  # what strangers type


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that was not carried out, and why."""

    topic: str
    camera_id: str
    command: str
    reason: str
    hint: str


def refused(answer: Refused, utc_ns: int) -> bytes:
    """What whoever gave a command that was refused can read."""
    return as_json(
        event_type=REFUSED,
        topic=as_text(answer.topic, 2 * _LONGEST_NAME),
        camera=as_text(answer.camera_id, _LONGEST_NAME),
        command=as_text(answer.command, _LONGEST_NAME),
        reason=as_text(answer.reason),
        hint=as_text(answer.hint),
        at=as_moment(utc_ns),
    )


def happening(event: Event, *, new: bool) -> bytes:
    """What happens in front of a camera: it begins, ends, or (over, and `new`) was a moment."""
    end = event.end_utc_ns
    over = end is not None
    return as_json(
        event_type=(MOMENT if new else END) if over else BEGIN,
        label=as_text(event.label, _LONGEST_NAME),
        source=as_text(event.source, _LONGEST_NAME),
        at=as_moment(event.begin_utc_ns if end is None or new else end),
        lasted_s=None if end is None else round((end - event.begin_utc_ns) / NS, 1),
    )


def break_in(event: BreakInAttempt, utc_ns: int) -> bytes:
    """That somebody has tried so many passwords that they are slowed down."""
    return as_json(
        event_type=BREAK_IN,
        address=as_text(event.address),
        user=as_text(event.name, _LONGEST_NAME),
        failures=event.failures,
        door=event.door,
        at=as_moment(utc_ns),
    )
