"""Qualities that were asked for over MQTT: one change at a time for each camera, the newest wish next."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from livecam_nvr.core.ports import CameraControl
from livecam_nvr.domain.errors import ErrorKind, LivecamError


@dataclass(frozen=True, slots=True)
class Wish:
    """A quality that is wanted; None: as it is."""

    camera_id: str
    height: int | None = None
    fps: float | None = None


class Wishes:
    """Has wishes fulfilled in tasks of its own, which `stop` ends.

    An automation may set resolution and frame rate in one breath, and a change takes its time: what is asked for
    meanwhile waits, and is one change then.

    Args:
        control: The cameras.
        refused: Told what was refused, and why, in words.
        settled: Told the camera after each change, whether it worked or not.
        ended: Told what was tried, and why it failed if it did.
    """

    def __init__(
        self,
        control: CameraControl,
        refused: Callable[[str], None],
        settled: Callable[[str], None],
        ended: Callable[[Wish, LivecamError | None], None],
    ) -> None:
        self._control = control
        self._refused = refused
        self._settled = settled
        self._ended = ended
        self._waiting: dict[str, Wish] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, wish: Wish) -> None:
        """Raises LivecamError NOT_FOUND for an unknown camera."""
        camera_id = wish.camera_id
        self._control.quality(camera_id)
        older = self._waiting.get(camera_id, wish)
        self._waiting[camera_id] = Wish(camera_id, wish.height or older.height, wish.fps or older.fps)
        if camera_id not in self._tasks:
            self._tasks[camera_id] = asyncio.create_task(
                self._fulfil(camera_id), name=f"MQTT quality of {camera_id}"
            )

    async def stop(self) -> None:
        """Forgets what waits and no longer watches what is under way; idempotent."""
        self._waiting.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()  # one that was cancelled before its first step could not do that itself

    async def _fulfil(self, camera_id: str) -> None:
        try:
            while (wish := self._waiting.pop(camera_id, None)) is not None:
                try:
                    await self._control.set_quality(camera_id, height=wish.height, fps=wish.fps, by="MQTT")
                except LivecamError as error:
                    self._tell(camera_id, error)
                    self._ended(wish, error)
                else:
                    self._ended(wish, None)
                self._settled(camera_id)
        finally:
            self._tasks.pop(camera_id, None)

    def _tell(self, camera_id: str, error: LivecamError) -> None:
        tried = error.kind is ErrorKind.UNAVAILABLE and self._control.quality(camera_id).changing
        if not tried:  # what was tried and failed is on its way back, and was logged where it failed
            self._refused(f"{camera_id}: {error.message}; {error.hint}")
