"""Which streams are taken, and cameras whose answers have holes."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from livecam_nvr.onvif.profiles import Choice, Profile, choose
from livecam_nvr.onvif.reading import at, number, read_profiles, read_utc, several


def stream(token: str, width: int = 0, height: int = 0, codec: str = "h264", **more: Any) -> Profile:
    values = {"stream_uri": f"rtsp://h/{token}", **more}
    return Profile(token=token, width=width, height=height, codec=codec, **values)


BIG = stream("big", 2560, 1440, "h265")
FULL = stream("full", 1920, 1080)
SMALL = stream("small", 640, 360)
LEAST = stream("least", 320, 180)
TINY = stream("tiny", 176, 144)


@pytest.mark.parametrize(
    ("profiles", "main", "sub"),
    [
        ([FULL], "full", None),
        ([SMALL, BIG, FULL, LEAST, TINY], "big", "least"),
        ([FULL, TINY], "full", None),
        ([FULL, stream("portrait", 180, 320)], "full", "portrait"),
        ([FULL, stream("also", 1920, 1080)], "full", None),
        ([FULL, stream("faster", 1920, 1080, fps=30)], "faster", None),
        ([FULL, stream("jpeg", 3840, 2160, "jpeg"), SMALL], "full", "small"),
        ([stream("nowhere", 3840, 2160, stream_uri=None), FULL], "full", None),
        ([FULL, stream("same", 640, 360, stream_uri="rtsp://h/full")], "full", None),
        # A camera that names no codec and no size: its first stream.
        ([stream("one", codec=""), stream("two", codec="")], "one", None),
        ([stream("one", codec=""), FULL], "full", None),
    ],
)
def test_main_is_the_largest_and_sub_a_small_one(profiles: list[Profile], main: str, sub: str | None) -> None:
    [choice] = choose(profiles)
    assert choice.main.token == main
    assert (choice.sub.token if choice.sub else None) == sub


def test_each_picture_source_has_its_own() -> None:
    left, right = stream("l", 1920, 1080, source="a"), stream("r", 1280, 720, source="b")
    small = stream("rs", 640, 360, source="b")
    assert choose([left, right, small]) == (Choice(left), Choice(right, small))


def test_nothing_that_can_be_recorded() -> None:
    assert choose([]) == ()
    assert choose([stream("a", 640, 480, "jpeg"), stream("b", 640, 480, stream_uri=None)]) == ()


def told(**parts: Any) -> SimpleNamespace:
    return SimpleNamespace(**parts)


def test_a_profile_with_everything() -> None:
    [profile] = read_profiles(
        [
            told(
                token="t",
                Name="Main\x1b[0m stream",
                VideoSourceConfiguration=told(SourceToken="s"),
                VideoEncoderConfiguration=told(
                    Encoding="HEVC",
                    Resolution=told(Width=1920, Height=1080),
                    RateControl=told(FrameRateLimit=25, BitrateLimit=4096),
                ),
                AudioEncoderConfiguration=told(Encoding="G711"),
                PTZConfiguration=told(),
            )
        ]
    )
    assert profile == Profile(
        "t", "Main [0m stream", "s", "h265", 1920, 1080, 25, 4096, "g711", None, None, has_ptz=True
    )


@pytest.mark.parametrize(
    "answer",
    [None, "text", [], [None], [told()], [told(token=None)], [told(token=7)], {"a": 1}],
)
def test_profiles_that_are_none(answer: Any) -> None:
    assert read_profiles(answer) == []


def test_a_profile_with_holes() -> None:
    video = told(Encoding=None, Resolution=told(Width="wide", Height=-5), RateControl=None)
    [profile] = read_profiles(told(token="t", Name=None, VideoEncoderConfiguration=video))
    assert profile == Profile("t")


def test_at_most_32_profiles() -> None:
    assert len(read_profiles([told(token=str(n)) for n in range(500)])) == 32


def test_small_helpers() -> None:
    assert at({"a": told(b=5)}, "a", "b") == 5
    assert at(told(a=None), "a", "b") is None
    assert several(None) == ()
    assert several(3) == (3,)
    assert [number(value) for value in (None, "x", float("nan"), float("inf"), 1e12, -1, "25.5", 7)] == [
        *[0] * 6,
        25.5,
        7,
    ]


def clock(**changed: Any) -> SimpleNamespace:
    date = {"Year": 2026, "Month": 2, "Day": 3, **changed}
    time = {"Hour": 4, "Minute": 5, "Second": 6, **changed}
    return told(UTCDateTime=told(Date=told(**date), Time=told(**time)))


def test_a_cameras_clock() -> None:
    assert read_utc(clock()) == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert read_utc(clock(Second=60)) == datetime(2026, 2, 3, 4, 5, 59, tzinfo=UTC)
    for answer in (None, told(UTCDateTime=None), clock(Year=0), clock(Month=13), clock(Hour=None), clock(Day="x")):
        assert read_utc(answer) is None
