"""How much was recorded in a part of a range, and when the first of it was."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from custom_components.livecam_nvr.media_items import Footage

_ZERO = datetime(2026, 11, 21, tzinfo=UTC)
_ZERO_S = _ZERO.timestamp()


@dataclass(frozen=True)
class _Span:
    begin: datetime
    end: datetime


def _footage(*spans: tuple[float, float]) -> Footage:
    return Footage(_Span(_ZERO + timedelta(seconds=a), _ZERO + timedelta(seconds=b)) for a, b in spans)


def _within(footage: Footage, begin_s: float, end_s: float) -> tuple[float, float]:
    found, first = footage.within(_ZERO_S + begin_s, _ZERO_S + end_s)
    return round(found, 6), round(first - _ZERO_S, 6)


def test_what_reaches_into_the_range_counts_as_far_as_it_does() -> None:
    footage = _footage((0, 10), (20, 30), (50, 60))
    assert _within(footage, 5, 55) == (20, 5)
    assert _within(footage, 12, 40) == (10, 20)
    assert _within(footage, 22, 24) == (2, 22)


def test_nothing_is_in_a_gap_and_what_only_touches_is_not_in_it() -> None:
    footage = _footage((0, 10), (20, 30))
    assert _within(footage, 10, 20) == (0, 10)
    assert _within(footage, 30, 99) == (0, 30)
    assert _within(_footage(), 0, 10) == (0, 0)
