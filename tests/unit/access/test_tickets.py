"""Tickets: for whom, which path, how long; and that nothing else is read as one."""

import base64
import math
import string
from contextlib import suppress

import pytest
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from hypothesis import assume, given
from hypothesis import strategies as st

from livecam_nvr.access.tickets import TicketMaker
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

KEY = bytes(range(32))
DAY = 86_400
WHO = "user:anna#3"
SNAPSHOT = "/api/cameras/cam0/snapshot.jpg"
HLS = "/api/cameras/cam0/hls/*"
LETTERS = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tickets(clock: FakeClock) -> TicketMaker:
    return TicketMaker(KEY, clock)


def test_one_path(tickets: TicketMaker) -> None:
    text = tickets.make(WHO, SNAPSHOT, 60).text
    assert tickets.read(text, SNAPSHOT) == WHO
    for path in (
        "/api/cameras/cam0/snapshot.jp",
        "/api/cameras/cam0/snapshot.jpgx",
        "/api/cameras/cam0/snapshot.jpg/x",
        "/api/cameras/cam1/snapshot.jpg",
        "/api/cameras/cam0",
        "/",
        "",
    ):
        assert tickets.read(text, path) is None, path


def test_all_below_one_path(tickets: TicketMaker) -> None:
    text = tickets.make(WHO, HLS, 60).text
    assert tickets.read(text, "/api/cameras/cam0/hls/live.m3u8") == WHO
    assert tickets.read(text, "/api/cameras/cam0/hls/a/b") == WHO
    for path in (
        "/api/cameras/cam0/hls",
        "/api/cameras/cam0/hls/",
        "/api/cameras/cam0/hlsx/live.m3u8",
        "/api/cameras/cam0/live.mp4",
        "/api/cameras/cam1/hls/live.m3u8",
    ):
        assert tickets.read(text, path) is None, path


@pytest.mark.parametrize(
    "path",
    [
        "/api/cameras/cam0/hls/../../cam1/snapshot.jpg",
        "/api/cameras/cam0/hls/..",
        "/api/cameras/cam0/hls/.",
        "/api/cameras/cam0/hls/./live.m3u8",
        "/api/cameras/cam0//hls/live.m3u8",
        "/api/cameras/cam0/hls//live.m3u8",
        "//api/cameras/cam0/hls/live.m3u8",
        "api/cameras/cam0/hls/live.m3u8",
        "/api/cameras/cam0/hls/%2e%2e/x",
        "/api/cameras/cam0/hls%2flive.m3u8",
        "/api/cameras/cam0/hls/..%2f..%2fcam1",
        "/api/cameras/cam0/hls/..\\..\\cam1",
        "/api/cameras/cam0/hls/live.m3u8\x00",
        "/api/cameras/cam0/hls/live.m3u8\n",
        "/api/cameras/cam0/hls/live.m3u8?x=1",
        "/api/cameras/cam0/hls/live.m3u8#x",
        "/API/cameras/cam0/hls/live.m3u8",
        "/api/cameras/CAM0/hls/live.m3u8",
        "/api/cameras/cam\N{FULLWIDTH DIGIT ZERO}/hls/live.m3u8",
        "/api/cameras/cam0/hls/\ud800",
        "http://x/api/cameras/cam0/hls/live.m3u8",
    ],
)
def test_no_trick_with_the_path_works(tickets: TicketMaker, path: str) -> None:
    assert tickets.read(tickets.make(WHO, HLS, 60).text, path) is None


@pytest.mark.parametrize(
    "scope",
    [
        "", "/", "/*", "*", "api/status", "/api//status", "/api/*/status", "/api/status*", "/api/..", "/api/../*",
        "/api/./x", "/api/%2e", "/api/x\x00", "/api/x\n", "/api/status?x", "/api/ß", "/api/status/", "/*/*",
        "/" + "x" * 512, "\ud800",
    ],
)  # fmt: skip
def test_a_scope_has_to_be_a_path(tickets: TicketMaker, scope: str) -> None:
    with pytest.raises(LivecamError) as caught:
        tickets.make(WHO, scope, 60)
    assert caught.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("lifetime_s", [0, 0.999, -1, 86_400.001, math.inf, -math.inf, math.nan, 10**400])
def test_a_second_to_a_day(tickets: TicketMaker, lifetime_s: float) -> None:
    with pytest.raises(LivecamError) as caught:
        tickets.make(WHO, SNAPSHOT, lifetime_s)
    assert caught.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("lifetime_s", [1, 1.5, 60, 86_400])
def test_it_ends_when_it_says(lifetime_s: float) -> None:
    clock = FakeClock(NOON_UTC_NS + NS // 3)
    tickets = TicketMaker(KEY, clock)
    ticket = tickets.make(WHO, SNAPSHOT, lifetime_s)
    assert abs(ticket.expires_utc_ns - clock.utc_ns() - lifetime_s * NS) < NS
    clock.wall_ns = ticket.expires_utc_ns - 1
    assert tickets.read(ticket.text, SNAPSHOT) == WHO
    clock.wall_ns += 1
    assert tickets.read(ticket.text, SNAPSHOT) is None
    clock.wall_ns += 10**18
    assert tickets.read(ticket.text, SNAPSHOT) is None


def test_a_clock_that_is_set_back_does_not_make_one_last_for_years(tickets: TicketMaker, clock: FakeClock) -> None:
    text = tickets.make(WHO, SNAPSHOT, 60).text
    clock.step(-3600)
    assert tickets.read(text, SNAPSHOT) == WHO
    clock.step(-DAY)
    assert tickets.read(text, SNAPSHOT) is None


def test_another_key_has_other_tickets(tickets: TicketMaker, clock: FakeClock) -> None:
    text = tickets.make(WHO, SNAPSHOT, 60).text
    assert TicketMaker(bytes(32), clock).read(text, SNAPSHOT) is None
    assert TicketMaker(KEY, clock).read(text, SNAPSHOT) == WHO, "of the same key"
    with pytest.raises(ValueError, match="128 bits"):
        TicketMaker(b"short", clock)


def test_it_is_short_and_has_only_letters_for_links(tickets: TicketMaker) -> None:
    text = tickets.make("token:0123456789abcdef#12", HLS, 60).text
    assert set(text) <= set(LETTERS)
    assert len(text) < 128


def test_a_name_may_be_long_and_in_any_script(tickets: TicketMaker) -> None:
    for name in ("ü" * 127, "", "anna/../x"):
        assert tickets.read(tickets.make(name, SNAPSHOT, 60).text, SNAPSHOT) == name
    with pytest.raises(LivecamError):
        tickets.make("ü" * 128, SNAPSHOT, 60)


# Fuzzing --------------------------------------------------------------------------------------------------

FIXED = TicketMaker(KEY, FakeClock())
VALID = FIXED.make(WHO, SNAPSHOT, 60).text


@given(st.text())
def test_random_text_is_no_ticket(text: str) -> None:
    assert FIXED.read(text, SNAPSHOT) is None


@given(st.text(alphabet=LETTERS, min_size=36, max_size=1200))
def test_random_letters_are_no_ticket(text: str) -> None:
    assert FIXED.read(text, SNAPSHOT) is None


@given(st.binary(min_size=26, max_size=200))
def test_random_bytes_are_no_ticket(raw: bytes) -> None:
    assert FIXED.read(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), SNAPSHOT) is None


@given(st.integers(0, len(VALID) - 1), st.sampled_from(LETTERS + "=+/ .\n%\x00"))
def test_another_letter_anywhere(at: int, letter: str) -> None:
    assume(VALID[at] != letter)
    assert FIXED.read(VALID[:at] + letter + VALID[at + 1 :], SNAPSHOT) is None


def test_each_letter_of_the_end() -> None:
    """Base64 drops bits of the last letter: none but one may be taken there."""
    assert [letter for letter in LETTERS if FIXED.read(VALID[:-1] + letter, SNAPSHOT)] == [VALID[-1]]


@given(st.integers(0, len(VALID)), st.integers(0, len(VALID)), st.text(alphabet=LETTERS + "= \n", max_size=4))
def test_cut_repeated_or_longer(begin: int, end: int, more: str) -> None:
    for text in (VALID[:begin] + more + VALID[end:], VALID + more, more + VALID):
        if text != VALID:
            assert FIXED.read(text, SNAPSHOT) is None


@given(st.integers(0, len(VALID) * 6 - 1))
def test_each_bit(bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(VALID + "=" * (-len(VALID) % 4)))
    assume(bit < len(raw) * 8)
    raw[bit // 8] ^= 1 << bit % 8
    assert FIXED.read(base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode(), SNAPSHOT) is None


@given(st.text(max_size=100))
def test_no_path_raises_or_fits_by_chance(path: str) -> None:
    assume(path != SNAPSHOT)
    assert FIXED.read(VALID, path) is None


PLAIN = st.lists(st.text(alphabet=LETTERS + ".", min_size=1, max_size=8), min_size=1, max_size=6).map(
    lambda parts: "/" + "/".join(parts)
)


@given(PLAIN, PLAIN, st.booleans())
def test_a_ticket_is_for_its_scope_and_nothing_else(scope: str, path: str, below: bool) -> None:
    assume(not {".", ".."} & {*scope.split("/"), *path.split("/")})
    text = FIXED.make(WHO, f"{scope}/*" if below else scope, 60).text
    assert FIXED.read(text, path) == (WHO if (path.startswith(f"{scope}/") if below else path == scope) else None)
    assert (FIXED.read(text, scope + path) == WHO) is below


@given(st.text(max_size=60), st.one_of(st.floats(), st.integers()))
def test_making_one_only_ever_refuses_politely(scope: str, lifetime_s: float) -> None:
    with suppress(LivecamError):
        FIXED.make(WHO, scope, lifetime_s)
