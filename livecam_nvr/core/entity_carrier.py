"""Decides, remembers and tells who carries our entities in Home Assistant (core.home_assistant)."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from livecam_nvr.core.home_assistant import BrokerNames, Carriage, Carrier
from livecam_nvr.core.ports import Broker
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

MOVING_S = 600.0
"""A move takes seconds. If it takes longer than this, whoever began it is gone, and Home Assistant would be left
without any of our entities."""


class CarriageMemory(Protocol):
    """Keeps a carriage over restarts. Both calls block."""

    def load(self) -> Carriage:
        """Never raises."""

    def save(self, carriage: Carriage) -> None:
        """Durable when it returns. Raises LivecamError DISK."""


class EntityCarrier:
    """Implements core.home_assistant.HomeAssistantDesk.

    Args:
        memory: Where it is remembered.
        broker: The connection that there is now.
        clock: For the moment of a change.
        moving_s: A move that is not over after so long is called off.
    """

    def __init__(
        self, memory: CarriageMemory, broker: Callable[[], Broker], clock: Clock, moving_s: float = MOVING_S
    ) -> None:
        self._memory = memory
        self._broker = broker
        self._clock = clock
        self._moving_s = moving_s
        self._carriage = Carriage()
        self._one_by_one = asyncio.Lock()
        self._tasks: set[asyncio.Task[Carriage]] = set()
        self._move: asyncio.TimerHandle | None = None

    async def load(self) -> None:
        """Reads what is remembered; before the broker connects. A move that a stop has broken off goes on."""
        self._carriage = await asyncio.to_thread(self._memory.load)
        self._look_after_move()

    async def stop(self) -> None:
        """Gives up telling the broker, which is told at the next start; what is remembered stays. Idempotent."""
        if self._move is not None:
            self._move.cancel()
            self._move = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def carriage(self) -> Carriage:
        """See HomeAssistantDesk."""
        return self._carriage

    def names(self) -> BrokerNames | None:
        """See HomeAssistantDesk."""
        return self._broker().names()

    async def carry(self, carrier: Carrier, by: str) -> Carriage:
        """See HomeAssistantDesk. Whoever leaves while it waits does not break it off."""
        return await asyncio.shield(self._begin(self._carry(carrier, by), carrier))

    def _begin(self, work: Coroutine[Any, Any, Carriage], carrier: Carrier) -> asyncio.Task[Carriage]:
        task = asyncio.create_task(work, name=f"entities carried by {carrier}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Carriage]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.info("who carries the entities: %s", error)  # whoever asked may have left

    async def _carry(self, carrier: Carrier, by: str) -> Carriage:
        async with self._one_by_one:
            if carrier is Carrier.INTEGRATION and self._carriage.carrier is Carrier.MQTT:
                # Announcements that vanish without having been let go before take the entities with them, history
                # and all (tried with Home Assistant 2026.11).
                message = "the entities are announced over MQTT, and would be deleted in Home Assistant"
                raise LivecamError(ErrorKind.CONFLICT, message, 'let them go first: {"carrier": "moving"}')
            return await self._become(carrier, by)

    async def _give_up(self) -> Carriage:
        """Back to MQTT, unless the integration has taken over while this waited for its turn."""
        async with self._one_by_one:
            if self._carriage.carrier is not Carrier.MOVING:
                return self._carriage
            _log.warning(
                "Home Assistant's integration has not taken the entities over within %.0f minutes: they are"
                " announced over MQTT again",
                self._moving_s / 60,
            )
            return await self._become(Carrier.MQTT, "livecam-nvr")

    async def _become(self, carrier: Carrier, by: str) -> Carriage:
        if carrier is not self._carriage.carrier:
            wanted = Carriage(carrier, self._clock.utc_ns(), by)
            await asyncio.to_thread(self._memory.save, wanted)
            self._carriage = wanted
            _log.info("Home Assistant gets the entities %s (%s)", _WORDS[carrier], by)
            self._look_after_move()
        # Told again even if nothing is different: it may have been asked for because that had failed.
        await self._broker().carry(carrier)
        return self._carriage

    def _look_after_move(self) -> None:
        """Sees to it that a move ends."""
        if self._move is not None:
            self._move.cancel()
            self._move = None
        if self._carriage.carrier is Carrier.MOVING:
            self._move = asyncio.get_running_loop().call_later(self._moving_s, self._call_off)

    def _call_off(self) -> None:
        self._begin(self._give_up(), Carrier.MQTT)


_WORDS = {
    Carrier.MQTT: "over MQTT from now on",
    Carrier.MOVING: "from nobody while they are taken over",
    Carrier.INTEGRATION: "from its integration from now on",
}
