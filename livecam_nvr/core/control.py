"""The recording switches of all cameras, remembered over restarts (core.ports.RecordingControl)."""

import logging
from collections.abc import Mapping

from livecam_nvr.core.ports import SwitchMemory
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.errors import unknown_camera
from livecam_nvr.domain.status import RecordingStatus

_log = logging.getLogger(__name__)


class RecordingSwitches:
    """Turns recorders on and off for whoever asks."""

    def __init__(self, recorders: Mapping[str, Recorder], memory: SwitchMemory) -> None:
        self._recorders = recorders
        self._memory = memory

    def set_recording(self, camera_id: str, on: bool, by: str) -> RecordingStatus:
        """See core.ports.RecordingControl."""
        recorder = self._recorder(camera_id)
        if recorder.status().wanted is not on:
            _log.info("%s: recording switched %s by %s", camera_id, "on" if on else "off", by)
            recorder.switch(on)
            self._memory.save({key: value.status().wanted for key, value in self._recorders.items()})
        return recorder.status()

    def recording(self, camera_id: str) -> RecordingStatus:
        """See core.ports.RecordingControl."""
        return self._recorder(camera_id).status()

    def _recorder(self, camera_id: str) -> Recorder:
        try:
            return self._recorders[camera_id]
        except KeyError:
            raise unknown_camera(camera_id, self._recorders) from None
