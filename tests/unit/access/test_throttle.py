"""The throttle: what guessing costs, whom it must not lock out, and that nobody can make it forget or grow."""

from contextlib import suppress

import pytest
from fakes.runtime_clock import FakeClock

from livecam_nvr.access.throttle import Throttle
from livecam_nvr.domain.access import ThrottledError

FAR = "203.0.113.7"
HOUR = 3600


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def throttle(clock: FakeClock) -> Throttle:
    return Throttle(clock)


def wait_s(throttle: Throttle, name: str, address: str) -> float:
    try:
        throttle.check(name, address)
    except ThrottledError as error:
        return error.retry_after_s
    return 0.0


def other(number: int) -> str:
    """A different address each time, none of them at home."""
    return f"2a00:{number >> 16:x}:{number & 0xFFFF:x}::1"


def test_four_failures_cost_nothing_then_it_takes_twice_as_long_each_time(
    throttle: Throttle, clock: FakeClock
) -> None:
    waits = []
    for _ in range(12):
        throttle.failed(f"somebody{clock.now_s}", FAR)
        waits.append(wait_s(throttle, "somebody", FAR))
        clock.advance(waits[-1])
        assert wait_s(throttle, "somebody", FAR) == 0, "exactly as long as it said"
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("every_s", [0.05, 1.0, 3.6, 61.0])
def test_a_thousand_wrong_passwords_in_a_row(throttle: Throttle, clock: FakeClock, every_s: float) -> None:
    looked_at = 0
    for _ in range(1000):
        if clock.now_s >= 1000 + HOUR:
            break
        with suppress(ThrottledError):
            throttle.check("anna", FAR)
            looked_at += 1
            throttle.failed("anna", FAR)
        clock.advance(every_s)
    assert 4 < looked_at < (40 if every_s < 60 else 75), "60 s is the most that somebody has to wait as told"


def test_an_hour_of_hammering(throttle: Throttle, clock: FakeClock) -> None:
    looked_at = 0
    while clock.now_s < 1000 + HOUR:
        with suppress(ThrottledError):
            throttle.check("anna", FAR)
            looked_at += 1
            throttle.failed("anna", FAR)
        clock.advance(0.5)
    assert 20 < looked_at < 40


def test_who_asks_too_early_waits_anew_but_not_for_ever(throttle: Throttle, clock: FakeClock) -> None:
    for _ in range(8):
        throttle.failed("anna", FAR)
    clock.advance(7)
    assert wait_s(throttle, "anna", FAR) == 8, "one second was left"
    clock.advance(7)
    assert wait_s(throttle, "anna", FAR) == 8
    clock.advance(7)
    assert wait_s(throttle, "anna", FAR) == 3, "24 seconds after the failure it is over in any case"
    clock.advance(3)
    assert wait_s(throttle, "anna", FAR) == 0


def test_failures_fade(throttle: Throttle, clock: FakeClock) -> None:
    assert [throttle.failed("anna", FAR) for _ in range(10)][-1] == 10
    clock.advance(15 * 60)
    throttle.failed("bert", FAR)
    assert wait_s(throttle, "bert", FAR) == 2, "half of ten, and one"
    clock.advance(2 * HOUR)
    for expected in (1, 2, 3, 4):
        assert throttle.failed("anna", FAR) == expected
    assert wait_s(throttle, "anna", FAR) == 0


def test_a_user_under_attack_from_everywhere_waits_ten_seconds_at_most(
    throttle: Throttle, clock: FakeClock
) -> None:
    for number in range(500):
        throttle.failed("\N{FULLWIDTH LATIN CAPITAL LETTER A}nna", other(number))
        clock.advance(0.1)
    assert 9 < wait_s(throttle, "anna", other(1000)) <= 10, "however the name is written"
    assert wait_s(throttle, "bert", other(1000)) == 0


def test_asking_does_not_make_a_user_wait_longer(throttle: Throttle, clock: FakeClock) -> None:
    for number in range(20):
        throttle.failed("anna", other(number))
    for _ in range(5):
        clock.advance(1.9)
        wait_s(throttle, "anna", other(99))
    clock.advance(0.6)
    assert wait_s(throttle, "anna", other(100)) == 0


def test_where_somebody_has_signed_in_before_an_attack_on_them_costs_nothing(
    throttle: Throttle, clock: FakeClock
) -> None:
    office = "198.51.100.20"
    throttle.succeeded("anna", office)
    clock.advance(6 * 24 * HOUR)
    for number in range(100):
        throttle.failed("anna", other(number))
        throttle.failed("bert", other(number))
    assert wait_s(throttle, "anna", office) == 0
    assert wait_s(throttle, "bert", office) == 10, "known is this user there, no other one"
    clock.advance(24 * HOUR + 1)
    for number in range(100):
        throttle.failed("anna", other(number))
    assert wait_s(throttle, "anna", office) == 10, "it was a week ago"


def test_who_is_known_there_still_pays_for_the_address(throttle: Throttle) -> None:
    throttle.succeeded("anna", FAR)
    for _ in range(6):
        throttle.failed("anna", FAR)
    assert wait_s(throttle, "anna", FAR) == 2


def test_guessing_from_the_internet_does_not_slow_down_the_people_at_home(throttle: Throttle) -> None:
    for number in range(100):
        throttle.failed("anna", other(number))
    for at_home in ("192.168.1.20", "10.0.0.5", "127.0.0.1", "fd00::7", "fe80::1%eth0", "::ffff:192.168.1.3", ""):
        assert wait_s(throttle, "anna", at_home) == 0, at_home
    assert wait_s(throttle, "anna", "::ffff:203.0.113.200") == 10


def test_a_right_password_forgives_nothing(throttle: Throttle) -> None:
    """Somebody with an account of their own guesses at another's, signing in between."""
    for _ in range(10):
        throttle.failed("admin", FAR)
        throttle.succeeded("guest", FAR)
    assert wait_s(throttle, "guest", FAR) == 32


def test_one_network_of_ipv6_is_one_address(throttle: Throttle) -> None:
    for host in range(10):
        throttle.failed(f"user{host}", f"2a02:810d:1:2::{host:x}")
    assert wait_s(throttle, "anna", "2a02:810d:1:2:ffff::1") == 32
    assert wait_s(throttle, "anna", "2a02:810d:1:3::1") == 0


def test_an_ipv4_address_is_the_same_one_within_ipv6(throttle: Throttle) -> None:
    for _ in range(10):
        throttle.failed("anna", "::ffff:203.0.113.7")
    assert wait_s(throttle, "anna", FAR) == 32


def test_a_hundred_attempts_at_once_are_looked_at_one_by_one(throttle: Throttle) -> None:
    """Each asks again when its turn has come, so all but the first few are refused."""
    looked_at = 0
    for _ in range(100):
        if wait_s(throttle, "anna", FAR) == 0:
            looked_at += 1
            throttle.failed("anna", FAR)
    assert looked_at == 5


def test_a_million_addresses_do_not_push_out_whoever_guesses(throttle: Throttle, clock: FakeClock) -> None:
    for _ in range(10):
        throttle.failed("anna", FAR)
    for number in range(20_000):
        throttle.failed(f"name{number}", other(number))
    assert wait_s(throttle, "anna", FAR) == 32
    assert max(len(throttle._addresses), len(throttle._users)) <= 4096


def test_a_million_names_do_not_push_out_the_user_they_are_after(throttle: Throttle, clock: FakeClock) -> None:
    for number in range(12):
        throttle.failed("anna", other(number))
    for number in range(20_000):
        throttle.failed(f"name{number % 7000}" * 1000, other(100 + number))
        clock.advance(0.0001)
    assert wait_s(throttle, "anna", other(1_000_000)) > 7


def test_what_is_known_cannot_be_pushed_out_by_failing(throttle: Throttle) -> None:
    throttle.succeeded("anna", FAR)
    for number in range(10_000):
        throttle.failed("anna", other(number))
    assert wait_s(throttle, "anna", FAR) == 0


def test_signing_in_from_everywhere_takes_no_more_memory_either(throttle: Throttle) -> None:
    for number in range(10_000):
        throttle.succeeded("anna", other(number))
    assert len(throttle._known) <= 4096


def test_only_the_time_that_never_jumps_counts(throttle: Throttle, clock: FakeClock) -> None:
    for _ in range(8):
        throttle.failed("anna", FAR)
    clock.step(-10 * HOUR)
    assert wait_s(throttle, "anna", FAR) == 8
    clock.step(20 * HOUR)
    assert wait_s(throttle, "anna", FAR) == 8


@pytest.mark.parametrize("name", ["", "\ud800", "x" * 100_000, "\x00", "ß"])
@pytest.mark.parametrize(
    "address", ["", "not an address", "999.1.1.1", "\ud800", "x" * 100_000, "::1%" + "z" * 99]
)
def test_whatever_comes_is_counted(throttle: Throttle, name: str, address: str) -> None:
    for _ in range(2000):
        throttle.failed(name, address)
    assert 0 < wait_s(throttle, name, address) <= 60


def test_who_does_not_wait_is_counted_but_waits_no_longer(throttle: Throttle, clock: FakeClock) -> None:
    assert throttle.turned_away("anna", FAR) == 0, "nobody remembers those that were never told to wait"
    for _ in range(5):
        throttle.failed("anna", FAR)
    before_s = wait_s(throttle, "anna", FAR)
    assert [throttle.turned_away("anna", FAR) for _ in range(3)] == [6, 7, 8]
    assert wait_s(throttle, "anna", FAR) == before_s
    clock.advance(before_s)
    assert throttle.failed("anna", FAR) == 9
