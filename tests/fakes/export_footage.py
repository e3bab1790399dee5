"""core.past.Footage out of real clips that ffmpeg made: each clip is footage without a gap."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

from livecam_nvr.core.past import Keyframe, Part, Piece
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment, base_times, rebased
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.fragments import FragmentReader

BEGAN = 1_790_000_000 * NS  # 2026-09-21 14:13:20 UTC


def read_clip(path: Path) -> list[Fragment]:
    """Its fragments, with the time since its first frame as `utc_ns`."""
    reader = FragmentReader(itertools.count(), lambda time_s, _: (time_s, round(time_s * NS)))
    return reader.feed(path.read_bytes())


class ClipFootage:
    """Footage; `add` says what there is of which camera, and when it was taken."""

    def __init__(self) -> None:
        self._clips: list[tuple[str, int, list[Fragment]]] = []
        self._contents: dict[Piece, list[Fragment]] = {}
        self.gone: set[str] = set()
        """Cameras whose files are deleted when they are read."""
        self.merging: set[str] = set()
        """The same, but only once: the next time they are found elsewhere."""
        self.held = asyncio.Event()
        """While it is not set, nothing can be read."""
        self.held.set()

    def add(self, camera_id: str, path: Path, begin_utc_ns: int = BEGAN) -> None:
        self._clips.append((camera_id, begin_utc_ns, read_clip(path)))

    async def pieces(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> list[Piece]:
        found = []
        for number, (camera, began, fragments) in enumerate(self._clips):
            first = next(f for f in fragments if f.frames).utc_ns
            if camera != camera_id:
                continue
            video = fragments[0].init.video
            gops: list[list[Fragment]] = []
            for fragment in fragments:
                if fragment.keyframe:
                    gops.append([])
                if gops:
                    gops[-1].append(fragment)
            kept = []
            for gop in gops:
                begin = began + gop[0].utc_ns - first
                end = begin + sum(f.duration for f in gop) * NS // video.timescale
                if begin < end_utc_ns and end > begin_utc_ns:
                    kept.append((begin, gop))
            if not kept:
                continue
            own = [fragment for _, gop in kept for fragment in gop]
            ticks, frames = sum(f.duration for f in own), sum(f.frames for f in own)
            begin = kept[0][0]
            part = Part(f"{camera}/260921/{camera}_{number}.mp4", 0, 0, begin, ticks, frames)
            part = replace(part, end=sum(len(f.data) for f in own))
            init = own[0].init
            piece = Piece(
                camera,
                init.data,
                init.mime,
                video.timescale,
                begin,
                begin + ticks * NS // video.timescale,
                frames,
                (part,),
            )
            self._contents[piece] = own
            found.append(piece)
        return sorted(found, key=lambda piece: piece.begin_utc_ns)

    def head(self, pieces: Sequence[Piece]) -> bytes:
        raise NotImplementedError

    async def nearest(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> tuple[int | None, int | None]:
        raise NotImplementedError

    async def read(self, piece: Piece, parts: range | None = None, *, at: int = 0) -> AsyncGenerator[bytes, None]:
        if piece.camera_id in self.merging:
            self.merging.remove(piece.camera_id)
            raise LivecamError(ErrorKind.NOT_FOUND, "a file has been deleted meanwhile")
        if piece.camera_id in self.gone:
            raise LivecamError(ErrorKind.NOT_FOUND, "a file has been deleted meanwhile")
        own = self._contents[piece]
        bases = base_times(own[0])
        data = b"".join(bytes(part) for fragment in own for part in rebased(fragment, bases))
        for place in range(0, len(data), 50_000):
            await self.held.wait()
            yield data[place : place + 50_000]

    async def keyframe(self, camera_id: str, at_utc_ns: int) -> Keyframe:
        raise NotImplementedError
