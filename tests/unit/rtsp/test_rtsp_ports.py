"""Addresses, and which ports are taken."""

import socket

import pytest
from support.ports import free_port as some_port

from livecam_nvr.config.models import Config, ListenConfig, TlsConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.rtsp import ports
from livecam_nvr.rtsp.binary import fits


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("localhost", "localhost"),
    ],
)
def test_how_we_reach_ourselves(address: str, host: str) -> None:
    assert ports.local_host(address) == host


def test_ipv6_stands_in_brackets() -> None:
    assert ports.authority("::1", 8554) == "[::1]:8554"
    assert ports.authority("127.0.0.1", 8554) == "127.0.0.1:8554"


def test_all_taken_ports_are_named_at_once() -> None:
    listen = ListenConfig(
        rtsp_port=some_port(), webrtc_port=some_port(), webrtc_udp_port=some_port(), hls_port=some_port()
    )
    with (
        socket.create_server(("127.0.0.1", listen.hls_port)),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(("127.0.0.1", listen.webrtc_udp_port))
        with pytest.raises(LivecamError) as caught:
            ports.require_free(ports.mediamtx_ports(Config(listen=listen)))
    assert caught.value.kind is ErrorKind.CONFLICT
    assert str(listen.hls_port) in caught.value.message
    assert str(listen.webrtc_udp_port) in caught.value.message
    assert str(listen.rtsp_port) not in caught.value.message
    assert "listen.hls_port" in caught.value.hint
    ports.require_free(ports.mediamtx_ports(Config(listen=listen)))


def test_an_address_of_another_machine_is_refused() -> None:
    listen = ListenConfig(address="192.0.2.7")
    with pytest.raises(LivecamError, match=r"192\.0\.2\.7"):
        ports.require_free(ports.rtsp_ports(Config(listen=listen)))


def test_rtp_ports_follow_the_rtsp_port_unless_they_are_taken() -> None:
    listen = ListenConfig(rtsp_port=some_port())
    first = ports.free_rtp_pair(listen.address, listen.rtsp_port, ())
    assert first % 2 == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", first + 1))
        second = ports.free_rtp_pair(listen.address, listen.rtsp_port, ())
    assert second % 2 == 0
    assert second not in {first, first + 1}
    third = ports.free_rtp_pair(listen.address, listen.rtsp_port, {first})
    assert third not in {first, first + 1}


def test_rtsps_needs_a_port_only_with_a_certificate() -> None:
    assert [want.key for want in ports.rtsp_ports(Config())] == ["rtsp_port"]
    tls = TlsConfig(certificate="/c", private_key="/k", only=True)
    listen = ListenConfig(address="192.0.2.7")
    wanted = {want.key: want.address for want in ports.mediamtx_ports(Config(listen=listen, tls=tls))}
    assert wanted["rtsp_port"] == "127.0.0.1"
    assert {where for key, where in wanted.items() if key != "rtsp_port"} == {"192.0.2.7"}
    assert "rtsps_port" in wanted


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("v1.20.1", True),
        ("v1.20.0", True),
        ("v1.20.17", True),
        ("1.20.1", True),
        ("v1.20.1-4-gabcdef", True),
        ("v1.2.01", False),
        ("v1.21.0", False),
        ("v1.19.9", False),
        ("v2.20.1", False),
        ("v0.0.0", False),
        ("", False),
        ("mediamtx", False),
    ],
)
def test_versions_that_fit(version: str, good: bool) -> None:
    assert fits(version) is good
