"""What a stream's description says about its tracks, and one description for several streams in one file; pure.

`avcC` and `hvcC`: ISO/IEC 14496-15, 5.3.3 and 8.3.3; parameter sets in the samples themselves (`avc3`, `hev1`):
5.3.2 and 8.4.3. Their ids: ITU-T H.264 7.3.2.1 and 7.3.2.2.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livecam_nvr.media.boxes import broken, children, find

_ENTRY_FIELDS = 8 + 78  # header and fixed fields of a visual sample entry
_H264 = ("avc1", "avc3")
_HEVC = ("hvc1", "hev1")
_MOST_IDS = 32  # of sequence parameter sets; H.264 7.4.2.1.1
_WITH_DEPTH = (100, 110, 122, 144)


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """One track of a stream."""

    track_id: int
    video: bool
    timescale: int
    entry: bytes
    """Its sample entry, the whole box."""
    width: int = 0
    height: int = 0

    @property
    def fourcc(self) -> str:
        """`avc1`, `mp4a` …"""
        return self.entry[4:8].decode("latin-1")


@dataclass(frozen=True, slots=True)
class Format:
    """What an init segment says."""

    init: bytes
    video: TrackFormat
    sound: TrackFormat | None

    @property
    def hevc(self) -> bool:
        """H.265, not H.264."""
        return self.video.fourcc in _HEVC


def read_format(init: bytes) -> Format:
    """Reads an init segment.

    Raises:
        LivecamError: MEDIA if it is damaged, or of a codec that no camera's recording has.
    """
    moov = find(init, 0, len(init), b"moov")
    if moov is None:
        raise broken("there is no moov")
    try:
        tracks = [_track(init, at, end) for kind, at, end in children(init, *moov) if kind == b"trak"]
    except (struct.error, IndexError) as error:
        raise broken("the moov is damaged") from error
    video = next((track for track in tracks if track.video), None)
    if video is None or video.fourcc not in _H264 + _HEVC or not video.timescale:
        raise broken("it has no H.264 or H.265 video")
    sound = next((track for track in tracks if not track.video and track.timescale), None)
    return Format(init, video, sound)


def _track(data: bytes, begin: int, end: int) -> TrackFormat:
    tkhd = find(data, begin, end, b"tkhd")
    mdhd = find(data, begin, end, b"mdia", b"mdhd")
    hdlr = find(data, begin, end, b"mdia", b"hdlr")
    stsd = find(data, begin, end, b"mdia", b"minf", b"stbl", b"stsd")
    if tkhd is None or mdhd is None or hdlr is None or stsd is None:
        raise broken("a track lacks tkhd, mdhd, hdlr or stsd")
    track_id = int.from_bytes(data[tkhd[0] + (20 if data[tkhd[0]] else 12) :][:4], "big")
    timescale = int.from_bytes(data[mdhd[0] + (20 if data[mdhd[0]] else 12) :][:4], "big")
    _, at, stop = next(children(data, stsd[0] + 8, stsd[1]))
    entry = data[at - 8 : stop]
    if data[hdlr[0] + 8 : hdlr[0] + 12] != b"vide":
        return TrackFormat(track_id, video=False, timescale=timescale, entry=entry)
    width, height = struct.unpack_from(">HH", entry, 32)
    return TrackFormat(track_id, video=True, timescale=timescale, entry=entry, width=width, height=height)


def parameter_sets(track: TrackFormat) -> tuple[bytes, ...]:
    """The NAL units in its `avcC` or `hvcC`, in order.

    Raises:
        LivecamError: MEDIA if there is none, or it is damaged.
    """
    hevc = track.fourcc in _HEVC
    box = find(track.entry, _ENTRY_FIELDS, len(track.entry), b"hvcC" if hevc else b"avcC")
    if box is None:
        raise broken("a video track does not describe its pictures")
    data = track.entry[box[0] : box[1]]
    found: list[bytes] = []
    try:
        at = 23 if hevc else 5
        groups = data[22] if hevc else 2
        for number in range(groups):
            if hevc:
                count, at = int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
            else:
                count, at = data[at] & (0x1F if number == 0 else 0xFF), at + 1
            for _ in range(count):
                size = int.from_bytes(data[at : at + 2], "big")
                found.append(data[at + 2 : at + 2 + size])
                at += 2 + size
    except IndexError as error:
        raise broken("the description of the pictures is damaged") from error
    return tuple(found)


def length_bytes(track: TrackFormat) -> int:
    """In how many bytes each NAL unit's length stands."""
    hevc = track.fourcc in _HEVC
    box = find(track.entry, _ENTRY_FIELDS, len(track.entry), b"hvcC" if hevc else b"avcC")
    return (track.entry[box[0] + (21 if hevc else 4)] & 3) + 1 if box else 4


def conflicting(tracks: Iterable[TrackFormat]) -> bool:
    """Whether one description cannot hold the parameter sets of all: two of them have the same id."""
    known: dict[tuple[int, int], bytes] = {}
    return any(known.setdefault(_key(nal), nal) != nal for track in tracks for nal in parameter_sets(track))


def free_id(tracks: Iterable[TrackFormat]) -> int | None:
    """An id that no parameter set of these H.264 tracks has; None if all are taken."""
    taken = {_key(nal)[1] for track in tracks for nal in parameter_sets(track)}
    return next((number for number in range(1, _MOST_IDS) if number not in taken), None)


def entry_for(track: TrackFormat, sets: Sequence[bytes], *, in_band: bool) -> bytes:
    """The sample entry of a file whose pictures need all these parameter sets.

    Args:
        track: The one whose entry is to be kept otherwise.
        sets: The parameter sets of all, without repetitions.
        in_band: They stand in front of each keyframe; the entry holds those of `track` alone, for players that
            want to know something beforehand, and says so by its name.
    """
    entry = track.entry
    if in_band:
        name = b"hev1" if track.fourcc in _HEVC else b"avc3"
        return entry[:4] + name + entry[8:]
    if track.fourcc in _HEVC or set(sets) == set(parameter_sets(track)):
        return entry
    old = find(entry, _ENTRY_FIELDS, len(entry), b"avcC")
    if old is None:
        raise broken("a video track does not describe its pictures")
    record = _avcc(entry[old[0] : old[1]], sets)
    box = struct.pack(">I4s", 8 + len(record), b"avcC") + record
    joined = entry[: old[0] - 8] + box + entry[old[1] :]
    return struct.pack(">I", len(joined)) + joined[4:]


def _avcc(old: bytes, sets: Sequence[bytes]) -> bytes:
    sps = [nal for nal in sets if nal[0] & 0x1F == 7]  # noqa: PLR2004
    pps = [nal for nal in sets if nal[0] & 0x1F == 8]  # noqa: PLR2004
    # The profile and level that all of them keep to: the highest. What only some keep to is not claimed.
    profile = max(nal[1] for nal in sps)
    constraints = 0xFF
    for nal in sps:
        constraints &= nal[2]
    level = max(nal[3] for nal in sps)
    record = bytes((1, profile, constraints, level, old[4], 0xE0 | len(sps)))
    record += b"".join(len(nal).to_bytes(2, "big") + nal for nal in sps)
    record += bytes((len(pps),)) + b"".join(len(nal).to_bytes(2, "big") + nal for nal in pps)
    # Chroma and bit depth follow for the high profiles: 4:2:0 with 8 bits is all that our encoders make.
    return record + (b"\xfd\xf8\xf8\0" if profile in _WITH_DEPTH else b"")


def with_sets(data: bytes, sets: Sequence[bytes], length_size: int) -> bytes:
    """A keyframe's sample with parameter sets in front."""
    return b"".join(len(nal).to_bytes(length_size, "big") + nal for nal in sets) + data


def annex_b(data: bytes, length_size: int) -> bytes:
    """A sample as a byte stream: start codes in place of lengths (ITU-T H.264, annex B)."""
    found: list[bytes] = []
    at = 0
    while at + length_size <= len(data):
        size = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        found += [b"\0\0\0\1", data[at : at + size]]
        at += size
    return b"".join(found)


def _key(nal: bytes) -> tuple[int, int]:
    """A parameter set's type and id; H.265's count as 0, since its encoders know no other.

    The first bytes of H.265's (0x40, 0x42, 0x44) cannot be mistaken for those of H.264's, which end in 7 or 8.
    """
    kind = nal[0] & 0x1F
    if kind in (7, 8):
        return kind, _golomb(nal[4 if kind == 7 else 1 :])  # noqa: PLR2004
    return nal[0] >> 1, 0


def _golomb(data: bytes) -> int:
    """ue(v) at the beginning of `data`; ids are short, so nothing is escaped there."""
    bits = f"{int.from_bytes(data[:8].ljust(8, bytes(1)), 'big'):064b}"
    zeros = bits.find("1")
    return (int(bits[zeros : 2 * zeros + 1], 2) - 1) if 0 <= zeros < _MOST_IDS else 0
