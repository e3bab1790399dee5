"""Ports about Home Assistant: who tells it of our entities. Only `app/` knows who fulfils them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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


class HomeAssistantDesk(Protocol):
    """Where the integration takes the entities over and gives them back."""

    def carriage(self) -> Carriage:
        """How it is."""

    async def carry(self, carrier: Carrier, by: str) -> Carriage:
        """From now on so; remembered over restarts. Returns when the broker has been told.

        Raises:
            LivecamError: UNAVAILABLE if there is a broker, but it could not be told within some seconds: what
                was asked for is remembered all the same, and told as soon as it is back. DISK if it cannot be
                remembered.
        """
