"""Which media segments each camera's HLS viewers can have now."""

import asyncio

from livecam_nvr.core.ports import Hub
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.web.playlist import Shelf, finished_gops, shelve

_PATIENCE_S = 10.0
# An ended run is still listed for so long: viewers play it out and wait for the next; nobody begins with it later.
_ENDED_S = 15.0


class Shelves:
    """One shelf per camera, brought up to date whenever somebody asks; costs nothing without viewers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shelves: dict[str, Shelf] = {}

    def now(self, hub: Hub) -> Shelf:
        """The camera's shelf now; may be empty."""
        ring, running = hub.ring, hub.init
        ended = {fragment.init: fragment.arrived_s for fragment in ring if fragment.init is not running}
        now_s = self._clock.monotonic()
        gops = [
            gop
            for gop in finished_gops(ring, running)
            if gop.init is running or now_s - ended[gop.init] < _ENDED_S
        ]
        shelf = shelve(self._shelves.get(hub.camera_id, Shelf()), gops)
        self._shelves[hub.camera_id] = shelf
        return shelf

    async def filled(self, hub: Hub) -> Shelf:
        """A shelf with something on it; waits some seconds for a camera that has just started.

        Raises:
            LivecamError: UNAVAILABLE if nothing came.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not (shelf := self.now(hub)).entries:
                    ring = hub.ring
                    await hub.wait_fragment(ring[-1].number if ring else -1)
        except TimeoutError:
            raise LivecamError(
                ErrorKind.UNAVAILABLE, f"{hub.camera_id} sends nothing now", "see its state in /api/status"
            ) from None
        return shelf
