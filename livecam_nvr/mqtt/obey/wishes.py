"""Qualities that were asked for over MQTT: one change at a time for each camera, the newest wish next."""

from collections.abc import Callable
from dataclasses import dataclass

from livecam_nvr.core.ports import CameraControl
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.obey.errands import Errands


@dataclass(frozen=True, slots=True)
class Wish:
    """A quality that is wanted; None: as it is."""

    camera_id: str
    height: int | None = None
    fps: float | None = None


class Wishes:
    """Has wishes fulfilled, one after the other for each camera, until `stop`.

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
        self._errands = Errands()

    def add(self, wish: Wish) -> None:
        """Raises LivecamError NOT_FOUND for an unknown camera."""
        camera_id = wish.camera_id
        self._control.quality(camera_id)
        older = self._waiting.get(camera_id, wish)
        newer = Wish(camera_id, wish.height or older.height, wish.fps or older.fps)
        self._waiting[camera_id] = newer
        self._errands.add(
            f"quality of {camera_id}",
            camera_id,
            lambda: self._fulfil(newer),
            lambda error: self._done(newer, error),
        )

    async def stop(self) -> None:
        """Forgets what waits and no longer watches what is under way; idempotent."""
        self._waiting.clear()
        await self._errands.stop()

    async def _fulfil(self, wish: Wish) -> None:
        self._waiting.pop(wish.camera_id, None)  # what is asked for from now on is another change
        await self._control.set_quality(wish.camera_id, height=wish.height, fps=wish.fps, by="MQTT")

    def _done(self, wish: Wish, error: LivecamError | None) -> None:
        if error is not None:
            self._tell(wish.camera_id, error)
        self._ended(wish, error)
        self._settled(wish.camera_id)

    def _tell(self, camera_id: str, error: LivecamError) -> None:
        tried = error.kind is ErrorKind.UNAVAILABLE and self._control.quality(camera_id).changing
        if not tried:  # what was tried and failed is on its way back, and was logged where it failed
            self._refused(f"{camera_id}: {error.message}; {error.hint}")
