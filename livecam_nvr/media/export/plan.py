"""Decides what the one description of a joined file is, and when each picture was taken; pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from livecam_nvr.core.past import Piece
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.formats import Format, TrackFormat, conflicting, free_id, length_bytes, read_format

_COMMON_TIMESCALE = 90_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How footage of perhaps several formats becomes one file."""

    formats: tuple[Format, ...]
    """Of each piece."""
    video: TrackFormat
    """Whose description the file gets."""
    sound: TrackFormat | None
    timescale: int
    """Of the pictures in the file."""
    in_band: bool
    """Parameter sets stand in front of each keyframe, as one description cannot hold them all."""
    set_id: int
    """For the parameter sets of what is encoded anew."""
    length_size: int
    """In how many bytes the NAL units' lengths stand in the file."""

    @property
    def hevc(self) -> bool:
        """The file has H.265, not H.264."""
        return self.video.fourcc in ("hvc1", "hev1")


def plan(pieces: Sequence[Piece], *, exact: bool) -> Plan:
    """The plan for these pieces (one at least).

    Raises:
        LivecamError: MEDIA if one of them cannot be understood.
    """
    formats = tuple(read_format(piece.init) for piece in pieces)
    hevc = _most([(one.hevc, piece.frames) for one, piece in zip(formats, pieces, strict=True)])
    alike = [(one, piece.frames) for one, piece in zip(formats, pieces, strict=True) if one.hevc is hevc]
    entries = _most([(one.video.entry, frames) for one, frames in alike])
    video = next(one.video for one, _ in alike if one.video.entry == entries)
    sounds = [
        ((one.sound.entry, one.sound.timescale), piece.frames)
        for one, piece in zip(formats, pieces, strict=True)
        if one.sound is not None
    ]
    loudest = _most(sounds) if sounds else None
    sound = next(
        (one.sound for one in formats if one.sound and (one.sound.entry, one.sound.timescale) == loudest), None
    )
    scales = {one.video.timescale for one in formats}
    tracks = [one.video for one, _ in alike]
    set_id = free_id(tracks)
    anew = exact or len(alike) < len(formats)
    return Plan(
        formats,
        video,
        sound,
        scales.pop() if len(scales) == 1 else _COMMON_TIMESCALE,
        in_band=conflicting(tracks) or (anew and (hevc or set_id is None)),
        set_id=set_id or 0,
        length_size=length_bytes(video),
    )


class PieceClock:
    """When the pictures of a piece were taken, by their times in its stream (ticks, from its first picture on)."""

    def __init__(self, piece: Piece) -> None:
        self._timescale = piece.timescale
        self._begins: list[tuple[int, int]] = []
        ticks = 0
        for part in piece.parts:
            # Each file knows when it began, so a camera's slow clock cannot add up over hours.
            self._begins.append((ticks, part.begin_utc_ns))
            ticks += part.duration
        if not self._begins:
            self._begins.append((0, piece.begin_utc_ns))

    def utc_ns(self, ticks: int) -> int:
        """UTC of a picture."""
        at = max(0, bisect_right(self._begins, ticks, key=lambda begin: begin[0]) - 1)
        begin, utc_ns = self._begins[at]
        return utc_ns + (ticks - begin) * NS // self._timescale


def _most(weighed: Sequence[tuple[T, int]]) -> T:
    """The value that has the most weight; the first of equals."""
    sums: dict[T, int] = {}
    for value, weight in weighed:
        sums[value] = sums.get(value, 0) + weight
    return max(sums, key=lambda value: sums[value])
