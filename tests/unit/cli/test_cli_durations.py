import pytest

from livecam_nvr.cli.durations import parse_duration
from livecam_nvr.domain.errors import ErrorKind, LivecamError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1d2h3m4s", 93_784),
        (" 5M ", 300),
        ("0h1s", 1),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a duration"),
        ("30", '"30" has no unit'),
        ("0s", "is no time at all"),
        ("-5m", "is not a duration"),
        ("5m1h", "is not a duration"),
        ("1.5h", "is not a duration"),
        ("half an hour", "is not a duration"),
        ("\u0663s", "is not a duration"),  # a digit, but not one of ours
        ("9" * 400 + "s", "is not a duration"),
    ],
)
def test_what_is_none(text: str, words: str) -> None:
    with pytest.raises(LivecamError) as caught:
        parse_duration(text)
    assert words in caught.value.message
    assert caught.value.hint
    assert caught.value.kind is ErrorKind.INVALID
