"""What a file gets when it is finished: its durations in place, and its table of keyframes; pure.

Box layouts: ISO/IEC 14496-12, 8.8.9 to 8.8.11 (mfra, tfra, mfro).
"""

import struct
from dataclasses import dataclass, field

from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.files.boxes import Moov

Patch = tuple[int, bytes]
"""Place in the file, and what belongs there."""

_SINCE_1904_S = 2_082_844_800
"""From 1904-01-01, where MP4's times begin, to 1970-01-01."""


@dataclass(slots=True)
class Tally:
    """Counts what lies in a file, fragment by fragment. Times begin at zero, in each track's ticks."""

    video_id: int
    frames: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    """Per track id, where its last sample ends."""
    keys: list[tuple[int, int, int]] = field(default_factory=list)
    """Per keyframe: presentation time, place of its `moof`, number of its `traf`."""

    def add(self, track_id: int, time: int, duration: int, samples: int) -> None:
        """Counts one track's part of a fragment."""
        self.ends[track_id] = max(self.ends.get(track_id, 0), time + duration)
        if track_id == self.video_id:
            self.frames += samples

    def duration_ns(self, timescale: int) -> int:
        """The video's length, nanoseconds."""
        return self.ends.get(self.video_id, 0) * NS // timescale


def duration_patches(moov: Moov, ends: dict[int, int]) -> list[Patch]:
    """The durations in `mvhd`, `tkhd`, `mdhd` and `mehd`; the movie is as long as its longest track."""
    in_movie = {
        # Rounded up, so that a movie never ends before its last sample.
        i: -(-ends.get(i, 0) * moov.timescale // track.timescale) if track.timescale else 0
        for i, track in moov.tracks.items()
    }
    patches: list[Patch] = []
    for place in moov.fields:
        if place.means == "movie duration":
            value = in_movie.get(place.track_id, 0) if place.track_id else max(in_movie.values(), default=0)
        elif place.means == "media duration":
            value = ends.get(place.track_id, 0)
        else:
            continue
        patches.append((place.at, _number(value, place.size)))
    return patches


def created_patches(moov: Moov, utc_ns: int) -> list[Patch]:
    """Creation and modification time in `mvhd`, `tkhd` and `mdhd`: UTC, seconds since 1904."""
    seconds = max(0, utc_ns // NS + _SINCE_1904_S)
    return [(place.at, _number(seconds, place.size)) for place in moov.fields if place.means == "created"]


def patched(data: bytes, patches: list[Patch]) -> bytes:
    """`data` with the patches applied."""
    result = bytearray(data)
    for at, value in patches:
        result[at : at + len(value)] = value
    return bytes(result)


def keyframe_table(tally: Tally) -> bytes:
    """`mfra`: one `tfra` for the video track, and `mfro`."""
    tfra = struct.pack(">III", tally.video_id, 0, len(tally.keys)) + b"".join(
        struct.pack(">QQBBB", max(0, time), at, min(traf, 255), 1, 1) for time, at, traf in tally.keys
    )
    # Version 1: 64-bit times and places. The zeros after the track id say that the three numbers take a byte each.
    tfra = struct.pack(">I4sI", 12 + len(tfra), b"tfra", 1 << 24) + tfra
    size = 8 + len(tfra) + 16
    return struct.pack(">I4s", size, b"mfra") + tfra + struct.pack(">I4sII", 16, b"mfro", 0, size)


def _number(value: int, size: int) -> bytes:
    # All ones means "unknown" (8.2.2.3), which is true of what does not fit.
    return min(value, (1 << 8 * size) - 1).to_bytes(size, "big")
