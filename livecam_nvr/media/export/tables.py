"""The `moov` of an ordinary MP4 file; pure.

Box layouts: ISO/IEC 14496-12, 8.2 to 8.7; a file's facts (`ilst`) are written as ffmpeg does (mov_write_ilst_tag
in libavformat/movenc.c).
"""

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

_MOVIE_SCALE = 1000
_SINCE_1904_S = 2_082_844_800
_MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_UNDETERMINED = 0x55C4  # "und", three letters of five bits


@dataclass(slots=True)
class Track:
    """The table of one track, filled as its samples are written."""

    video: bool
    timescale: int
    entry: bytes = b""
    """The sample entry; may be set when all samples are known."""
    width: int = 0
    height: int = 0
    times: "array[int]" = field(default_factory=lambda: array("q"))
    """Decode times, never decreasing."""
    offsets: "array[int]" = field(default_factory=lambda: array("i"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    keys: "array[int]" = field(default_factory=lambda: array("I"))
    """Numbers of the keyframes, from 1 on."""
    chunks: list[tuple[int, int]] = field(default_factory=list)
    """Place in the media, and samples that lie there one after the other."""
    end: int = 0
    """When its last sample ends."""
    _chunk_end: int = -1

    def add(self, dts: int, duration: int, offset: int, size: int, *, sync: bool, at: int) -> None:
        """Counts a sample whose bytes lie at `at`."""
        if self.chunks and at == self._chunk_end:
            self.chunks[-1] = (self.chunks[-1][0], self.chunks[-1][1] + 1)
        else:
            self.chunks.append((at, 1))
        self._chunk_end = at + size
        self.times.append(dts)
        self.offsets.append(offset)
        self.sizes.append(size)
        if sync:
            self.keys.append(len(self.sizes))
        self.end = dts + duration


def movie(
    tracks: Sequence[Track], base: int, created_utc_s: int, facts: Mapping[str, str], *, large: bool
) -> bytes:
    """The whole `moov` box.

    Args:
        tracks: At least one with samples.
        base: Where the media's first byte lies in the file.
        created_utc_s: When the first picture was taken.
        facts: `©nam` (title), `©cmt` (comment) … and their text.
        large: Whether places need 64 bits.
    """
    created = created_utc_s + _SINCE_1904_S
    length = max(_in_movie(track.end, track) for track in tracks)
    head = struct.pack(">IQQIQ", 1 << 24, created, created, _MOVIE_SCALE, length)
    head += struct.pack(">IH10x", 1 << 16, 1 << 8) + _MATRIX + bytes(24) + struct.pack(">I", len(tracks) + 1)
    traks = (_trak(number, track, base, created, large=large) for number, track in enumerate(tracks, 1))
    return box(b"moov", box(b"mvhd", head), *traks, _facts(facts))


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of these parts."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _trak(number: int, track: Track, base: int, created: int, *, large: bool) -> bytes:
    length = _in_movie(track.end, track)
    tkhd = struct.pack(">IQQII", 1 << 24 | 3, created, created, number, 0) + struct.pack(">Q8x", length)
    tkhd += struct.pack(">HHHH", 0, 0, 0 if track.video else 1 << 8, 0) + _MATRIX
    tkhd += struct.pack(">II", track.width << 16, track.height << 16)
    mdhd = struct.pack(">IQQIQ", 1 << 24, created, created, track.timescale, track.end) + struct.pack(
        ">HH", _UNDETERMINED, 0
    )
    kind, name = (b"vide", b"Video\0") if track.video else (b"soun", b"Sound\0")
    media_head = box(b"vmhd", struct.pack(">I8x", 1)) if track.video else box(b"smhd", struct.pack(">I4x", 0))
    dref = box(b"dref", struct.pack(">II", 0, 1), box(b"url ", struct.pack(">I", 1)))
    minf = box(b"minf", media_head, box(b"dinf", dref), _stbl(track, base, large=large))
    hdlr = box(b"hdlr", bytes(8), kind, bytes(12), name)
    return box(b"trak", box(b"tkhd", tkhd), _edits(track), box(b"mdia", box(b"mdhd", mdhd), hdlr, minf))


def _edits(track: Track) -> bytes:
    """A track that begins late is told to: nothing, and then all of it.

    Its media's time begins with its first decode time; where pictures are decoded in another order than shown,
    the first one is shown a little later. Some players count from there in any case, so it is said.
    """
    begin = track.times[0] if track.times else 0
    if not begin:
        return b""
    lead = track.offsets[0]
    entries = ((_in_movie(begin + lead, track), -1), (_in_movie(track.end - begin, track), lead))
    body = b"".join(struct.pack(">QqI", length, begin, 1 << 16) for length, begin in entries)
    return box(b"edts", box(b"elst", struct.pack(">II", 1 << 24, len(entries)), body))


def _stbl(track: Track, base: int, *, large: bool) -> bytes:
    parts = [box(b"stsd", struct.pack(">II", 0, 1), track.entry)]
    parts.append(_runs(b"stts", 0, _durations(track), ">II"))
    if any(track.offsets):
        parts.append(_runs(b"ctts", 1 << 24, track.offsets, ">Ii"))
    if track.video and len(track.keys) < len(track.sizes):
        parts.append(box(b"stss", struct.pack(">II", 0, len(track.keys)), _big(track.keys)))
    parts.append(_stsc(track))
    parts.append(box(b"stsz", struct.pack(">III", 0, 0, len(track.sizes)), _big(track.sizes)))
    places = array("Q" if large else "I", (base + at for at, _ in track.chunks))
    parts.append(box(b"co64" if large else b"stco", struct.pack(">II", 0, len(places)), _big(places)))
    return box(b"stbl", *parts)


def _durations(track: Track) -> Iterator[int]:
    times = track.times
    for number in range(1, len(times)):
        yield times[number] - times[number - 1]
    if times:
        yield track.end - times[-1]


def _runs(kind: bytes, flags: int, values: Iterable[int], layout: str) -> bytes:
    runs = [struct.pack(layout, sum(1 for _ in same), value) for value, same in groupby(values)]
    return box(kind, struct.pack(">II", flags, len(runs)), *runs)


def _stsc(track: Track) -> bytes:
    entries = []
    number = 1
    for count, same in groupby(samples for _, samples in track.chunks):
        entries.append(struct.pack(">III", number, count, 1))
        number += sum(1 for _ in same)
    return box(b"stsc", struct.pack(">II", 0, len(entries)), *entries)


def _facts(facts: Mapping[str, str]) -> bytes:
    if not facts:
        return b""
    items = [
        box(name.encode("latin-1"), box(b"data", struct.pack(">II", 1, 0), text.encode()))
        for name, text in facts.items()
        if text
    ]
    hdlr = box(b"hdlr", bytes(8), b"mdir", b"appl", bytes(9))
    return box(b"udta", box(b"meta", bytes(4), hdlr, box(b"ilst", *items)))


def _big(values: "array[int]") -> bytes:
    turned = array(values.typecode, values)
    turned.byteswap()
    return turned.tobytes()


def _in_movie(ticks: int, track: Track) -> int:
    return -(-ticks * _MOVIE_SCALE // track.timescale)
