"""What can be changed about the cameras while they run (core.ports.CameraControl)."""

import logging
from collections.abc import Mapping

from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.media.pipeline import CameraPipeline

_log = logging.getLogger(__name__)


class CameraControls:
    """Hands orders to the cameras' pipelines; `pipelines` (by id) may change while the service runs."""

    def __init__(self, pipelines: Mapping[str, CameraPipeline]) -> None:
        self._pipelines = pipelines

    def quality(self, camera_id: str) -> QualityStatus:
        """See core.ports.CameraControl."""
        return self._pipeline(camera_id).quality

    async def set_quality(
        self, camera_id: str, *, height: int | None = None, fps: float | None = None, by: str
    ) -> QualityStatus:
        """See core.ports.CameraControl."""
        pipeline = self._running(camera_id)
        asked = " at ".join(
            word for word in (f"{height}p" if height else "", f"{fps:g} frames a second" if fps else "") if word
        )
        _log.info("%s: %s asked for by %s", camera_id, asked or "nothing", by)
        return await pipeline.set_quality(height, fps)

    def restart(self, camera_id: str, by: str) -> None:
        """See core.ports.CameraControl."""
        pipeline = self._running(camera_id)
        _log.info("%s: restarted by %s", camera_id, by)
        pipeline.restart()

    def _running(self, camera_id: str) -> CameraPipeline:
        pipeline = self._pipeline(camera_id)
        if pipeline.off:
            raise LivecamError(ErrorKind.CONFLICT, f"{camera_id} is switched off", "switch it on first")
        return pipeline

    def _pipeline(self, camera_id: str) -> CameraPipeline:
        try:
            return self._pipelines[camera_id]
        except KeyError:
            raise unknown_camera(camera_id, self._pipelines) from None
