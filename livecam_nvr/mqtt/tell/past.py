"""How much of the past was recorded, each minute and for each camera, while the broker is connected."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from livecam_nvr.core.past import Past
from livecam_nvr.domain.coverage import Coverage
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock

_EVERY_S = 60.0
_SOON_S = 10.0
_HOUR_NS = 3600 * NS
_DAY_NS = 24 * _HOUR_NS

Take = Callable[[str, Coverage | None, Coverage | None], None]
"""Camera, its last hour, its last day; None where that cannot be told."""


class PastTeller:
    """Asks, and hands on what it is told."""

    def __init__(self, past: Past, clock: Clock, take: Take) -> None:
        self._past = past
        self._clock = clock
        self._cameras: tuple[str, ...] = ()
        self._changed = asyncio.Event()
        self._take = take

    def update(self, camera_ids: Sequence[str]) -> None:
        """These are the cameras from now on."""
        self._cameras = tuple(camera_ids)
        self._changed.set()

    async def keep(self) -> None:
        """Goes on for ever."""
        pause_s = _SOON_S  # when a service has just started, files of the run before may still be repaired
        while True:
            self._changed.clear()
            for camera_id in self._cameras:
                self._take(camera_id, await self._last(camera_id, _HOUR_NS), await self._last(camera_id, _DAY_NS))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()
            pause_s = _EVERY_S

    async def _last(self, camera_id: str, length_ns: int) -> Coverage | None:
        now = self._clock.utc_ns()
        try:
            return await self._past.coverage(camera_id, now - length_ns, now)
        except LivecamError:
            return None  # without an index; the log and the status tell that
