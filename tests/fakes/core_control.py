"""Cameras whose quality can be changed, without cameras (core.ports.CameraControl)."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import QualityChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.quality import QualityStatus

CHANGEABLE = QualityStatus(changeable=True, height=720, fps=30.0, heights=(480, 720, 1080), most_fps=60.0)
COPIED = QualityStatus(changeable=False)


class FakeControl:
    """Changes at once, or when the test says so: `hold` keeps changes under way until `finish` ends them."""

    def __init__(self, bus: EventBus, camera_ids: Iterable[str], copied: Iterable[str] = ()) -> None:
        self.now = dict.fromkeys(camera_ids, CHANGEABLE) | dict.fromkeys(copied, COPIED)
        self.orders: list[tuple[str, int | None, float | None, str]] = []
        self.restarts: list[tuple[str, str]] = []
        self.hold = False
        self.left = 0
        """How many of those who asked went away before the end."""
        self._bus = bus
        self._trials: dict[str, asyncio.Future[None]] = {}

    def quality(self, camera_id: str) -> QualityStatus:
        if camera_id not in self.now:
            raise unknown_camera(camera_id, self.now)
        return self.now[camera_id]

    async def set_quality(
        self, camera_id: str, *, height: int | None = None, fps: float | None = None, by: str
    ) -> QualityStatus:
        before = self.quality(camera_id)
        self.orders.append((camera_id, height, fps, by))
        if not before.changeable:
            raise LivecamError(ErrorKind.CONFLICT, f"the stream of {camera_id} is copied", "ask the camera itself")
        if camera_id in self._trials:
            raise LivecamError(ErrorKind.CONFLICT, "a change of the quality is under way", "wait for its end")
        if height is not None and height not in before.heights:
            raise LivecamError(ErrorKind.INVALID, f"there is no height of {height} lines", "one of 480, 720, 1080")
        if self.hold:
            self._become(camera_id, replace(before, height=height or before.height, changing=True))
            trial = self._trials[camera_id] = asyncio.get_running_loop().create_future()
            try:
                await asyncio.shield(trial)
            except asyncio.CancelledError:
                self.left += 1
                raise
        self._become(camera_id, replace(before, height=height or before.height, fps=fps or before.fps))
        return self.now[camera_id]

    def finish(self, camera_id: str, error: LivecamError | None = None) -> None:
        """Ends the change that is under way; with `error`, the old quality is being tried, as in the real one."""
        trial = self._trials.pop(camera_id)
        if error is None:
            trial.set_result(None)
        else:
            trial.set_exception(error)
            self._become(camera_id, replace(CHANGEABLE, changing=True))

    def settle(self, camera_id: str) -> None:
        """The old quality is back."""
        self._become(camera_id, CHANGEABLE)

    def is_changing(self, camera_id: str) -> bool:
        return camera_id in self._trials

    def restart(self, camera_id: str, by: str) -> None:
        self.quality(camera_id)
        self.restarts.append((camera_id, by))

    def _become(self, camera_id: str, status: QualityStatus) -> None:
        self.now[camera_id] = status
        self._bus.publish(QualityChanged(camera_id, status))
