"""Reads what cameras answer: any part may be missing or of another kind than the standard says."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from livecam_nvr.onvif.profiles import Profile
from livecam_nvr.onvif.text import tidy

_MOST_PROFILES = 32
_MOST_NUMBER = 1_000_000
_CODECS = {"hevc": "h265", "h.265": "h265", "h.264": "h264"}


def at(answer: Any, *names: str) -> Any:
    """The part of `answer` at this path of names; None where it ends."""
    for name in names:
        if answer is None:
            return None
        answer = answer.get(name) if isinstance(answer, dict) else getattr(answer, name, None)
    return answer


def several(answer: Any) -> Sequence[Any]:
    """A list, also of what is none: the library gives no list where the standard knows one element at most."""
    if answer is None:
        return ()
    return answer if isinstance(answer, list) else (answer,)


def number(value: Any) -> float:
    """A number that makes sense, else 0."""
    try:
        read = float(value)
    except (TypeError, ValueError):
        return 0
    return read if math.isfinite(read) and 0 <= read <= _MOST_NUMBER else 0


def read_profiles(answer: Any) -> list[Profile]:
    """GetProfiles, without addresses; at most 32."""
    found = []
    for told in several(answer)[:_MOST_PROFILES]:
        token = at(told, "token")
        if not isinstance(token, str) or not token:
            continue
        video, audio = at(told, "VideoEncoderConfiguration"), at(told, "AudioEncoderConfiguration")
        codec = tidy(at(video, "Encoding"), 16).lower()
        found.append(
            Profile(
                token=token,
                name=tidy(at(told, "Name"), 64),
                source=tidy(at(told, "VideoSourceConfiguration", "SourceToken"), 64),
                codec=_CODECS.get(codec, codec),
                width=int(number(at(video, "Resolution", "Width"))),
                height=int(number(at(video, "Resolution", "Height"))),
                fps=number(at(video, "RateControl", "FrameRateLimit")),
                bitrate_kbps=int(number(at(video, "RateControl", "BitrateLimit"))),
                audio=tidy(at(audio, "Encoding"), 16).lower(),
                has_ptz=at(told, "PTZConfiguration") is not None,
            )
        )
    return found


def read_utc(answer: Any) -> datetime | None:
    """GetSystemDateAndTime; None if the camera does not tell its UTC."""
    date, time = at(answer, "UTCDateTime", "Date"), at(answer, "UTCDateTime", "Time")
    try:
        day = datetime(int(at(date, "Year")), int(at(date, "Month")), int(at(date, "Day")), tzinfo=UTC)
        return day.replace(
            hour=int(at(time, "Hour")),
            minute=int(at(time, "Minute")),
            # A leap second, or a camera that counts to 60.
            second=min(59, int(at(time, "Second"))),
        )
    except (TypeError, ValueError, OverflowError):
        return None
