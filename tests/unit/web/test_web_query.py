"""Moments and ranges in a request's query."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from aiohttp.test_utils import make_mocked_request
from fakes.runtime_clock import NOON_UTC_NS, FakeClock

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.query import moment, time_range

DAY_S = 86_400.0


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1763726400", NOON_UTC_NS),
        ("1763726400.123456789", NOON_UTC_NS + 123_456_789),
        ("2025-11-21T12:00:00Z", NOON_UTC_NS),
        ("2025-11-21T13:00:00+01:00", NOON_UTC_NS),
        ("2025-11-21T06:30:00.5-05:30", NOON_UTC_NS + NS // 2),
    ],
)
def test_moments(text: str, expected: int) -> None:
    assert moment(make_mocked_request("GET", f"/?at={quote(text)}"), "at") == expected
    assert moment(make_mocked_request("GET", f"/?at={text}"), "at") == expected  # `+` has become a space


def test_no_moment() -> None:
    assert moment(make_mocked_request("GET", "/"), "at") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "-5",
        "2025-11-21T12:00:00",
        "٣",
        "1e9",
        "9" * 13,
        "2025-13-01T00:00Z",
        "1969-12-31T23:59:59Z",
        "2400-01-01T00:00:00Z",
        "9" * 12,
    ],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(LivecamError, match="is no moment") as caught:
        moment(make_mocked_request("GET", f"/?at={quote(text)}"), "at")
    assert caught.value.kind is ErrorKind.INVALID


def ranged(query: str) -> tuple[int, int]:
    request = make_mocked_request("GET", f"/?{query}")
    return time_range(request, FakeClock(), usual_s=3600, most_s=2 * DAY_S)


def test_ranges() -> None:
    hour = 3600 * NS
    assert ranged("") == (NOON_UTC_NS - hour, NOON_UTC_NS)
    assert ranged("from=2025-11-21T10:00Z") == (at("2025-11-21T10:00"), NOON_UTC_NS)
    assert ranged("to=2025-11-21T10:00Z") == (at("2025-11-21T09:00"), at("2025-11-21T10:00"))
    assert ranged("from=2025-11-21T10:00Z&to=2025-11-22T00:00Z") == (at("2025-11-21T10:00"), NOON_UTC_NS)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=2025-11-21T10:00Z&to=2025-11-21T09:00Z", "does not lie before"),
        ("from=2025-11-21T10:00Z&to=2025-11-21T10:00Z", "does not lie before"),
        ("from=2025-11-22T10:00Z&to=2025-11-23T10:00Z", "in the future"),
        ("from=2025-11-22T10:00Z", "in the future"),
        ("from=2025-11-01T10:00Z", "too long"),
        ("from=0", "too long"),
        ("from=x", "no moment"),
    ],
)
def test_ranges_that_are_refused(query: str, words: str) -> None:
    with pytest.raises(LivecamError, match=words) as caught:
        ranged(query)
    assert caught.value.kind is ErrorKind.INVALID
