"""What payloads are made of: JSON, words, moments, ON and OFF. Pure."""

import json
from datetime import UTC, datetime

from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.segment import NS
from livecam_nvr.mqtt.discovery.entities import OFF, ON, UNKNOWN

_LONGEST_TEXT = 500  # attributes are stored with each state by Home Assistant's recorder

Payloads = dict[str, bytes]
"""Topic to what it says."""


def as_json(**values: object) -> bytes:
    """Compact, valid UTF-8 whatever is in it."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def as_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Words for people: without secrets, and not too many."""
    return redact(text)[:longest]


def as_moment(utc_ns: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(utc_ns // NS, UTC).isoformat()


def as_state(value: bool | None) -> bytes:
    """`ON`, `OFF`, or what Home Assistant takes for unknown."""
    return (UNKNOWN if value is None else ON if value else OFF).encode()
