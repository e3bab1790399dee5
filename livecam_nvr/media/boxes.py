"""Reads the ISO base media boxes that a live stream begins with: `moov` and what the tracks in it are.

Box layouts: ISO/IEC 14496-12; `avcC`, `hvcC`: ISO/IEC 14496-15; codec strings: RFC 6381 and 14496-15 annex E.
"""

import struct
from collections.abc import Iterator

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Track

_HEADER = struct.Struct(">I4s")


def broken(what: str) -> LivecamError:
    """The error for bytes that are not a stream."""
    return LivecamError(ErrorKind.MEDIA, f"the stream is broken: {what}", "the camera's ffmpeg is restarted")


def children(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes in `data[begin:end]` as (type, begin of content, end).

    Raises:
        LivecamError: MEDIA if a box does not fit into its parent.
    """
    at = begin
    while at + 8 <= end:
        size, kind = _HEADER.unpack_from(data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size < head or at + size > end:
            raise broken(f"box {kind!r} of {size} bytes does not fit")
        yield kind, at + head, at + size
        at += size


def find(data: bytes, begin: int, end: int, *path: bytes) -> tuple[int, int] | None:
    """Begin and end of the content of the first box at `path`, or None."""
    for kind, inner, inner_end in children(data, begin, end):
        if kind == path[0]:
            return (inner, inner_end) if len(path) == 1 else find(data, inner, inner_end, *path[1:])
    return None


def parse_moov(data: bytes, begin: int, end: int) -> tuple[Track, ...]:
    """The tracks of a `moov` whose content is `data[begin:end]`.

    Raises:
        LivecamError: MEDIA if it is damaged.
    """
    try:
        found = (_parse_trak(data, b, e) for kind, b, e in children(data, begin, end) if kind == b"trak")
        return tuple(track for track in found if track is not None)
    except (struct.error, IndexError) as error:
        raise broken("moov is damaged") from error


def default_samples(data: bytes, begin: int, end: int) -> dict[int, tuple[int, int]]:
    """Per track id, default sample duration and flags from the `trex` boxes of a `moov`."""
    mvex = find(data, begin, end, b"mvex")
    result: dict[int, tuple[int, int]] = {}
    if mvex is not None:
        for kind, inner, _ in children(data, *mvex):
            if kind == b"trex":
                track_id, _, duration, _, flags = struct.unpack_from(">5I", data, inner + 4)
                result[track_id] = (duration, flags)
    return result


def name_hvc1(moov: bytes) -> bytes:
    """A whole `moov` box with its H.265 called `hvc1` instead of `hev1` if all parameter sets are in its `hvcC`.

    ffmpeg calls H.265 that it copies from a camera `hev1`, which Apple's players do not take.

    Raises:
        LivecamError: MEDIA if it is damaged.
    """
    named = bytearray(moov)
    for kind, begin, end in children(moov, 8, len(moov)):
        stsd = find(moov, begin, end, b"mdia", b"minf", b"stbl", b"stsd") if kind == b"trak" else None
        entry = next(children(moov, stsd[0] + 8, stsd[1]), None) if stsd else None
        if entry is None or entry[0] != b"hev1":
            continue
        hvcc = find(moov, entry[1] + 78, entry[2], b"hvcC")
        arrays = list(_hvcc_arrays(moov, hvcc[0] + 22)) if hvcc else []
        if {moov[at] & 0x3F for at in arrays} >= {32, 33, 34}:  # VPS, SPS, PPS
            named[entry[1] - 4 : entry[1]] = b"hvc1"
            for at in arrays:
                named[at] |= 0x80  # array_completeness, which hvc1 demands
    return bytes(named)


def with_configuration(moov: bytes, track_id: int, size: tuple[int, int], kind: bytes, content: bytes) -> bytes:
    """A whole `moov` box, whose video track is told to have other pictures.

    Args:
        moov: As it is now.
        track_id: The video track.
        size: The pictures' width and height.
        kind: The configuration box in its sample entry, `avcC` or `hvcC`.
        content: That box's new content.

    Raises:
        LivecamError: MEDIA if it is damaged, or has no such track or box.
    """
    for begin, end in ((b, e) for name, b, e in children(moov, 8, len(moov)) if name == b"trak"):
        tkhd = find(moov, begin, end, b"tkhd")
        if tkhd is None or _track_id(moov, tkhd[0]) != track_id:
            continue
        above = [8, begin]
        inner: tuple[int, int] | None = (begin, end)
        for name in (b"mdia", b"minf", b"stbl", b"stsd"):
            inner = find(moov, *inner, name) if inner else None
            above.append(inner[0] if inner else 0)
        entry = next(children(moov, above[-1] + 8, inner[1]), None) if inner else None
        box = find(moov, entry[1] + 78, entry[2], kind) if entry else None
        if entry is None or box is None:
            break
        above.append(entry[1])
        more = len(content) - (box[1] - box[0])
        new = bytearray(moov)
        struct.pack_into(">II", new, tkhd[1] - 8, size[0] << 16, size[1] << 16)
        struct.pack_into(">HH", new, entry[1] + 24, *size)
        for at in (*above, box[0]):
            struct.pack_into(">I", new, at - 8, int.from_bytes(moov[at - 8 : at - 4], "big") + more)
        new[box[0] : box[1]] = content
        return bytes(new)
    raise broken(f"track {track_id} has no {kind!r}")


def _track_id(data: bytes, tkhd: int) -> int:
    return int.from_bytes(data[tkhd + (20 if data[tkhd] == 1 else 12) :][:4], "big")


def _hvcc_arrays(data: bytes, at: int) -> Iterator[int]:
    """Where the arrays of NAL units in an `hvcC` begin; `at` is that of their number."""
    number, at = data[at], at + 1
    for _ in range(number):
        yield at
        count, at = int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
        for _ in range(count):
            at += 2 + int.from_bytes(data[at : at + 2], "big")


def _parse_trak(data: bytes, begin: int, end: int) -> Track | None:
    tkhd = find(data, begin, end, b"tkhd")
    mdhd = find(data, begin, end, b"mdia", b"mdhd")
    hdlr = find(data, begin, end, b"mdia", b"hdlr")
    stsd = find(data, begin, end, b"mdia", b"minf", b"stbl", b"stsd")
    if tkhd is None or mdhd is None or hdlr is None or stsd is None:
        raise broken("a track lacks tkhd, mdhd, hdlr or stsd")
    handler = data[hdlr[0] + 8 : hdlr[0] + 12]
    kind = {b"vide": "video", b"soun": "audio"}.get(handler)
    if kind is None:
        return None
    track_id = _track_id(data, tkhd[0])
    timescale = struct.unpack_from(">I", data, mdhd[0] + (20 if data[mdhd[0]] == 1 else 12))[0]
    if timescale == 0:
        raise broken("a track has timescale 0")
    entry = next(children(data, stsd[0] + 8, stsd[1]), None)
    if entry is None:
        raise broken("a track has no sample entry")
    fourcc, inner, inner_end = entry
    if kind == "audio":
        return Track(track_id, "audio", _audio_codec(data, fourcc, inner, inner_end), timescale)
    width, height = struct.unpack_from(">HH", data, inner + 24)
    return Track(track_id, "video", _video_codec(data, fourcc, inner + 78, inner_end), timescale, width, height)


def _video_codec(data: bytes, fourcc: bytes, begin: int, end: int) -> str:
    name = fourcc.decode("latin-1")
    if fourcc in {b"avc1", b"avc3"}:
        avcc = find(data, begin, end, b"avcC")
        return f"{name}.{data[avcc[0] + 1 : avcc[0] + 4].hex()}" if avcc else name
    if fourcc in {b"hvc1", b"hev1"}:
        hvcc = find(data, begin, end, b"hvcC")
        return _hevc_codec(name, data[hvcc[0] : hvcc[1]]) if hvcc else name
    return name


def _hevc_codec(name: str, hvcc: bytes) -> str:
    """`hvc1.1.6.L93.B0`: profile, compatibility (bits reversed), tier and level, constraint bytes."""
    profile, compatibility, level = hvcc[1], int.from_bytes(hvcc[2:6], "big"), hvcc[12]
    space = ("", "A", "B", "C")[profile >> 6]
    reversed_bits = int(f"{compatibility:032b}"[::-1], 2)
    tier = "H" if profile & 0x20 else "L"
    constraints = "".join(f".{byte:X}" for byte in hvcc[6:12].rstrip(b"\0"))
    return f"{name}.{space}{profile & 0x1F}.{reversed_bits:X}.{tier}{level}{constraints}"


def _audio_codec(data: bytes, fourcc: bytes, begin: int, end: int) -> str:
    if fourcc == b"mp4a":
        esds = find(data, begin + 28, end, b"esds")
        # The AudioSpecificConfig's first five bits are the object type; it follows descriptor tag 5.
        if esds is not None and (at := data.find(b"\x05", esds[0] + 4 + 18, esds[1])) >= 0:
            at += 1
            while data[at] & 0x80:
                at += 1
            return f"mp4a.40.{data[at + 1] >> 3}"
        return "mp4a.40.2"
    return "opus" if fourcc == b"Opus" else fourcc.decode("latin-1")
