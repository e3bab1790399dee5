"""A broker and a memory that note what they are told (core.ports.Broker, core.entity_carrier.CarriageMemory)."""

import asyncio
from typing import TYPE_CHECKING

from livecam_nvr.core.home_assistant import BrokerNames, Carriage, Carrier
from livecam_nvr.domain.status import BrokerStatus

if TYPE_CHECKING:
    from livecam_nvr.domain.errors import LivecamError


class FakeBroker:
    """Acknowledges at once, unless `answers` is clear; raises `error` if there is one."""

    def __init__(self) -> None:
        self.told: list[Carrier] = []
        self.error: LivecamError | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.called = BrokerNames("base", "prefix", {"": "node"}, {"": {"disk_free": "node_disk_free"}})

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    def status(self) -> BrokerStatus:
        return BrokerStatus(configured=True, connected=True)

    def names(self) -> BrokerNames | None:
        return self.called

    async def carry(self, carrier: Carrier) -> None:
        self.told.append(carrier)
        await self.answers.wait()
        if self.error is not None:
            raise self.error


class FakeCarriageMemory:
    """In memory."""

    def __init__(self, known: Carriage | None = None) -> None:
        self.known = known or Carriage()
        self.error: LivecamError | None = None

    def load(self) -> Carriage:
        return self.known

    def save(self, carriage: Carriage) -> None:
        if self.error is not None:
            raise self.error
        self.known = carriage
