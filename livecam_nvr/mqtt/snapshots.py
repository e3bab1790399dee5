"""A still picture of each camera every few seconds, while the broker is connected."""

import asyncio
import logging
from collections.abc import Callable

from livecam_nvr.core.ports import Pictures
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_STAGGER_S = 1.0
_RETRY_S = 1.0  # costs nothing: without a picture nothing is decoded


class Snapshots:
    """Takes pictures and hands them on. A camera that has none any more is said once, and tried again."""

    def __init__(
        self, pictures: Pictures, clock: Clock, every_s: float, take: Callable[[str, bytes], None]
    ) -> None:
        self._pictures = pictures
        self._clock = clock
        self._every_s = every_s
        self._take = take
        self._had: set[str] = set()
        self._without: set[str] = set()

    async def keep(self, camera_id: str, place: int, of: int) -> None:
        """Renews one camera's picture for ever; the `place`-th of `of` cameras begins a little later than the one
        before, so that their decoders do not all run in the same moment.
        """
        await asyncio.sleep(place * min(_STAGGER_S, self._every_s / of))
        due_s = self._clock.monotonic()
        while True:
            done = await self._renew(camera_id)
            now = self._clock.monotonic()
            # Counted from the last due time, so that the cameras stay apart; a late one skips what it missed.
            due_s = max(due_s + (self._every_s if done else min(_RETRY_S, self._every_s)), now)
            await asyncio.sleep(due_s - now)

    async def _renew(self, camera_id: str) -> bool:
        try:
            picture = await self._pictures.snapshot(camera_id)
        except LivecamError as error:
            if camera_id in self._had - self._without:
                self._without.add(camera_id)
                _log.info("%s: no picture for Home Assistant: %s", camera_id, error.message)
            return False
        if camera_id in self._without:
            self._without.discard(camera_id)
            _log.info("%s: pictures for Home Assistant again", camera_id)
        self._had.add(camera_id)
        self._take(camera_id, picture)
        return True
