"""A still picture of each camera, on its cadence and when there is a reason, while the broker is connected."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import EventChanged
from livecam_nvr.core.ports import Pictures
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_STAGGER_S = 1.0
_RETRY_S = 1.0  # costs nothing: without a picture nothing is decoded
_WATCHED_S = 10.0
_LEAST_S = 1.0


class Snapshots:
    """Takes pictures and hands them on. A camera that has none any more is said once, and tried again.

    Args:
        pictures: Where they come from.
        clock: The service's.
        every_s: The cadence of a camera that nobody watches; 0: only who asks for a picture gets one.
        take: Gets camera and JPEG.
    """

    def __init__(
        self, pictures: Pictures, clock: Clock, every_s: float, take: Callable[[str, bytes], None]
    ) -> None:
        self._pictures = pictures
        self._clock = clock
        self._every_s = every_s
        self._take = take
        self._cameras: tuple[str, ...] = ()
        self._watched: frozenset[str] = frozenset()
        self._hurry: dict[str, asyncio.Event] = {}
        self._asked: set[str] = set()
        self._changed = asyncio.Event()
        self._had: set[str] = set()
        self._without: set[str] = set()

    def listen(self, bus: EventBus) -> Callable[[], None]:
        """Whatever begins in front of a camera is a reason; returns what ends that."""
        return bus.subscribe(EventChanged, lambda changed: self._happens(changed.event.camera_id))

    def update(self, camera_ids: Sequence[str]) -> None:
        """These are the cameras from now on."""
        self._cameras = tuple(camera_ids)
        self._changed.set()

    def watched(self, camera_ids: Collection[str]) -> None:
        """Somebody watches these now: their pictures are renewed every 10 s, if not more often."""
        begun = frozenset(camera_ids) - self._watched
        self._watched = frozenset(camera_ids)
        for camera_id in begun & self._hurry.keys():
            self._hurry[camera_id].set()

    async def keep(self) -> None:
        """Renews the pictures of all cameras, for ever; these may be others later."""
        tasks: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for camera_id in tasks.keys() - set(self._cameras if self._every_s else ()):
                    tasks.pop(camera_id).cancel()
                for place, camera_id in enumerate(self._cameras if self._every_s else ()):
                    if camera_id not in tasks:
                        # A little later than the one before, so that not all decoders run in the same moment.
                        wait_s = place * min(_STAGGER_S, self._every_s / len(self._cameras))
                        tasks[camera_id] = group.create_task(
                            self._keep_one(camera_id, wait_s), name=f"MQTT pictures of {camera_id}"
                        )
                await self._changed.wait()

    async def now(self, camera_id: str) -> None:
        """Takes one at once, beside those that come regularly.

        Raises:
            LivecamError: As core.ports.Pictures.
        """
        self._take(camera_id, await self._pictures.snapshot(camera_id))

    async def _keep_one(self, camera_id: str, wait_s: float) -> None:
        hurry = self._hurry[camera_id] = asyncio.Event()
        try:
            await asyncio.sleep(wait_s)
            due_s = self._clock.monotonic()
            while True:
                self._asked.discard(camera_id)
                done = await self._renew(camera_id)
                due_s = await self._next(camera_id, hurry, due_s, done=done)
        finally:
            del self._hurry[camera_id]

    async def _next(self, camera_id: str, hurry: asyncio.Event, before_s: float, *, done: bool) -> float:
        """Returns when the next picture is due; when that was. `before_s` is the same of the one just taken."""
        taken_s = self._clock.monotonic()
        while True:
            every_s = min(self._every_s, _WATCHED_S) if camera_id in self._watched else self._every_s
            # Counted from the last due time, so that cameras stay apart; a late one skips what it missed.
            due_s = max(before_s + (every_s if done else min(_RETRY_S, every_s)), taken_s)
            if camera_id in self._asked:
                due_s = min(due_s, taken_s + _LEAST_S)
            left_s = due_s - self._clock.monotonic()
            if left_s <= 0:
                return due_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await hurry.wait()
                    hurry.clear()

    def _happens(self, camera_id: str) -> None:
        if camera_id in self._hurry:
            self._asked.add(camera_id)
            self._hurry[camera_id].set()

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
