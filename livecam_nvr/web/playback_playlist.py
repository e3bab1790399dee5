"""HLS playlists of what was recorded (RFC 8216, version 7, fragmented MP4). Pure.

All that a media segment's address says is when it begins and ends and where it lies in its piece, so it means the
same after a restart, and also when the files were merged meanwhile. How a piece is divided depends on nothing but
its files: a playlist that is read again while it grows keeps all that it had.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from livecam_nvr.core.past import Part, Piece
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.status import iso

_USUAL_S = 6.0
# A playlist that grows must not change its target duration (RFC 8216, 6.2.1): this is enough for usual cameras.
_LEAST_TARGET_S = 10


class Chunk(NamedTuple):
    """A media segment: some GOPs of one file."""

    begin_utc_ns: int
    end_utc_ns: int
    position: int
    """Its decode time since the piece's begin, ticks of the video."""
    duration: int
    """Ticks."""


def chunks(piece: Piece) -> Iterator[Chunk]:
    """The media segments of a piece."""
    position = 0
    for part in piece.parts:
        for begin, end in _spans(part, piece.timescale):
            begin_utc_ns, end_utc_ns = (part.begin_utc_ns + at * NS // piece.timescale for at in (begin, end))
            yield Chunk(begin_utc_ns, end_utc_ns, position + begin, end - begin)
        position += part.duration


def _spans(part: Part, timescale: int) -> Iterator[tuple[int, int]]:
    """Groups of GOPs that are as long as a media segment should be; the last one may be shorter."""
    begin = 0
    for _, time in part.keys[1:]:
        if time - begin >= _USUAL_S * timescale:
            yield begin, time
            begin = time
    yield begin, part.duration


def is_short(chunk: Chunk, piece: Piece) -> bool:
    """Whether more GOPs would be added to it, were there any."""
    return chunk.duration < _USUAL_S * piece.timescale


def playlist(pieces: Sequence[Piece], listed: Sequence[Sequence[Chunk]], *, over: bool, query: str = "") -> str:
    """The media playlist.

    Args:
        pieces: What it is of.
        listed: Per piece, its media segments.
        over: Nothing will be added to it.
        query: Put behind all that it names.
    """
    longest_s = max(
        (chunk.duration / piece.timescale for piece, some in zip(pieces, listed, strict=True) for chunk in some),
        default=0.0,
    )
    target_s = math.ceil(longest_s) if over else max(_LEAST_TARGET_S, math.ceil(longest_s))
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, target_s)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if over else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    first = True
    for piece, some in zip(pieces, listed, strict=True):
        if not some:
            continue
        if not first:
            lines.append("#EXT-X-DISCONTINUITY")
        first = False
        lines.append(f'#EXT-X-MAP:URI="playback/{piece.begin_utc_ns}/init.mp4{query}"')
        for chunk in some:
            lines += [
                f"#EXT-X-PROGRAM-DATE-TIME:{iso(chunk.begin_utc_ns)}",
                f"#EXTINF:{chunk.duration / piece.timescale:.6f},",
                f"playback/{chunk.begin_utc_ns}-{chunk.end_utc_ns}/{chunk.position}.m4s{query}",
            ]
    if over:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
