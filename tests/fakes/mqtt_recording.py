"""Recording switches without recorders (core.ports.RecordingControl)."""

from collections.abc import Iterable
from dataclasses import replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import RecordingChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingMode, RecordingStatus


class FakeRecording:
    """Obeys at once, like the real one, and says so on the bus only if something changed."""

    def __init__(self, bus: EventBus, camera_ids: Iterable[str]) -> None:
        self.now = {camera_id: RecordingStatus(wanted=True, active=True) for camera_id in camera_ids}
        self.orders: list[tuple[str, bool, str]] = []
        self.modes: list[tuple[str, RecordingMode, str]] = []
        self._bus = bus

    def set_recording(self, camera_id: str, on: bool, by: str) -> RecordingStatus:
        before = self.recording(camera_id)
        self.orders.append((camera_id, on, by))
        if before.mode is RecordingMode.ALWAYS:
            raise LivecamError(ErrorKind.CONFLICT, f"{camera_id} is always recorded", "choose another mode")
        if before.wanted is not on:
            self.become(camera_id, replace(before, wanted=on, active=on))
        return self.now[camera_id]

    def set_mode(self, camera_id: str, mode: RecordingMode, by: str) -> RecordingStatus:
        before = self.recording(camera_id)
        self.modes.append((camera_id, mode, by))
        self.become(camera_id, replace(before, mode=mode))
        return self.now[camera_id]

    def recording(self, camera_id: str) -> RecordingStatus:
        if camera_id not in self.now:
            raise LivecamError(ErrorKind.NOT_FOUND, f"there is no camera {camera_id!r}", "there are others")
        return self.now[camera_id]

    def become(self, camera_id: str, status: RecordingStatus) -> None:
        """The recorder is now so, and says it."""
        self.now[camera_id] = status
        self._bus.publish(RecordingChanged(camera_id, status))
