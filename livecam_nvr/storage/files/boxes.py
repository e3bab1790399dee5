"""Walks the boxes of fragmented MP4 as far as finishing and repairing a file needs; pure.

Box layouts: ISO/IEC 14496-12 (8.2.2 mvhd, 8.3.2 tkhd, 8.4.2 mdhd, 8.8.2 mehd, 8.8.3 trex, 8.8.6 to 8.8.12).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

_HEADER = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_I32 = struct.Struct(">i")
_U64 = struct.Struct(">Q")
_NON_SYNC = 0x10000
# What a trun may tell of each sample (8.8.8.1).
_DURATION, _SIZE, _FLAGS, _OFFSET = 0x100, 0x200, 0x400, 0x800
HEADER_BYTES = 8
LARGE_HEADER_BYTES = 16


class BoxError(ValueError):
    """The bytes are not what the box layout demands."""


class Box(NamedTuple):
    """Where a box lies: `body` is where its content begins, `end` where it ends."""

    kind: bytes
    at: int
    body: int
    end: int


def box_header(head: bytes) -> tuple[bytes, int, int]:
    """Type, header size and whole size of the box whose first (up to 16) bytes are `head`.

    Raises:
        BoxError: `head` is too short, or the size is impossible. A box that "extends to the end of the file"
            (size 0) counts as impossible: we never write one, but a power cut may leave zeros.
    """
    if len(head) < HEADER_BYTES:
        raise BoxError("a box header is cut off")
    size, kind = _HEADER.unpack_from(head)
    if size == 1:
        if len(head) < LARGE_HEADER_BYTES:
            raise BoxError("a box header is cut off")
        size, header = _U64.unpack_from(head, HEADER_BYTES)[0], LARGE_HEADER_BYTES
    else:
        header = HEADER_BYTES
    if size < header:
        raise BoxError(f"box {kind!r} claims {size} bytes")
    return kind, header, size


def boxes(data: bytes, begin: int, end: int) -> Iterator[Box]:
    """The boxes that fill `data[begin:end]`.

    Raises:
        BoxError: One does not fit.
    """
    at = begin
    while at < end:
        kind, header, size = box_header(data[at : min(at + LARGE_HEADER_BYTES, end)])
        if at + size > end:
            raise BoxError(f"box {kind!r} of {size} bytes does not fit")
        yield Box(kind, at, at + header, at + size)
        at += size


class TrackHead(NamedTuple):
    """What a `trak` and its `trex` say."""

    track_id: int
    video: bool
    timescale: int
    default_duration: int = 0
    default_size: int = 0
    default_flags: int = 0


class Field(NamedTuple):
    """A number in a `moov` that is patched in place: `track_id` is 0 for the movie's own."""

    at: int
    size: int
    means: Literal["created", "movie duration", "media duration"]
    track_id: int


@dataclass(frozen=True, slots=True)
class Moov:
    """The parts of a `moov` that matter here."""

    timescale: int
    tracks: dict[int, TrackHead]
    fields: tuple[Field, ...]

    @property
    def video(self) -> TrackHead:
        """The first video track.

        Raises:
            BoxError: There is none.
        """
        for track in self.tracks.values():
            if track.video:
                return track
        raise BoxError("the moov has no video track")


def parse_init(data: bytes) -> Moov:
    """The `moov` in an init segment (`ftyp` + `moov`); the fields' places are relative to `data`.

    Raises:
        BoxError: It is damaged or has no video track.
    """
    for box in boxes(data, 0, len(data)):
        if box.kind == b"moov":
            try:
                return _parse_moov(data, box)
            except (struct.error, IndexError) as error:
                raise BoxError("the moov is damaged") from error
    raise BoxError("there is no moov")


def _parse_moov(data: bytes, moov: Box) -> Moov:
    timescale = 0
    fields: list[Field] = []
    tracks: dict[int, TrackHead] = {}
    defaults: dict[int, tuple[int, int, int]] = {}
    for box in boxes(data, moov.body, moov.end):
        if box.kind == b"mvhd":
            wide = data[box.body] == 1
            timescale = _U32.unpack_from(data, box.body + (20 if wide else 12))[0]
            fields += _times(box, wide)
            fields.append(_duration(box, 24 if wide else 16, wide, "movie duration", 0))
        elif box.kind == b"trak":
            track, found = _parse_trak(data, box)
            tracks[track.track_id] = track
            fields += found
        elif box.kind == b"mvex":
            for inner in boxes(data, box.body, box.end):
                if inner.kind == b"mehd":
                    fields.append(_duration(inner, 4, data[inner.body] == 1, "movie duration", 0))
                elif inner.kind == b"trex":
                    track_id, _, duration, size, flags = struct.unpack_from(">5I", data, inner.body + 4)
                    defaults[track_id] = duration, size, flags
    result = Moov(
        timescale, {i: TrackHead(*t[:3], *defaults.get(i, ())) for i, t in tracks.items()}, tuple(fields)
    )
    if not timescale or not result.video.timescale or any(f.at + f.size > moov.end for f in fields):
        raise BoxError("the moov is damaged")
    return result


def _parse_trak(data: bytes, trak: Box) -> tuple[TrackHead, list[Field]]:
    track_id = timescale = 0
    video = False
    fields: list[Field] = []
    media: list[Field] = []
    for box in boxes(data, trak.body, trak.end):
        if box.kind == b"tkhd":
            wide = data[box.body] == 1
            track_id = _U32.unpack_from(data, box.body + (20 if wide else 12))[0]
            fields += _times(box, wide)
            fields.append(_duration(box, 28 if wide else 20, wide, "movie duration", track_id))
        elif box.kind == b"mdia":
            for inner in boxes(data, box.body, box.end):
                if inner.kind == b"mdhd":
                    wide = data[inner.body] == 1
                    timescale = _U32.unpack_from(data, inner.body + (20 if wide else 12))[0]
                    media += _times(inner, wide)
                    media.append(_duration(inner, 24 if wide else 16, wide, "media duration", 0))
                elif inner.kind == b"hdlr":
                    video = data[inner.body + 8 : inner.body + 12] == b"vide"
    fields += [field._replace(track_id=track_id) for field in media]
    return TrackHead(track_id, video, timescale), fields


def _times(box: Box, wide: bool) -> list[Field]:
    """Creation and modification time, which begin mvhd, tkhd and mdhd alike."""
    size = 8 if wide else 4
    return [Field(box.body + 4, size, "created", 0), Field(box.body + 4 + size, size, "created", 0)]


def _duration(
    box: Box, offset: int, wide: bool, means: Literal["movie duration", "media duration"], track_id: int
) -> Field:
    return Field(box.body + offset, 8 if wide else 4, means, track_id)


class Run(NamedTuple):
    """What one `traf` holds; times in the track's ticks."""

    track_id: int
    traf_number: int
    """1 for the first `traf` of its `moof`."""
    time: int
    duration: int
    samples: int
    bytes: int
    sync: bool
    """Its first sample is a sync sample."""
    first_offset: int
    """Composition offset of its first sample."""


def parse_moof(data: bytes, moof: Box, tracks: dict[int, TrackHead]) -> list[Run]:
    """The runs of samples that a `moof` tells of.

    Raises:
        BoxError: It is damaged or belongs to another stream.
    """
    try:
        trafs = [box for box in boxes(data, moof.body, moof.end) if box.kind == b"traf"]
        runs = [_parse_traf(data, box, number, tracks) for number, box in enumerate(trafs, 1)]
    except (struct.error, IndexError) as error:
        raise BoxError("a moof is damaged") from error
    if not runs:
        raise BoxError("a moof has no track")
    return runs


def _parse_traf(data: bytes, traf: Box, number: int, tracks: dict[int, TrackHead]) -> Run:
    track: TrackHead | None = None
    time: int | None = None
    total = _Samples(0, 0, 0, None, 0)
    for box in boxes(data, traf.body, traf.end):
        if box.kind == b"tfhd":
            track = _parse_tfhd(data, box, tracks)
        elif box.kind == b"tfdt":
            time = (_U64 if data[box.body] == 1 else _U32).unpack_from(data, box.body + 4)[0]
        elif box.kind == b"trun" and track is not None:
            total = total.plus(_parse_trun(data, box, track))
    if track is None or time is None:
        raise BoxError("a traf lacks its tfhd or tfdt")
    flags = total.first_flags
    sync = flags is not None and not flags & _NON_SYNC
    return Run(track.track_id, number, time, total.duration, total.samples, total.bytes, sync, total.first_offset)


def _parse_tfhd(data: bytes, box: Box, tracks: dict[int, TrackHead]) -> TrackHead:
    flags, track_id = struct.unpack_from(">II", data, box.body)
    track = tracks.get(track_id)
    if track is None:
        raise BoxError(f"there is no track {track_id}")
    at = box.body + 8 + 8 * bool(flags & 0x01) + 4 * bool(flags & 0x02)
    for bit, name in ((0x08, "default_duration"), (0x10, "default_size"), (0x20, "default_flags")):
        if flags & bit:
            track = track._replace(**{name: _U32.unpack_from(data, at)[0]})
            at += 4
    return track


class _Samples(NamedTuple):
    samples: int
    duration: int
    bytes: int
    first_flags: int | None
    first_offset: int

    def plus(self, other: "_Samples") -> "_Samples":
        return _Samples(
            self.samples + other.samples,
            self.duration + other.duration,
            self.bytes + other.bytes,
            self.first_flags if self.samples else other.first_flags,
            self.first_offset if self.samples else other.first_offset,
        )


def _parse_trun(data: bytes, box: Box, track: TrackHead) -> _Samples:
    flags, count = struct.unpack_from(">II", data, box.body)
    at = box.body + 8 + 4 * bool(flags & 0x001)
    first_flags = track.default_flags
    if flags & 0x004:
        first_flags = _U32.unpack_from(data, at)[0]
        at += 4
    places: dict[int, int] = {}
    stride = 0
    for bit in (_DURATION, _SIZE, _FLAGS, _OFFSET):
        if flags & bit:
            places[bit] = stride
            stride += 4
    if at + count * stride > box.end:
        raise BoxError("a trun claims more samples than it holds")

    def total(bit: int, default: int) -> int:
        if bit not in places:
            return int(default * count)
        numbers = (_U32.unpack_from(data, at + places[bit] + stride * n) for n in range(count))
        return sum(int(number) for (number,) in numbers)

    if count and _FLAGS in places and not flags & 0x004:
        first_flags = _U32.unpack_from(data, at + places[_FLAGS])[0]
    first_offset = 0
    if count and _OFFSET in places:
        first_offset = (_I32 if data[box.body] else _U32).unpack_from(data, at + places[_OFFSET])[0]
    duration = total(_DURATION, track.default_duration)
    return _Samples(count, duration, total(_SIZE, track.default_size), first_flags, first_offset)
