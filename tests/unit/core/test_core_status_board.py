from fakes.runtime_clock import NOON_UTC_NS, FakeClock

from livecam_nvr.core.health import Identity, Sources, StatusBoard
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.status import (
    BreakIn,
    BrokerStatus,
    CameraState,
    CameraStatus,
    DiskStatus,
    MediaServerStatus,
    RecordingStatus,
    ServerState,
    StreamAddresses,
)


class View:
    """See livecam_nvr.core.ports.CameraView."""

    def __init__(self, camera_id: str, state: CameraState) -> None:
        self.said = CameraStatus(camera_id, camera_id.upper(), "test", state, frames=7)

    def camera_status(self) -> CameraStatus:
        return self.said


class Control:
    """See livecam_nvr.core.ports.RecordingControl."""

    def set_recording(self, camera_id: str, on: bool, by: str) -> RecordingStatus:
        raise NotImplementedError

    def recording(self, camera_id: str) -> RecordingStatus:
        return RecordingStatus(wanted=True, active=camera_id == "cam0")


class Server:
    """See livecam_nvr.core.ports.MediaServer."""

    async def start(self, ready_within_s: float) -> bool:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    def publish_target(self, camera_id: str) -> PublishTarget:
        raise NotImplementedError

    def stream_started(self, camera_id: str, codec: str) -> None:
        raise NotImplementedError

    def addresses(self, camera_id: str) -> StreamAddresses:
        return StreamAddresses(f"rtsp://{{host}}:8554/{camera_id}")

    def status(self) -> MediaServerStatus:
        return MediaServerStatus("gstreamer", ServerState.READY)


def test_it_gathers_what_all_parts_say_now() -> None:
    clock = FakeClock()
    disks = [DiskStatus("/a"), DiskStatus("/b")]
    views = [View("cam0", CameraState.LIVE), View("cam1", CameraState.OFFLINE)]
    sources = Sources(views, Control(), Server(), lambda: BrokerStatus(False), lambda: disks[0])
    board = StatusBoard(Identity("home", "1.2", "http://{host}:8001"), sources, clock)
    clock.advance(90.04)
    status = board.status()
    assert (status.name, status.version, status.page_url) == ("home", "1.2", "http://{host}:8001")
    assert status.started_utc_ns == NOON_UTC_NS
    assert status.uptime_s == 90.0
    assert [(c.id, c.state, c.frames) for c in status.cameras] == [
        ("cam0", CameraState.LIVE, 7),
        ("cam1", CameraState.OFFLINE, 7),
    ]
    assert [c.recording.active for c in status.cameras] == [True, False]
    assert status.cameras[1].addresses == StreamAddresses("rtsp://{host}:8554/cam1")
    assert status.media_server.state is ServerState.READY
    assert status.disk is disks[0]
    views[0].said = CameraStatus("cam0", "CAM0", "test", CameraState.ERROR)
    disks.pop(0)
    later = board.status()
    assert later.cameras[0].state is CameraState.ERROR
    assert later.disk == DiskStatus("/b")


def test_uptime_is_not_moved_by_setting_the_clock() -> None:
    clock = FakeClock()
    sources = Sources([], Control(), Server(), lambda: BrokerStatus(False), lambda: DiskStatus("/"))
    board = StatusBoard(Identity("home", "1"), sources, clock)
    clock.step(86_400)
    clock.advance(1)
    assert board.status().uptime_s == 1.0


class Porch:
    """See livecam_nvr.core.health.Happenings."""

    def __init__(self) -> None:
        self.event = Event("1", "cam0", "motion", "http", NOON_UTC_NS, None)

    def lasting(self, camera_id: str) -> tuple[str, ...]:
        return ("motion", "person") if camera_id == "cam0" else ()

    def newest(self, camera_id: str) -> Event | None:
        return self.event if camera_id == "cam0" else None


def test_it_says_which_installation_it_is_and_what_happens() -> None:
    views = [View("cam0", CameraState.LIVE), View("cam1", CameraState.LIVE)]
    porch, attempt = Porch(), BreakIn(NOON_UTC_NS, "anna", "192.0.2.1", 10, "http")
    on_disk = [""]
    sources = Sources(
        views,
        Control(),
        Server(),
        lambda: BrokerStatus(False),
        lambda: DiskStatus("/a"),
        happenings=porch,
        break_in=lambda: attempt,
        installed_version=lambda: on_disk[0],
    )
    board = StatusBoard(Identity("home", "1.2", "", "livecam", 32 * "a"), sources, FakeClock())
    status = board.status()
    assert (status.node_id, status.install_id, status.installed_version) == ("livecam", 32 * "a", "1.2")
    assert [camera.lasting for camera in status.cameras] == [("motion", "person"), ()]
    assert [camera.last_event for camera in status.cameras] == [porch.event, None]
    assert status.break_in is attempt
    on_disk[0] = "1.3"
    board.rename("cottage")
    status = board.status()
    assert (status.name, status.version, status.installed_version) == ("cottage", "1.2", "1.3")
