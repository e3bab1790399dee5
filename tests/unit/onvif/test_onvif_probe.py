"""WS-Discovery's messages."""

from xml.etree import ElementTree as ET

import pytest
from support.onvif_camera import PROBE_TYPE, probe_match

from livecam_nvr.onvif.probe import TYPES, probe_message, read_matches


def test_a_probe_says_what_is_looked_for() -> None:
    for namespace, kind in TYPES:
        message = probe_message("urn:uuid:7", namespace, kind)
        root = ET.fromstring(message)  # noqa: S314
        found = PROBE_TYPE.search(message)
        assert found is not None
        assert found[1].decode() == kind
        assert namespace in message.decode()
        assert root.findtext(".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID") == "urn:uuid:7"


def test_an_answer_is_read() -> None:
    answer = probe_match(
        "http://169.254.1.1/onvif/device_service http://[fd00::1]/onvif/device_service"
        " http://192.168.1.20:8080/onvif/device_service",
        name="Caf%C3%A9_south",
        endpoint="urn:uuid:ABC",
    )
    [camera] = read_matches(answer.encode(), "192.168.1.20")
    assert camera.name == "Café south"
    assert camera.hardware == "Eye 3"
    assert camera.location == "china, hangzhou"
    assert camera.endpoint == "urn:uuid:abc"
    assert camera.host == "192.168.1.20"
    assert camera.addresses == (
        "http://192.168.1.20/onvif/device_service",
        "http://192.168.1.20:8080/onvif/device_service",
        "http://[fd00::1]/onvif/device_service",
    )


def test_an_answer_that_steers_terminals_is_tame() -> None:
    [camera] = read_matches(probe_match("http://10.0.0.1/x", name="a%1B%5B2Jb%0Ac").encode(), "10.0.0.1")
    assert camera.name == "a [2Jb c"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe\x00",
        b"<html>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"<a/>",
        probe_match("").encode(),
        probe_match("ftp://10.0.0.1/x rtsp://10.0.0.1/y nonsense http:// http://[::1").encode(),
        probe_match("http://10.0.0.1/printer", scopes="ldap:///x", types="print:Printer").encode(),
    ],
)
def test_what_is_no_camera_is_passed_over(answer: bytes) -> None:
    assert read_matches(answer, "10.0.0.1") == []


def test_entities_do_not_grow() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "x">{entities}]><a>&e11;</a>'
    assert read_matches(bomb.encode(), "10.0.0.1") == []


def test_a_camera_without_scopes_counts_by_its_type() -> None:
    [camera] = read_matches(probe_match("http://10.0.0.1/x", scopes="").encode(), "10.0.0.1")
    assert camera.name == ""
