"""Cameras that can be switched off, without cameras (core.settings.CameraSwitch)."""

import asyncio
from collections.abc import Iterable

from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera


class FakePower:
    """Switches when the test lets it (`hold`); two at a time are refused, as in the real one."""

    def __init__(self, camera_ids: Iterable[str]) -> None:
        self.on = dict.fromkeys(camera_ids, True)
        self.orders: list[tuple[str, bool, str]] = []
        self.refuses: LivecamError | None = None
        self.hold = False
        self._going_on = asyncio.Event()
        self._busy = False

    async def set_enabled(self, camera_id: str, on: bool, by: str) -> bool:
        if camera_id not in self.on:
            raise unknown_camera(camera_id, self.on)
        if self._busy:
            raise LivecamError(
                ErrorKind.CONFLICT, "another change of the settings is under way", "wait for its end"
            )
        self.orders.append((camera_id, on, by))
        if self.refuses is not None:
            raise self.refuses
        self._busy = True
        try:
            while self.hold:
                self._going_on.clear()
                await self._going_on.wait()
        finally:
            self._busy = False
        self.on[camera_id] = on
        return on

    def let_go(self) -> None:
        """What was held goes on."""
        self.hold = False
        self._going_on.set()
