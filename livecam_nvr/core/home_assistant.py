"""Ports about Home Assistant: who tells it of our entities. Only `app/` knows who fulfils them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

API: Final = 1
"""What the integration speaks with us; grows whenever an older integration could not any more."""


class Carrier(StrEnum):
    """By which way Home Assistant gets our entities: by one of them, never by both."""

    MQTT = "mqtt"
    """By MQTT discovery."""
    MOVING = "moving"
    """By none of them for a moment: MQTT discovery has let its entities go without their being deleted, so that
    the integration can take them over with their ids and their history.
    """
    INTEGRATION = "integration"
    """By the integration, over HTTP. Every topic but the announcements goes on, for those who use MQTT itself."""


@dataclass(frozen=True, slots=True)
class Carriage:
    """Who carries the entities, and since when."""

    carrier: Carrier = Carrier.MQTT
    since_utc_ns: int = 0
    """0: from the beginning."""
    by: str = ""
    """Who wanted it so."""


@dataclass(frozen=True, slots=True)
class BrokerNames:
    """What devices and entities are called in MQTT discovery. The node itself stands under the camera id `""`."""

    base_topic: str
    discovery_prefix: str
    devices: Mapping[str, str] = field(default_factory=dict)
    """By camera id: Home Assistant's device identifier."""
    unique_ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By camera id and entity, e.g. `recording`: its unique id. Only what there is, e.g. no resolution where none
    can be set."""


class HomeAssistantDesk(Protocol):
    """Where the integration takes the entities over and gives them back."""

    def carriage(self) -> Carriage:
        """How it is."""

    def names(self) -> BrokerNames | None:
        """What MQTT discovery calls everything; None without a broker."""

    async def carry(self, carrier: Carrier, by: str) -> Carriage:
        """From now on so; remembered over restarts. Returns when the broker has been told.

        Raises:
            LivecamError: UNAVAILABLE if there is a broker, but it could not be told within some seconds: what
                was asked for is remembered all the same, and told as soon as it is back. DISK if it cannot be
                remembered.
        """
