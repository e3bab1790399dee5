"""The generated MediaMTX config: what is open, who may do what."""

import json
from pathlib import Path
from typing import Any

import pytest

from livecam_nvr.config import models
from livecam_nvr.config.models import Config, ListenConfig, TlsConfig
from livecam_nvr.rtsp.settings import Own, mediamtx_settings

OWN = Own(
    api_port=20997, rtp_port=20100, srtp_port=20200, doorkeeper="http://media-server:secret@127.0.0.1:21000/"
)


def settings(address: str = "127.0.0.1", *, tls: TlsConfig | None = None, **listen: Any) -> dict[str, Any]:
    cameras: list[Any] = [models.TestCamera(id="cam0", kind="test")]
    where = ListenConfig(address=address, **listen)
    return dict(json.loads(mediamtx_settings(Config(cameras=cameras, listen=where, tls=tls or TlsConfig()), OWN)))


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


def test_the_doorkeeper_is_asked_about_everything() -> None:
    made = settings()
    assert made["authMethod"] == "http"
    assert made["authHTTPAddress"] == OWN.doorkeeper
    # By default the control API is left out.
    assert made["authHTTPExclude"] == []
    assert made["rtspAuthMethods"] == ["basic"]
    assert "authInternalUsers" not in made


def test_no_path_tells_by_its_absence_and_no_publisher_displaces_another() -> None:
    made = settings()
    assert made["paths"] == {"all_others": {}}
    assert made["pathDefaults"] == {"source": "publisher", "overridePublisher": False}


def test_without_a_certificate_nothing_is_encrypted() -> None:
    made = settings()
    assert (made["rtspEncryption"], made["hlsEncryption"], made["webrtcEncryption"]) == ("no", False, False)


def test_with_a_certificate_rtsps_comes_beside_rtsp_and_the_others_are_encrypted() -> None:
    made = settings("0.0.0.0", tls=TlsConfig(certificate="tls/nvr.pem", private_key="/etc/nvr.key"))
    assert (made["rtspEncryption"], made["hlsEncryption"], made["webrtcEncryption"]) == ("optional", True, True)
    assert made["rtspAddress"] == "0.0.0.0:8554"
    assert made["rtspsAddress"] == "0.0.0.0:8322"
    assert (made["srtpAddress"], made["srtcpAddress"]) == ("0.0.0.0:20200", "0.0.0.0:20201")
    for server in ("rtsp", "hls", "webrtc"):
        # It runs in another folder.
        assert made[f"{server}ServerCert"] == str(Path("tls/nvr.pem").absolute())
        assert made[f"{server}ServerKey"] == "/etc/nvr.key"
    assert made["webrtcAllowOrigins"] == ["https://*:8001"]


@pytest.mark.parametrize(
    ("address", "plain"), [("0.0.0.0", "127.0.0.1"), ("192.0.2.7", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")]
)
def test_only_tls_leaves_plain_rtsp_on_loopback(address: str, plain: str) -> None:
    made = settings(address, tls=TlsConfig(certificate="/c", private_key="/k", only=True))
    assert [made[f"{name}Address"].rpartition(":")[0] for name in ("rtsp", "rtp", "rtcp")] == [plain] * 3
    host = f"[{address}]" if ":" in address else address
    assert [made[f"{n}Address"].rpartition(":")[0] for n in ("rtsps", "srtp", "hls", "webrtc")] == [host] * 4


def test_only_trusted_proxies_tell_who_somebody_is() -> None:
    assert settings()["hlsTrustedProxies"] == settings()["webrtcTrustedProxies"] == []
    made = settings(trusted_proxies=("192.0.2.0/24",))
    assert made["hlsTrustedProxies"] == made["webrtcTrustedProxies"] == ["192.0.2.0/24"]


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


def test_the_secret_does_not_show_up_in_a_log_line() -> None:
    assert "secret" not in repr(OWN)
