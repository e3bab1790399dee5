"""Ends the readers of MediaMTX whose right to read has ended."""

import asyncio
import logging
from collections.abc import Callable

from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.rtsp.control import ControlClient
from livecam_nvr.rtsp.doorkeeper import Doorkeeper

_log = logging.getLogger(__name__)

# A reader who was let in a moment before may not be in MediaMTX's list yet.
_ROUNDS = 12
_ROUND_S = 0.3


class Evictions:
    """Looks for such readers for some seconds after anything has ended; the first time at once."""

    def __init__(
        self, doorkeeper: Doorkeeper, control: Callable[[], ControlClient | None], *, encrypted: bool
    ) -> None:
        self._doorkeeper = doorkeeper
        self._control = control
        self._encrypted = encrypted
        self._over: set[str] = set()
        self._rounds = 0
        self._task: asyncio.Task[None] | None = None

    def add(self, event: AccessEnded) -> None:
        """Something has ended."""
        self._over |= self._doorkeeper.ended(event)
        self._rounds = _ROUNDS
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="evictions")

    async def stop(self) -> None:
        """Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._rounds:
            self._rounds -= 1
            try:
                await self._round()
            except LivecamError as error:
                # A server that does not answer is restarted by its watchdog, and its readers end with it.
                _log.debug("no readers could be ended: %s", error.message)
            await asyncio.sleep(_ROUND_S)
        self._over.clear()

    async def _round(self) -> None:
        control = self._control()
        if control is None:
            return
        readers = await control.readers(self._encrypted)
        over = self._over | self._doorkeeper.unknown({reader.id for reader in readers})
        for reader in readers:
            if reader.id in over:
                await control.kick(reader)
                _log.info("a reader over %s was sent away: its access has ended", reader.kind.upper())
