from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.runtime.backoff import Backoff


def test_pauses_double_up_to_the_longest_and_begin_anew() -> None:
    backoff = Backoff(first_s=0.5, most_s=3.0, jitter=0)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.next_s() == 0.5


def test_the_longest_pause_at_once_until_reset() -> None:
    backoff = Backoff(first_s=0.5, most_s=3.0, jitter=0)
    assert backoff.longest_s() == 3.0
    assert backoff.next_s() == 3.0
    backoff.reset()
    assert backoff.next_s() == 0.5


@given(attempts=st.integers(0, 1_000_000), jitter=st.floats(0, 0.9))
def test_jitter_stays_around_the_pause_for_ever(attempts: int, jitter: float) -> None:
    backoff = Backoff(first_s=1.0, most_s=30.0, jitter=jitter, attempts=attempts)
    plain = min(30.0, 2.0 ** min(attempts, 10))
    assert plain * (1 - jitter) <= backoff.next_s() <= plain * (1 + jitter) * 1.0000001


def test_jitter_differs() -> None:
    assert len({Backoff().next_s() for _ in range(20)}) > 10
