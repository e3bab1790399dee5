"""Films for RTSP cameras: access units made once by ffmpeg, and what a camera with its oddities makes of them."""

import functools
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from support import clips

VIDEO_CLOCK = 90_000
_AUD = {"h264": 9, "h265": 35}
_SETS = {"h264": (7, 8), "h265": (32, 33, 34)}
_PICTURES = {"h264": range(1, 6), "h265": range(32)}


def nal_kind(codec: str, nal: bytes) -> int:
    """The NAL unit's type (ITU-T H.264 7.3.1, H.265 7.3.1.2)."""
    return (nal[0] >> 1) & 0x3F if codec == "h265" else nal[0] & 0x1F


@dataclass(frozen=True)
class Shot:
    """One access unit as a camera sends it."""

    nals: tuple[bytes, ...]
    due_s: float
    """When it is sent, after PLAY."""
    stamp: int
    """RTP timestamp: when it is to be shown, in ticks of 90 kHz."""
    keyframe: bool
    picture: tuple[bytes, ...]
    """Its slices alone: what has to be found again on disk."""


@dataclass(frozen=True)
class Film:
    """Access units in decoding order."""

    codec: str
    """`h264` or `h265`."""
    size: str
    fps: int
    shots: tuple[Shot, ...]
    sets: tuple[bytes, ...]
    """Its parameter sets."""

    @property
    def seconds(self) -> float:
        """From its first frame to where the first frame of its repetition follows."""
        return len(self.shots) / self.fps


@functools.cache
def film(
    codec: str = "h264",
    *,
    size: str = "320x180",
    fps: int = 15,
    seconds: float = 2,
    gop: int = 15,
    extra: tuple[str, ...] = (),
) -> Film:
    """A test picture; made once. Without B-frames and with closed GOPs if `extra` does not say otherwise."""
    name, own = ("libx265", "log-level=none:open-gop=0") if codec == "h265" else ("libx264", "slices=2:scenecut=0")
    params = (f"-{name[3:]}-params", f"keyint={gop}:min-keyint={gop}:bframes=0:{own}")
    with tempfile.TemporaryDirectory() as folder:
        path = clips.make(
            Path(folder) / "film.mp4",
            seconds=seconds,
            size=size,
            fps=fps,
            gop=gop,
            extra=("-c:v", name, *params, *extra),
        )
        show = ("-select_streams", "v", "-show_entries", "packet=pts_time,flags", "-of", "json")
        packets = json.loads(clips.run("ffprobe", "-v", "error", *show, str(path)))["packets"]
        lowercase = "hevc" if codec == "h265" else "h264"
        filters = f"{lowercase}_mp4toannexb,{lowercase}_metadata=aud=insert"
        raw = clips.run(
            *("ffmpeg", "-v", "error", "-i", str(path), "-c", "copy", "-bsf:v", filters, "-f", lowercase, "-")
        )
    units = list(_units(codec, raw))
    assert len(units) == len(packets)
    first = min(float(packet["pts_time"]) for packet in packets)
    sets = tuple(nal for nal in units[0] if nal_kind(codec, nal) in _SETS[codec])
    shots = []
    for number, (unit, packet) in enumerate(zip(units, packets, strict=True)):
        rest = tuple(nal for nal in unit if nal_kind(codec, nal) not in _SETS[codec])
        picture = tuple(nal for nal in rest if nal_kind(codec, nal) in _PICTURES[codec])
        stamp = round((float(packet["pts_time"]) - first) * VIDEO_CLOCK)
        shots.append(Shot(rest, number / fps, stamp, "K" in packet["flags"], picture))
    return Film(codec, size, fps, tuple(shots), sets)


def pictures_on_disk(codec: str, path: Path) -> list[tuple[bytes, ...]]:
    """The slices of every frame in a recording, in the file's order."""
    name = "hevc" if codec == "h265" else "h264"
    filters = f"{name}_mp4toannexb,{name}_metadata=aud=insert"
    raw = clips.run(*("ffmpeg", "-v", "error", "-i", str(path), "-c", "copy", "-bsf:v", filters, "-f", name, "-"))
    return [tuple(nal for nal in unit if nal_kind(codec, nal) in _PICTURES[codec]) for unit in _units(codec, raw)]


def strict_decode(path: Path) -> list[str]:
    """An ffmpeg command that says nothing on stderr if the file plays to its end without a flaw."""
    exact = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "null", "-")
    return ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", str(path), *exact]


def _units(codec: str, annex_b: bytes) -> Iterator[list[bytes]]:
    """Access units, each of which begins with a delimiter that is left out."""
    unit: list[bytes] = []
    for part in annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]:
        if nal_kind(codec, part) != _AUD[codec]:
            unit.append(part)
        elif unit:
            yield unit
            unit = []
    yield unit


def play(shown: Film, *, first: int = 0, frames: int = 1_000_000) -> Iterator[Shot]:
    """`frames` frames of a film that is repeated without a break, from its frame number `first` on."""
    for number in range(first, first + frames):
        times, at = divmod(number, len(shown.shots))
        shot = shown.shots[at]
        stamp = shot.stamp + round(times * shown.seconds * VIDEO_CLOCK)
        yield replace(shot, due_s=(number - first) / shown.fps, stamp=stamp)


def with_sets(shown: Film, shots: Iterable[Shot]) -> Iterator[Shot]:
    """The film's parameter sets stand in front of every keyframe."""
    for shot in shots:
        yield replace(shot, nals=(*shown.sets, *shot.nals)) if shot.keyframe else shot


def one_after_the_other(*films: tuple[Film, int]) -> Iterator[Shot]:
    """So many frames of each film, with its parameter sets in-band, as when somebody reconfigures a camera."""
    begin_s = 0.0
    for shown, frames in films:
        for shot in with_sets(shown, play(shown, frames=frames)):
            yield replace(shot, due_s=begin_s + shot.due_s, stamp=shot.stamp + round(begin_s * VIDEO_CLOCK))
        begin_s += frames / shown.fps


def finite(shown: Film, frames: int, **more: int) -> Callable[[], Iterator[Shot]]:
    """A script of so many frames, with the parameter sets in-band."""
    return lambda: with_sets(shown, play(shown, frames=frames, **more))


def once(script: Callable[[], Iterable[Shot]]) -> Callable[[], Iterable[Shot]]:
    """The script for the first viewer; the camera answers later ones, too, but sends them nothing."""
    plays = iter([script])

    def following() -> Iterable[Shot]:
        return next(plays, lambda: [Shot((), 1e6, 0, keyframe=False, picture=())])()

    return following
