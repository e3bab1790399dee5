from pathlib import Path

from livecam_nvr.cli.banner import banner
from livecam_nvr.config.load import parse_config
from livecam_nvr.config.models import Config
from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraState,
    CameraStatus,
    DiskStatus,
    Fault,
    MediaServerStatus,
    ServerState,
    ServiceStatus,
    StreamAddresses,
)


def config(text: str = "node: {}") -> Config:
    return parse_config(text, "config.yaml", Path("/srv"))


def status(**changes: object) -> ServiceStatus:
    values: dict[str, object] = {
        "name": "livecam-nvr",
        "version": "1.2.3",
        "started_utc_ns": 0,
        "uptime_s": 0.0,
        "cameras": (),
        "media_server": MediaServerStatus("mediamtx", ServerState.READY, "v9"),
        "broker": BrokerStatus(configured=False),
        "disk": DiskStatus("/srv/recordings"),
    }
    return ServiceStatus(**{**values, **changes})  # type: ignore[arg-type]


def test_the_whole_of_it_for_the_test_cameras() -> None:
    assert banner(config(), status()) == (
        "livecam-nvr 1.2.3 is running\n"
        "  page          http://127.0.0.1:8001/\n"
        "  cam0          rtsp://127.0.0.1:8554/cam0  Camera 0, a test picture\n"
        "  cam1          rtsp://127.0.0.1:8554/cam1  Camera 1, a test picture\n"
        "  recordings    /srv/recordings  (30 s a file)\n"
        "  broker        none; set mqtt.host in config.yaml for Home Assistant\n"
        "  media server  mediamtx v9\n"
        "Only this machine can watch (it listens on loopback). For the network, set listen.address\n"
        "in config.yaml to 0.0.0.0.\n"
        "Ctrl+C stops it."
    )


def test_nothing_known_yet() -> None:
    text = banner(config())
    assert "http://127.0.0.1:8001/" in text
    assert "rtsp://127.0.0.1:8554/cam1" in text


def test_on_the_network_it_shows_the_machine_s_name_and_warns() -> None:
    camera = CameraStatus(
        "cam0", "c", "test", CameraState.LIVE, addresses=StreamAddresses(rtsp="rtsp://{host}:8554/cam0")
    )
    text = banner(config("listen: {address: 0.0.0.0}"), status(cameras=(camera,)), host="attic")
    assert "http://attic:8001/" in text
    assert "rtsp://attic:8554/cam0" in text
    assert "Pictures and passwords cross the network unencrypted" in text
    assert "Only this machine" not in text


def test_ipv6_addresses_stand_in_brackets() -> None:
    assert "http://[fd00::1]:8001/" in banner(config("listen: {address: 'fd00::1'}"))


def test_the_broker_s_state() -> None:
    asked = config("mqtt: {host: broker, password: hunter2, username: me}")
    assert "broker:1883, connecting" in banner(asked)
    connected = BrokerStatus(configured=True, connected=True)
    assert "broker:1883, connected" in banner(asked, status(broker=connected))
    away = BrokerStatus(configured=True, fault=Fault("connection refused"))
    assert "not connected: connection refused; tried again" in banner(asked, status(broker=away))
    assert "hunter2" not in banner(asked, status(broker=away))


def test_what_is_missing_is_said() -> None:
    server = MediaServerStatus("gstreamer", ServerState.FATAL, fault=Fault("python3-gi is not installed"))
    disk = DiskStatus("/srv", problem=True, reason="only 3 MB are free")
    text = banner(config(), status(media_server=server, disk=disk))
    assert "gstreamer, fatal: python3-gi is not installed" in text
    assert "only 3 MB are free" in text


def test_no_password_and_no_camera_that_is_not_enabled() -> None:
    text = banner(
        config(
            "cameras:\n- {id: a, kind: rtsp, name: Front, url: 'rtsp://me:hunter2@x/'}\n"
            "- {id: b, kind: test, enabled: false}\n"
        )
    )
    assert "hunter2" not in text
    assert "rtsp://127.0.0.1:8554/a  Front" in text
    assert "/b" not in text


def test_a_version_that_names_the_server_is_enough() -> None:
    server = MediaServerStatus("gstreamer", ServerState.READY, "GStreamer 1.22.0")
    assert "  media server  GStreamer 1.22.0\n" in banner(config(), status(media_server=server))


def test_the_first_password_comes_first() -> None:
    text = banner(config("listen: {address: 0.0.0.0}"), status(), "attic", setup_code="K7QM-29XT")
    lines = text.splitlines()
    assert lines[2:6] == [
        "  NOBODY CAN WATCH YET: the first password has to be set. From this machine or your local network, open",
        "    http://attic:8001/setup#code=K7QM-29XT",
        "  or open the page and type the code K7QM-29XT",
        "  or run: livecam-nvr user add NAME",
    ]
    assert "NOBODY" not in banner(config(), status())


def test_a_demo_says_that_it_is_open() -> None:
    warning = "everybody who can reach this page may watch and switch"
    assert warning in banner(config("listen: {address: 0.0.0.0}"), status(), demo=True)
    assert warning not in banner(config("listen: {address: 0.0.0.0}"), status())


def test_with_a_certificate() -> None:
    asked = config("listen: {address: 0.0.0.0}\ntls: {certificate: c.pem, private_key: k.pem}")
    text = banner(asked, status(), "attic", setup_code="K7QM-29XT")
    assert "https://attic:8001/setup#code=" in text
    assert "page          https://attic:8001/\n" in text
    assert "rtsp://attic:8554/cam0" in text
    assert "unencrypted" not in text
    only = config("tls: {certificate: c.pem, private_key: k.pem, only: true}")
    assert "rtsps://127.0.0.1:8322/cam0" in banner(only, status())
