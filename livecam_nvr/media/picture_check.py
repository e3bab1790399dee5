"""Looks at a camera's keyframes now and then: is the picture black, or frozen?"""

import asyncio
import logging

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.media.decode import decode, newest_keyframe
from livecam_nvr.media.health import CameraHealth
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

EVERY_S = 10.0
# Small enough to cost nothing to compare, large enough that a person in the distance changes it.
_WIDTH, _HEIGHT = 160, 90
_GRAY = ["-vf", f"scale={_WIDTH}:{_HEIGHT}:flags=area", "-pix_fmt", "gray", "-f", "rawvideo"]
_BLACK_LEVEL = 32  # of 255; video black is 16
_BLACK_SPREAD = 12
_FROZEN_AFTER_S = 60.0


def is_black(gray: bytes) -> bool:
    """True for a picture, one byte a pixel, that is dark and has nothing in it."""
    # The brightest hundredth is left out: a camera's own clock may be burnt into a black picture.
    ordered = sorted(gray)
    brightest, darkest = ordered[len(ordered) * 99 // 100], ordered[len(ordered) // 100]
    return brightest < _BLACK_LEVEL and brightest - darkest < _BLACK_SPREAD


class PictureCheck:
    """Tells `health` what it sees; a decode of one keyframe every ten seconds. `start` and `stop` it."""

    def __init__(self, hub: MemoryHub, health: CameraHealth, clock: Clock, every_s: float = EVERY_S) -> None:
        self._hub = hub
        self._health = health
        self._clock = clock
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None
        self._seen = b""
        self._number = -1
        self._since_s = 0.0

    def start(self) -> None:
        """Begins; returns at once."""
        self._task = asyncio.create_task(self._look_for_ever(), name=f"picture check of {self._hub.camera_id}")

    async def stop(self) -> None:
        """Ends it; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._look()
            except LivecamError as error:
                # A camera that is away or sends garbage is told of elsewhere.
                _log.debug("%s: no picture to check: %s", self._hub.camera_id, error.message)
            except OSError as error:  # of the machine: no file descriptor, process or memory left for the decoder
                _log.debug("%s: a picture could not be checked: %s", self._hub.camera_id, error)

    async def _look(self) -> None:
        keyframe = newest_keyframe(self._hub)
        if keyframe.number == self._number:
            return
        self._number = keyframe.number
        gray = await decode(keyframe, _GRAY)
        now = self._clock.monotonic()
        if gray != self._seen:
            self._seen, self._since_s = gray, now
        still_s = now - self._since_s
        self._health.picture(black=is_black(gray), frozen_s=still_s if still_s >= _FROZEN_AFTER_S else 0.0)
