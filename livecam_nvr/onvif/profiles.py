"""A camera's streams as it offers them, and which of them to take."""

from collections.abc import Iterable
from dataclasses import dataclass

_COPIED = frozenset({"h264", "h265"})
# Less shows nobody anything, not even in a grid.
_LEAST_SUB_PIXELS = 320


@dataclass(frozen=True, slots=True)
class Profile:
    """One of the streams. What the camera does not tell is empty, 0 or None."""

    token: str
    name: str = ""
    source: str = ""
    """Which of its pictures this shows: devices with several lenses or inputs have several."""
    codec: str = ""
    """`h264`, `h265`, `jpeg`, `mpeg4` ..."""
    width: int = 0
    height: int = 0
    fps: float = 0
    bitrate_kbps: int = 0
    audio: str = ""
    """`aac`, `g711`, `g726` ...; empty without sound."""
    stream_uri: str | None = None
    """Without credentials. Some cameras write a password of their own into the path, so redact what is shown."""
    snapshot_uri: str | None = None
    """At the host that the camera was asked at; without credentials, like `stream_uri`."""
    has_ptz: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What to record and, if there is one, the smaller stream for grids."""

    main: Profile
    sub: Profile | None = None


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """What a camera tells of itself."""

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    profiles: tuple[Profile, ...] = ()
    has_ptz: bool = False
    clock_offset_s: float | None = None
    """Its clock minus ours; None if it does not tell."""


def choose(profiles: Iterable[Profile]) -> tuple[Choice, ...]:
    """For each picture source: main is the largest stream, sub the smallest that is at least 320 pixels long.

    Only streams that have an address and are copied (H.264 and H.265) count. A source without any of these has its
    first one whose codec the camera does not tell. Without that, too, the source is left out.
    """
    sources: dict[str, list[Profile]] = {}
    for profile in profiles:
        if profile.stream_uri:
            sources.setdefault(profile.source, []).append(profile)
    return tuple(choice for group in sources.values() if (choice := _choose_one(group)) is not None)


def _choose_one(group: list[Profile]) -> Choice | None:
    good = [profile for profile in group if profile.codec in _COPIED]
    if not good:
        # What is known to be JPEG or MPEG-4 would be refused later.
        untold = [profile for profile in group if not profile.codec]
        return Choice(untold[0]) if untold else None
    main = max(good, key=_size)
    small = [
        profile
        for profile in good
        if 0 < profile.width * profile.height < main.width * main.height
        and max(profile.width, profile.height) >= _LEAST_SUB_PIXELS
        and profile.stream_uri != main.stream_uri
    ]
    return Choice(main, min(small, key=_size) if small else None)


def _size(profile: Profile) -> tuple[int, float, int]:
    return (profile.width * profile.height, profile.fps, profile.bitrate_kbps)
