"""What a request looked like before a reverse proxy handed it on, and who may say so."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from livecam_nvr.web.proxies import Proxies, Seen, parse_address

TRUSTED = ("172.30.32.0/23", "10.0.0.1", "fd00::/64")
PROXY = "172.30.32.2"
Headers = list[tuple[str, str]]


def look(headers: Headers, peer: str = PROXY, trusted: tuple[str, ...] = TRUSTED) -> Seen:
    given_headers = CIMultiDict([("Host", "nvr:8001"), *headers])
    request = make_mocked_request("GET", "/", given_headers).clone(remote=peer)
    return Proxies(trusted).look(request)


EVERYTHING: Headers = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "home.example"),
    ("X-Forwarded-Prefix", "/nvr"),
    ("X-Ingress-Path", "/api/hassio_ingress/abc"),
    ("Forwarded", "for=203.0.113.9;proto=https;host=home.example"),
]


def test_a_stranger_is_believed_nothing() -> None:
    for peer, trusted in (("203.0.113.5", TRUSTED), (PROXY, ()), ("172.30.34.1", TRUSTED)):
        assert look(EVERYTHING, peer, trusted) == Seen("http", "nvr:8001", peer)


def test_home_assistants_ingress() -> None:
    seen = look([*EVERYTHING[:3], ("X-Forwarded-For", "172.30.32.1"), EVERYTHING[4]])
    assert seen == Seen(
        "https", "home.example", "203.0.113.9", "/api/hassio_ingress/abc", proxied=True, framed=True
    )


def test_a_proxy_without_headers_is_an_ordinary_client() -> None:
    assert look([]) == Seen("http", "nvr:8001", PROXY)
    assert look([("Forwarded", "for=203.0.113.9")]) == Seen("http", "nvr:8001", PROXY)


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, 10.0.0.1"], "192.0.2.1"),
        (["192.0.2.1", "10.0.0.1, 172.30.32.1"], "192.0.2.1"),
        # Whatever the client wrote itself stands further left.
        (["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        (["10.0.0.1, 192.0.2.1, 10.0.0.1"], "192.0.2.1"),
        (["127.0.0.1", "192.0.2.1"], "192.0.2.1"),
        (["127.0.0.1,,192.0.2.1"], "192.0.2.1"),
        # Garbage: the last address that a trusted proxy saw.
        (["192.0.2.1, unknown"], PROXY),
        (["192.0.2.1, _hidden, 10.0.0.1"], "10.0.0.1"),
        (["None, 172.30.32.1"], "172.30.32.1"),
        (["192.0.2.1,"], PROXY),
        ([""], PROXY),
        (["192.0.2.1 10.0.0.1"], PROXY),
        (["300.1.1.1"], PROXY),
        # All are trusted: the outermost.
        (["10.0.0.1, 172.30.32.1"], "10.0.0.1"),
        # Ports, brackets, quotes, zones.
        (["192.0.2.1:50123"], "192.0.2.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]:443, fd00::7"], "2001:db8::1"),
        (['"[2001:DB8::1]"'], "2001:db8::1"),
        (["::ffff:192.0.2.1, ::ffff:10.0.0.1"], "192.0.2.1"),
        (["fe80::1%eth0"], "fe80::1"),
    ],
)
def test_the_first_stranger_from_the_right_is_the_client(chain: list[str], client: str) -> None:
    seen = look([("X-Forwarded-For", value) for value in chain])
    assert seen.client == client
    assert seen.proxied


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ([("X-Forwarded-Proto", "https")], "https", "nvr:8001"),
        ([("X-Forwarded-Proto", "HTTPS")], "https", "nvr:8001"),
        ([("X-Forwarded-Proto", "wss")], "https", "nvr:8001"),
        ([("X-Forwarded-Proto", "gopher")], "http", "nvr:8001"),
        # As many as proxies: that of the place where the client came in.
        (
            [("X-Forwarded-For", "192.0.2.1, 10.0.0.1"), ("X-Forwarded-Proto", "https, http")],
            "https",
            "nvr:8001",
        ),
        # The client wrote the first of each.
        (
            [("X-Forwarded-For", "1.1.1.1, 192.0.2.1"), ("X-Forwarded-Proto", "https, http")],
            "http",
            "nvr:8001",
        ),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https, http")], "http", "nvr:8001"),
        ([("X-Forwarded-Host", "home.example")], "http", "home.example"),
        ([("X-Forwarded-Host", "evil.example, home.example")], "http", "home.example"),
        ([("X-Forwarded-Host", "")], "http", ""),
    ],
)
def test_scheme_and_host(headers: Headers, scheme: str, host: str) -> None:
    seen = look(headers)
    assert (seen.scheme, seen.host) == (scheme, host)


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/nvr", "/nvr"),
        ("/nvr/", "/nvr"),
        ("/api/hassio_ingress/A-b_c.d~1", "/api/hassio_ingress/A-b_c.d~1"),
        ("/", ""),
        ("", ""),
        ("nvr", ""),
        ("//evil.example", ""),
        ("/nvr//x", ""),
        ("/../x", ""),
        ("/x/..", ""),
        ("/./x", ""),
        ("/...", "/..."),
        ("/a;b", ""),
        ("/a b", ""),
        ('/"><script>', ""),
        ("/%2e%2e", ""),
        ("/a\\b", ""),
        ("https://evil.example/", ""),
        ("/a,/b", ""),
        ("/" + 200 * "a", ""),
        (9 * "/a", ""),
    ],
)
def test_the_folder(path: str, base: str) -> None:
    for name in ("X-Forwarded-Prefix", "X-Ingress-Path"):
        assert look([(name, path)]).base == base


def test_several_hosts_are_none() -> None:
    assert look([("Host", "other")], "203.0.113.5").host == ""


def test_old_clients_name_no_host() -> None:
    request = make_mocked_request("GET", "/", CIMultiDict()).clone(remote="203.0.113.5")
    assert Proxies().look(request).host == "localhost"


@given(st.lists(st.text(alphabet=st.characters(codec="latin-1", exclude_characters="\r\n\0")), max_size=4))
def test_nothing_in_the_headers_makes_it_fail(values: list[str]) -> None:
    names = [name for name, _ in EVERYTHING]
    seen = look([(name, value) for value in values for name in names])
    assert seen.scheme in ("http", "https")
    assert str(parse_address(seen.client)) == seen.client
    assert not seen.base.startswith("//")
