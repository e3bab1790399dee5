"""Where a camera's ONVIF is, and what cameras wrongly say about that."""

import pytest

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.address import at_own_host, parse_address, stream_address, with_credentials
from livecam_nvr.onvif.text import tidy

HOME = parse_address("http://user:word@192.168.1.20:8080/onvif/device_service")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("192.168.1.20", "http://192.168.1.20/onvif/device_service"),
        ("camera.lan:8080", "http://camera.lan:8080/onvif/device_service"),
        ("http://camera", "http://camera/onvif/device_service"),
        ("https://camera/", "https://camera/onvif/device_service"),
        ("http://camera/other?a=1", "http://camera/other?a=1"),
        ("http://[fd00::5]:80/x", "http://[fd00::5]:80/x"),
        ("http://u:p@CAMERA/x", "http://camera/x"),
    ],
)
def test_addresses_as_people_write_them(text: str, url: str) -> None:
    assert parse_address(text).url == url


def test_credentials_are_decoded_and_hidden() -> None:
    address = parse_address("http://a%20d:p%40%2F%3A%22%C3%9F%25@camera")
    assert (address.user, address.password) == ("a d", 'p@/:"ß%')
    assert address.password not in repr(address)
    assert "p%40" not in address.url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rtsp://u:hunter2@camera/x",
        "http://",
        "http://u:hunter2@",
        "http://u:hunter2@camera:0/x",
        "http://u:hunter2@camera:99999/x",
        "http://u:hunter2@[::1/x",
        "http://u:hunter2@camera/\nx y",
        "http://u:hunter2/@camera/x",
        "http://u:hunter2\x00@camera",
        "http://u%3Av:hunter2@camera",
        "http://u:hunter2%0A@camera",
        "http://cam era",
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(LivecamError) as caught:
        parse_address(text)
    assert caught.value.kind is ErrorKind.INVALID
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ("http://192.168.1.20:8080/onvif/ptz", "http://192.168.1.20:8080/onvif/ptz"),
        ("http://192.168.1.20/onvif/ptz", "http://192.168.1.20/onvif/ptz"),
        ("http://192.168.1.20:8899/onvif/ptz?a=1", "http://192.168.1.20:8899/onvif/ptz?a=1"),
        # Behind a router; of yesterday; somebody else's.
        ("http://10.0.0.5/onvif/ptz", "http://192.168.1.20:8080/onvif/ptz"),
        ("https://example.org/steal", "http://192.168.1.20:8080/steal"),
        ("http://127.0.0.1:8001/api", "http://192.168.1.20:8080/api"),
        ("http://u:p@192.168.1.20:8080/x", "http://192.168.1.20:8080/x"),
        ("http://192.168.1.20:8106:8106/onvif/x", "http://192.168.1.20:8080/onvif/x"),
        ("http://192.168.1.20", "http://192.168.1.20/"),
        ("ftp://192.168.1.20/x", None),
        ("", None),
        ("nonsense", None),
        ("http://[::1/x", None),
        ("http://192.168.1.20/a b", None),
    ],
)
def test_a_camera_names_no_other_host(told: str, used: str | None) -> None:
    assert at_own_host(told, HOME) == used


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ("rtsp://192.168.1.20:554/live", "rtsp://192.168.1.20:554/live"),
        ("rtsp://admin:secret@192.168.1.20/live?x=1#f", "rtsp://192.168.1.20/live?x=1"),
        ("rtsp://0.0.0.0:554/live", "rtsp://192.168.1.20:554/live"),
        ("rtsp://127.0.0.1/live", "rtsp://192.168.1.20/live"),
        ("rtsp://169.254.3.4/live", "rtsp://192.168.1.20/live"),
        ("rtsp://10.0.0.5/live", "rtsp://10.0.0.5/live"),
        ("rtsps://[fd00::9]:322/a", "rtsps://[fd00::9]:322/a"),
        ("http://192.168.1.20/live", None),
        ("rtsp:///live", None),
        ("rtsp://x:99999/live", None),
        ('rtsp://x/"\nurl: y', None),
        ("", None),
    ],
)
def test_stream_addresses(told: str, used: str | None) -> None:
    assert stream_address(told, HOME) == used


def test_credentials_are_put_in() -> None:
    assert with_credentials("rtsp://h:554/a", "u:PASSWORD") == "rtsp://u:PASSWORD@h:554/a"
    assert with_credentials("rtsp://h:554/a", "") == "rtsp://h:554/a"


def test_what_strangers_send_is_made_tame() -> None:
    assert tidy("a\x1b[31m\nb\u202ec\t ") == "a [31m b c"
    assert tidy(None) == ""
    assert tidy("x" * 500) == "x" * 99 + "…"
    assert "secret" not in tidy("see rtsp://u:secret@h/x")
