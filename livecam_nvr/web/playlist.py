"""HLS playlists of a camera's memory (RFC 8216, version 7, fragmented MP4). Pure.

A media segment is one GOP. Its media sequence number is given once and never again to another one, and the count
begins at a number taken from the clock, so that neither a restart of the camera nor one of the service
makes a playing viewer's numbers go back.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from livecam_nvr.domain.media import Fragment, InitSegment
from livecam_nvr.domain.segment import NS

_EPOCH_S = 1_700_000_000
_PER_S = 4  # more GOPs a second than that for ever, and a restarted service would begin below them
# Hours, because players keep a list that is as long as this number (hls.js 1.7 walks through it at each reload).
_RUN_EPOCH_UNIT_S = 3600
_MIN_LISTED = 3
_HELD_BACK = 2  # the oldest are about to leave the memory: whoever reads of them now would come too late


@dataclass(frozen=True, slots=True)
class Gop:
    """A finished GOP: what a playlist says of it, and where it is in memory. Holds no media."""

    init: InitSegment
    number: int
    """Of its first fragment."""
    fragments: int
    duration_s: float
    utc_ns: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A media segment."""

    sequence: int
    run: int
    """Its discontinuity sequence number: one per run of the camera."""
    gop: Gop


@dataclass(frozen=True, slots=True)
class Shelf:
    """One camera's media segments in memory, oldest first, and the counters that must never go back."""

    entries: tuple[Entry, ...] = ()
    last: Entry | None = None
    """The newest ever numbered."""
    target_s: int = 1
    """Grows with the longest GOP ever seen, never shrinks."""

    @property
    def listed(self) -> tuple[Entry, ...]:
        """The entries that a playlist tells of."""
        return self.entries[-max(_MIN_LISTED, len(self.entries) - _HELD_BACK) :]

    def find(self, sequence: int) -> Entry | None:
        """The entry with that number."""
        return next((entry for entry in self.entries if entry.sequence == sequence), None)

    def init_of(self, run: int) -> InitSegment | None:
        """The init segment of that run."""
        return next((entry.gop.init for entry in self.entries if entry.run == run), None)


def finished_gops(ring: Sequence[Fragment], running: InitSegment | None) -> list[Gop]:
    """The GOPs in memory to which nothing will be added; the newest counts only if its run has ended."""
    starts = [
        at
        for at, fragment in enumerate(ring)
        if fragment.keyframe or at == 0 or fragment.init is not ring[at - 1].init
    ]
    gops: list[Gop] = []
    for begin, end in pairwise([*starts, len(ring)]):
        if end < len(ring) or ring[begin].init is not running:
            gops.append(_gop(ring[begin:end], ring[end] if end < len(ring) else None))
    return gops


def _gop(fragments: Sequence[Fragment], after: Fragment | None) -> Gop:
    first, last = fragments[0], fragments[-1]
    follows = after is not None and after.init is first.init and after.time > last.time
    end = after.time if after is not None and follows else last.time + last.duration
    return Gop(
        init=first.init,
        number=first.number,
        fragments=len(fragments),
        duration_s=max(0.001, (end - first.time) / first.init.video.timescale),
        utc_ns=first.utc_ns,
        bytes=sum(len(fragment.data) for fragment in fragments),
    )


def shelve(before: Shelf, gops: Sequence[Gop]) -> Shelf:
    """The shelf after `gops` (all that are in memory now, oldest first): old ones keep their numbers."""
    known = {entry.gop.number: entry for entry in before.entries}
    last, target_s = before.last, before.target_s
    entries: list[Entry] = []
    for gop in gops:
        entry = known.get(gop.number)
        if entry is None:
            if last is None:
                since = max(0, gop.utc_ns // NS - _EPOCH_S)
                entry = Entry(since * _PER_S, since // _RUN_EPOCH_UNIT_S, gop)
            else:
                entry = Entry(last.sequence + 1, last.run + (gop.init is not last.gop.init), gop)
            last = entry
            target_s = max(target_s, math.ceil(gop.duration_s))
        entries.append(entry)
    return Shelf(tuple(entries), last, target_s)


def gop_bytes(ring: Sequence[Fragment], gop: Gop) -> bytes | None:
    """The media of a GOP; None if it is no longer in memory."""
    at = bisect_left(ring, gop.number, key=lambda fragment: fragment.number)
    if at == len(ring) or ring[at].number != gop.number:
        return None
    return b"".join(fragment.data for fragment in ring[at : at + gop.fragments])


def media_playlist(shelf: Shelf, query: str = "") -> str:
    """The live media playlist; `shelf` must not be empty. `query` is put behind all that it names."""
    listed = shelf.listed
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{shelf.target_s}",
        f"#EXT-X-MEDIA-SEQUENCE:{listed[0].sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{listed[0].run}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    run: int | None = None
    for entry in listed:
        if entry.run != run:
            if run is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="init-{entry.run}.mp4{query}"')
            run = entry.run
        moment = datetime.fromtimestamp(entry.gop.utc_ns / NS, UTC)
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            f"#EXTINF:{entry.gop.duration_s:.5f},",
            f"{entry.sequence}.m4s{query}",
        ]
    return "\n".join(lines) + "\n"


def master_playlist(shelf: Shelf, query: str = "") -> str:
    """The playlist to open: one variant, with what a player wants to know beforehand."""
    newest = shelf.entries[-1].gop
    alike = [entry.gop for entry in shelf.entries if entry.gop.init is newest.init]
    peak = max(math.ceil(gop.bytes * 8 / gop.duration_s) for gop in alike)
    average = math.ceil(sum(gop.bytes for gop in alike) * 8 / sum(gop.duration_s for gop in alike))
    codecs = ",".join(track.codec for track in newest.init.tracks)
    video = newest.init.video
    size = f",RESOLUTION={video.width}x{video.height}" if video.width and video.height else ""
    return (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{codecs}"{size}\n'
        f"live.m3u8{query}\n"
    )
