"""Whose name a Host can be, and whose page an Origin is."""

import pytest

from livecam_nvr.web.hosts import host_name, is_ours, is_same_origin


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8001", "localhost"),
        ("192.168.1.5", "192.168.1.5"),
        ("[::1]:8001", "[::1]"),
        ("[fe80::1]", "[fe80::1]"),
        ("NVR.Local:80", "nvr.local"),
        ("", None),
        ("a b", None),
        ("nvr:port", None),
        ("nvr:8001:1", None),
        ("::1", None),
        ("nvr/../x", None),
        ('nvr"><script>', None),
        ("nvr;ws://evil.example", None),
        ("nvr\n", None),
    ],
)
def test_host_name(header: str, name: str | None) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("192.168.1.5", True),
        ("[::1]", True),
        ("nvr", True),
        ("nvr.", True),
        ("nvr.local", True),
        ("nvr.home.arpa", True),
        ("pi.example.org", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("nvr.local.evil.example", False),
        ("evil.com.", False),
        ("notlocal", True),
        ("xlan.com", False),
    ],
)
def test_is_ours(name: str, ours: bool) -> None:
    assert is_ours(name, "Pi.example.org") is ours


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "same"),
    [
        (None, "http", "nvr:8001", True),
        ("http://nvr:8001", "http", "nvr:8001", True),
        ("https://NVR:8001", "https", "nvr:8001", True),
        ("https://nvr:8001", "http", "nvr:8001", False),
        ("http://nvr:8001", "https", "nvr:8001", False),
        ("https://nvr", "https", "nvr:443", True),
        ("http://nvr", "http", "nvr:80", True),
        ("https://nvr", "https", "nvr:80", False),
        ("http://[fe80::1]:8001", "http", "[FE80::1]:8001", True),
        ("http://nvr", "http", "nvr:8001", False),
        ("http://nvr:80010", "http", "nvr:8001", False),
        ("http://evil.example", "http", "nvr:8001", False),
        ("http://nvr:8001.evil.example", "http", "nvr:8001", False),
        ("http://evil@nvr:8001", "http", "nvr:8001", False),
        ("null", "http", "nvr:8001", False),
        ("", "http", "nvr:8001", False),
        ("", "http", "", False),
        ("http://", "http", "", False),
        ("file://", "http", "nvr:8001", False),
        ("ftp://nvr:8001", "http", "nvr:8001", False),
        ("http://[", "http", "nvr:8001", False),
    ],
)
def test_is_same_origin(origin: str | None, scheme: str, host: str, same: bool) -> None:
    assert is_same_origin(origin, scheme, host) is same
