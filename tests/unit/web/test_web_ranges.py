"""Byte ranges, RFC 9110 section 14."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.web.ranges import UnsatisfiableError, parse_range

WHOLE = None


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, WHOLE),
        ("bytes=0-", range(1000)),
        ("bytes=0-0", range(1)),
        ("bytes=0-499", range(500)),
        ("bytes=500-999", range(500, 1000)),
        ("bytes=500-4000", range(500, 1000)),
        ("bytes=999-", range(999, 1000)),
        ("bytes=-1", range(999, 1000)),
        ("bytes=-4000", range(1000)),
        ("BYTES=1-2", range(1, 3)),
        ("bytes= 1-2 ", range(1, 3)),
        ("bytes=1-2,", range(1, 3)),
        ("items=0-5", WHOLE),
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=0-1,5000-", WHOLE),
    ],
)
def test_what_is_sent(header: str | None, wanted: range | None) -> None:
    assert parse_range(header, 1000) == wanted


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=abc",
        "bytes=5-1",
        "bytes=1-2-3",
        "bytes=-0",
        "bytes=1000-",
        "bytes=1000-,2000-",
        "bytes=--5",
        "bytes=0x1-2",
        "bytes=1 - 2",
        "bytes=\u0661-\u0662",
        "bytes=0-1,x",
        "bytes=99999999999999999999-",
        "0-5",
    ],
)
def test_what_cannot_be(header: str) -> None:
    with pytest.raises(UnsatisfiableError) as caught:
        parse_range(header, 1000)
    assert caught.value.size == 1000


def test_nothing_can_be_had_of_an_empty_file() -> None:
    with pytest.raises(UnsatisfiableError):
        parse_range("bytes=0-", 0)


@given(st.text(alphabet="bytes=0123456789-, x\t", max_size=20), st.integers(0, 50))
def test_never_outside_the_file(header: str, size: int) -> None:
    try:
        wanted = parse_range(header, size)
    except UnsatisfiableError:
        return
    if wanted is not None:
        assert 0 <= wanted.start < wanted.stop <= size
