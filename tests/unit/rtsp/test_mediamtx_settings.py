"""The generated MediaMTX config: what is open, who may do what."""

import json
from typing import Any

import pytest

from livecam_nvr.config import models
from livecam_nvr.config.models import Config, ListenConfig
from livecam_nvr.rtsp.settings import Own, mediamtx_settings, path_key

OWN = Own(api_port=20997, rtp_port=20100, publisher_password="publish-secret", control_password="control-secret")


def settings(address: str = "127.0.0.1", *ids: str) -> dict[str, Any]:
    cameras: list[Any] = [models.TestCamera(id=camera, kind="test") for camera in ids or ("cam0", "cam1")]
    cameras.append(models.TestCamera(id="resting", kind="test", enabled=False))
    text = mediamtx_settings(Config(cameras=cameras, listen=ListenConfig(address=address)), OWN)
    return dict(json.loads(text))


def test_what_we_do_not_use_is_off() -> None:
    made = settings()
    assert not any(made[name] for name in ("rtmp", "srt", "moq", "playback", "metrics", "pprof"))
    assert made["rtspTransports"] == ["udp", "tcp"]


def test_the_api_is_on_loopback_whatever_the_rest_listens_on() -> None:
    assert settings("0.0.0.0")["apiAddress"] == "127.0.0.1:20997"


@pytest.mark.parametrize(
    ("address", "rtsp"), [("127.0.0.1", "127.0.0.1:8554"), ("0.0.0.0", "0.0.0.0:8554"), ("::1", "[::1]:8554")]
)
def test_addresses(address: str, rtsp: str) -> None:
    made = settings(address)
    assert made["rtspAddress"] == rtsp
    host = rtsp.rpartition(":")[0]
    assert made["rtpAddress"] == f"{host}:20100"
    assert made["rtcpAddress"] == f"{host}:20101"
    assert made["webrtcAddress"] == f"{host}:8889"
    assert made["webrtcLocalUDPAddress"] == f"{host}:8189"
    assert made["hlsAddress"] == f"{host}:8888"


def test_only_the_enabled_cameras_are_paths() -> None:
    assert settings()["paths"] == {"cam0": {"source": "publisher"}, "cam1": {"source": "publisher"}}


def test_a_camera_called_all_is_not_every_path() -> None:
    assert set(settings("127.0.0.1", "all", "all_others", "hall")["paths"]) == {"~^all$", "~^all_others$", "hall"}
    assert path_key("cam0") == "cam0"


def test_users_may_do_what_they_must_and_no_more() -> None:
    users = {user["user"]: user for user in settings()["authInternalUsers"]}
    actions = {name: {p["action"] for p in user["permissions"]} for name, user in users.items()}
    assert actions == {"publisher": {"publish"}, "control": {"api"}, "any": {"read"}}
    assert {p["path"] for p in users["publisher"]["permissions"]} == {"cam0", "cam1"}
    assert {p["path"] for p in users["any"]["permissions"]} == {"cam0", "cam1"}
    assert users["publisher"]["ips"] == ["127.0.0.1", "::1"]
    assert users["control"]["ips"] == ["127.0.0.1", "::1"]
    assert users["publisher"]["pass"] == "publish-secret"


def test_where_the_server_has_its_own_address_we_publish_from_that_one() -> None:
    users = {user["user"]: user for user in settings("192.0.2.7")["authInternalUsers"]}
    assert "192.0.2.7" in users["publisher"]["ips"]
    assert users["control"]["ips"] == ["127.0.0.1", "::1"]


def test_ice_candidates_are_where_somebody_listens() -> None:
    assert settings("0.0.0.0")["webrtcIPsFromInterfaces"] is True
    made = settings("192.0.2.7")
    assert made["webrtcIPsFromInterfaces"] is False
    assert made["webrtcAdditionalHosts"] == ["192.0.2.7"]


def test_other_web_sites_cannot_fetch_the_streams() -> None:
    made = settings()
    # On loopback no name but its own: a page at http://example.com:8001 is another web site.
    ours = ["http://localhost:8001", "http://127.0.0.1:8001", "http://[::1]:8001"]
    assert made["hlsAllowOrigins"] == made["webrtcAllowOrigins"] == ours
    assert made["apiAllowOrigins"] == []
    assert settings("127.0.0.7")["webrtcAllowOrigins"] == [*ours, "http://127.0.0.7:8001"]


def test_on_the_network_the_page_may_fetch_the_streams_under_any_name() -> None:
    made = settings("0.0.0.0")
    assert made["hlsAllowOrigins"] == made["webrtcAllowOrigins"] == ["http://*:8001"]
    assert made["apiAllowOrigins"] == []


def test_passwords_do_not_show_up_in_a_log_line() -> None:
    assert "secret" not in repr(OWN)
