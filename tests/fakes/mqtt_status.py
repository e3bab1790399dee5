"""A status that a test sets (core.ports.StatusSource)."""

from dataclasses import replace

from fakes.core_control import FakeControl
from fakes.mqtt_power import FakePower
from fakes.mqtt_recording import FakeRecording

from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraState,
    CameraStatus,
    DiskStatus,
    MediaServerStatus,
    RetentionStatus,
    ServerState,
    ServiceStatus,
)


class FakeStatus:
    """Two figures and a state per camera; recording and quality come from those who do it."""

    def __init__(self, recording: FakeRecording, control: FakeControl, power: FakePower) -> None:
        self.cameras = {
            camera_id: CameraStatus(
                camera_id, camera_id.upper(), "test", CameraState.LIVE, fps=29.97, bitrate_bps=2_014_000
            )
            for camera_id in recording.now
        }
        self.disk = DiskStatus("recordings", 64_000_000_000, 12_340_000_000)
        self.retention = RetentionStatus()
        self._recording = recording
        self._control = control
        self._power = power

    def status(self) -> ServiceStatus:
        cameras = tuple(
            replace(
                camera,
                recording=self._recording.recording(camera.id),
                quality=self._control.quality(camera.id),
                enabled=self._power.on[camera.id],
            )
            for camera in self.cameras.values()
        )
        server = MediaServerStatus("none", ServerState.READY)
        broker = BrokerStatus(configured=True)
        return ServiceStatus("Home", "1.2.3", 0, 1.0, cameras, server, broker, self.disk, retention=self.retention)
