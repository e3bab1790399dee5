"""Stands in where no broker is configured (core.ports.Broker)."""

from livecam_nvr.core.home_assistant import Carrier
from livecam_nvr.domain.status import BrokerStatus


class NoBroker:
    """None is configured."""

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    def status(self) -> BrokerStatus:
        """See Broker."""
        return BrokerStatus(configured=False)

    def names(self) -> None:
        """See Broker."""

    async def carry(self, carrier: Carrier) -> None:
        """See Broker: there is nobody to tell."""
