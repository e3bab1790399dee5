"""One camera's quality at run time: what is asked for, and back to what it was if that fails."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from livecam_nvr.config.models import Camera, EncodedCamera
from livecam_nvr.core.ports import QualityMemory
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.quality import HEIGHTS, Quality, QualityStatus, size_for

_log = logging.getLogger(__name__)

AnyEncoded = TypeVar("AnyEncoded", bound=EncodedCamera)

_MOST_FPS = 60.0
_UNFIT = {ErrorKind.CONFIG, ErrorKind.MEDIA, ErrorKind.INVALID}  # the camera is there, and cannot do that
TRIAL_S = 8.0
"""A new quality without a first frame for so long has failed."""


def with_quality(camera: AnyEncoded, quality: Quality | None) -> AnyEncoded:
    """The camera as if its config asked for `quality`."""
    if quality is None:
        return camera
    width, height = size_for(quality.height, (camera.width, camera.height))
    return camera.model_copy(update={"size": f"{width}x{height}", "fps": quality.fps})


class QualityDesk:
    """Takes a change, has it tried, and takes it back if it fails. At most one change is under way.

    Args:
        camera: As configured.
        asked: What was remembered; None: as configured.
        memory: Where a change that worked is remembered.
        on_change: Called with the new status whenever it changed.
    """

    def __init__(
        self,
        camera: Camera,
        asked: Quality | None,
        memory: QualityMemory | None,
        on_change: Callable[[QualityStatus], None] = lambda _status: None,
    ) -> None:
        self._id = camera.id
        self._memory = memory
        self._on_change = on_change
        self._previous: Quality | None = None
        self._trial: asyncio.Future[None] | None = None
        self._status = QualityStatus(changeable=False)
        self._configured: Quality | None = None
        self._unproved = asked is not None
        """True while what was remembered from an earlier start has not shown a frame in this one."""
        if isinstance(camera, EncodedCamera):
            self._configured = Quality(camera.height, camera.fps)
            now = asked or self._configured
            self._status = QualityStatus(
                changeable=True,
                height=now.height,
                fps=now.fps,
                heights=tuple(sorted({*HEIGHTS, camera.height})),
                most_fps=max(_MOST_FPS, camera.fps),
            )

    @property
    def status(self) -> QualityStatus:
        """See domain.quality."""
        return self._status

    @property
    def asked(self) -> Quality | None:
        """What the next run is to have; None where it cannot be changed."""
        return Quality(self._status.height, self._status.fps) if self._status.changeable else None

    @property
    def on_trial(self) -> bool:
        """True while a new quality has not shown a frame yet."""
        return self._trial is not None and self._previous is not None

    def propose(self, height: int | None, fps: float | None) -> asyncio.Future[None] | None:
        """Begins a change; the returned future ends with its first frame, or raises why it failed.

        None if that is what it has anyway.

        Raises:
            LivecamError: INVALID or CONFLICT, see core.ports.CameraControl.
        """
        self.refuse_if_fixed_or_busy()
        status = self._status
        new = Quality(height or status.height, fps or status.fps)
        if new.height not in status.heights:
            known = ", ".join(str(known) for known in status.heights)
            raise LivecamError(ErrorKind.INVALID, f"there is no height of {new.height} lines", f"one of {known}")
        if not 1 <= new.fps <= status.most_fps:
            raise LivecamError(
                ErrorKind.INVALID,
                f"{new.fps:g} frames a second cannot be had",
                f"from 1 to {status.most_fps:g}",
            )
        if new == self.asked:
            return None
        self._previous = self.asked
        self._trial = asyncio.get_running_loop().create_future()
        # Whoever asked may have gone; nobody else looks at how it ended.
        self._trial.add_done_callback(lambda trial: trial.cancelled() or trial.exception())
        self._set(new, changing=True)
        return self._trial

    def refuse_if_fixed_or_busy(self) -> None:
        """Raises LivecamError CONFLICT where the quality cannot be changed, or is being changed."""
        if not self._status.changeable:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"the stream of {self._id} is copied as the camera sends it",
                "set size and frame rate in the camera itself",
            )
        if self._trial is not None:
            raise LivecamError(ErrorKind.CONFLICT, "a change of the quality is under way", "wait for its end")

    def proved(self, interruption_s: float | None) -> None:
        """A run showed its first frame."""
        self._unproved = False
        trial, self._trial = self._trial, None
        if trial is None:
            return
        if self._previous is not None and not trial.done():
            trial.set_result(None)
            asked = self.asked
            if self._memory is not None:
                self._memory.save(self._id, None if asked == self._configured else asked)
        self._previous = None
        self._status = replace(self._status, interruption_s=interruption_s)
        self._set(self.asked, changing=False)

    def failed(self, error: LivecamError) -> bool:
        """A run failed before its first frame. True if that was a new quality: the old one is to be tried now."""
        trial, previous = self._trial, self._previous
        if trial is None:
            return self._forgets(error)
        if previous is None:  # not even the old one works any more
            self._trial = None
            self._set(self.asked, changing=False)
            return False
        new = self.asked
        self._previous = None
        if new is not None and not trial.done():
            message = f"{new.label} at {new.fps:g} frames a second failed: {error.message}"
            hint = f"it is set back to {previous.label} at {previous.fps:g}"
            _log.warning("%s: %s; %s", self._id, message, hint)
            trial.set_exception(LivecamError(ErrorKind.UNAVAILABLE, message, hint))
        self._set(previous, changing=True)
        return True

    def stop(self) -> None:
        """The camera is stopped: whoever waits for a change is told so. Idempotent."""
        if self._trial is not None and not self._trial.done():
            stopping = LivecamError(ErrorKind.UNAVAILABLE, f"{self._id} is being stopped", "ask again afterwards")
            self._trial.set_exception(stopping)

    def _forgets(self, error: LivecamError) -> bool:
        """True if what was remembered is given up for what is configured, as for a camera that was replaced."""
        configured = self._configured
        if not self._unproved or error.kind not in _UNFIT or configured is None or configured == self.asked:
            return False
        self._unproved = False
        _log.warning("%s: the quality chosen earlier failed: %s; the config's is used", self._id, error.message)
        if self._memory is not None:
            self._memory.save(self._id, None)
        self._set(configured, changing=False)
        return True

    def _set(self, quality: Quality | None, *, changing: bool) -> None:
        if quality is not None:
            self._status = replace(self._status, height=quality.height, fps=quality.fps, changing=changing)
        self._on_change(self._status)
