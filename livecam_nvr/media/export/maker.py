"""Carries out one export: finds the footage, says what is missing of it, makes the file."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from livecam_nvr.core.exports import ExportGap, ExportReport, ExportRequest, UsedFile
from livecam_nvr.core.past import Footage, Past, Piece
from livecam_nvr.domain.coverage import Gap, Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.encoding import X264, Encoder
from livecam_nvr.media.export.beside import Half, Layout, beside, command
from livecam_nvr.media.export.formats import read_format
from livecam_nvr.media.export.join import Joined, Joiner
from livecam_nvr.media.fonts import Fonts

MOST_S = 86_400
"""The longest time that can be exported at once."""
_MOST_TITLE = 200
_MOST_FPS = 60
_READING = 0.2
"""Side by side, the share of the work that it is to read the footage."""
# Less is the seam between two runs of a camera, not a gap that anybody would miss.
_SMALLEST_GAP_NS = NS // 5
_LEAD_NS = NS
"""Pictures may be decoded so long before they are shown, and no time may be negative."""

Progress = Callable[[float, str], None]
"""Takes the share that is done, and what is being done."""


class ExportMaker:
    """Makes the files.

    Args:
        footage: Reads what was recorded.
        titles: The cameras there are, and what people call them.
        past: Knows why there is no footage; None: nobody does.
        encoder: For pictures side by side.
    """

    def __init__(
        self,
        footage: Footage,
        titles: Mapping[str, str],
        past: Past | None = None,
        encoder: Encoder = X264,
    ) -> None:
        self._footage = footage
        self._titles = titles
        self._past = past
        self._encoder = encoder
        self._fonts = Fonts()

    def check(self, request: ExportRequest) -> None:
        """Raises LivecamError NOT_FOUND for an unknown camera, INVALID for a request that is not right."""
        for camera_id in request.cameras:
            if camera_id not in self._titles:
                raise unknown_camera(camera_id, self._titles)
        if not 1 <= len(request.cameras) <= 2 or len(set(request.cameras)) < len(request.cameras):  # noqa: PLR2004
            raise LivecamError(ErrorKind.INVALID, "one camera is needed, or two different ones for side by side")
        if request.begin_utc_ns >= request.end_utc_ns:
            raise LivecamError(
                ErrorKind.INVALID, "`from` does not lie before `to`", "give the earlier moment as `from`"
            )
        if request.end_utc_ns - request.begin_utc_ns > MOST_S * NS:
            raise LivecamError(
                ErrorKind.INVALID, "the time is too long for one export", f"at most {MOST_S // 3600} hours"
            )
        if len(request.title) > _MOST_TITLE or not request.title.isprintable():
            raise LivecamError(
                ErrorKind.INVALID, "the title is not right", f"one line of at most {_MOST_TITLE} characters"
            )

    async def find(self, request: ExportRequest) -> dict[str, list[Piece]]:
        """The footage there is, by camera.

        Raises:
            LivecamError: NOT_FOUND if there is none; UNAVAILABLE if there is no index.
        """
        found = {
            camera_id: await self._footage.pieces(camera_id, request.begin_utc_ns, request.end_utc_ns)
            for camera_id in request.cameras
        }
        if not any(found.values()):
            cameras = " and ".join(request.cameras)
            raise LivecamError(
                ErrorKind.NOT_FOUND, f"nothing of {cameras} was recorded in that time", "ask for another time"
            )
        return found

    async def make(
        self, request: ExportRequest, found: Mapping[str, list[Piece]], path: Path, progress: Progress
    ) -> ExportReport:
        """Makes the file `path`, which must not be there; durable when this returns.

        Raises:
            LivecamError: What was found has been deleted meanwhile, is damaged, cannot be encoded.
            OSError: The disk refuses.
        """
        gaps = await self._gaps(request, found)
        facts = _facts(request, self._titles, gaps)
        if len(request.cameras) == 1:
            joined = await self._one(request, found[request.cameras[0]], path, facts, progress)
        else:
            joined = await self._two(request, found, path, facts, progress)
        return ExportReport(
            request,
            joined.begin_utc_ns,
            joined.duration_ns,
            joined.frames,
            joined.recoded,
            joined.bytes,
            tuple(
                UsedFile(piece.camera_id, part.path, part.begin_utc_ns, part.frames)
                for pieces in found.values()
                for piece in pieces
                for part in piece.parts
            ),
            gaps,
            joined.notes,
        )

    async def _one(
        self, request: ExportRequest, pieces: list[Piece], path: Path, facts: Mapping[str, str], progress: Progress
    ) -> Joined:
        joiner = Joiner(
            self._footage,
            pieces,
            path,
            within=Span(request.begin_utc_ns, request.end_utc_ns) if request.exact else None,
            facts={_ATOMS[key]: value for key, value in facts.items()},
            progress=lambda share: progress(share, "copying"),
        )
        return await joiner.run()

    async def _two(
        self,
        request: ExportRequest,
        found: Mapping[str, list[Piece]],
        path: Path,
        facts: Mapping[str, str],
        progress: Progress,
    ) -> Joined:
        wanted = Span(request.begin_utc_ns, request.end_utc_ns)
        begins = [pieces[0].begin_utc_ns for pieces in found.values() if pieces]
        origin = min(wanted.begin_utc_ns, *begins) - _LEAD_NS
        some = next(pieces for pieces in found.values() if pieces)
        halves: list[Half] = []
        notes: list[str] = []
        try:
            for number, (camera_id, pieces) in enumerate(found.items()):
                own = path.with_name(f"{path.name}.{number}.mp4")
                shown = pieces or some  # of a camera without footage, only the size is taken from the other one
                described = read_format(shown[0].init)
                done = number / len(found)
                joiner = Joiner(
                    self._footage,
                    shown,
                    own,
                    keep_gaps_from=origin,
                    progress=lambda share, done=done: progress(  # type: ignore[misc]
                        _READING * (done + share / len(found)), "reading"
                    ),
                )
                notes += (await joiner.run()).notes
                halves.append(
                    Half(
                        own,
                        self._titles[camera_id],
                        described.video.width,
                        described.video.height,
                        tuple(Span(piece.begin_utc_ns, piece.end_utc_ns) for piece in pieces),
                        bool(pieces) and described.sound is not None,
                    )
                )
            fps = max((_fps(pieces) for pieces in found.values() if pieces), default=1)
            layout = Layout(wanted, origin, fps, await self._fonts.work())
            argv = command(halves, layout, self._encoder, facts, path)
            frames = await beside(
                argv, layout, lambda share: progress(_READING + (1 - _READING) * share, "encoding")
            )
        finally:
            await asyncio.to_thread(_remove, [path.with_name(f"{path.name}.{n}.mp4") for n in range(len(found))])
        size = await asyncio.to_thread(lambda: path.stat().st_size)
        return Joined(frames, frames, frames * NS // fps, size, wanted.begin_utc_ns, tuple(dict.fromkeys(notes)))

    async def _gaps(self, request: ExportRequest, found: Mapping[str, list[Piece]]) -> tuple[ExportGap, ...]:
        wanted = Span(request.begin_utc_ns, request.end_utc_ns)
        gaps: list[ExportGap] = []
        for camera_id, pieces in found.items():
            missing = gaps_between(wanted, pieces)
            known: Sequence[Gap] = ()
            if missing and self._past is not None:
                with contextlib.suppress(LivecamError):  # then it is not known why
                    known = (await self._past.coverage(camera_id, *_bounds(wanted))).gaps
            gaps += (_explained(ExportGap(camera_id, *_bounds(span)), known) for span in missing)
        return tuple(gaps)


_ATOMS = {"title": "\xa9nam", "artist": "\xa9ART", "comment": "\xa9cmt"}
"""What MP4 calls these facts (ffmpeg's libavformat/movenc.c, mov_write_ilst_tag)."""


def gaps_between(wanted: Span, pieces: Sequence[Piece]) -> list[Span]:
    """The parts of a time that no piece covers."""
    edges = [wanted.begin_utc_ns]
    for piece in pieces:
        edges += [piece.begin_utc_ns, max(piece.end_utc_ns, edges[-1])]
    edges.append(wanted.end_utc_ns)
    spans = (Span(begin, end) for begin, end in list(pairwise(edges))[::2])
    return [span for span in spans if span.duration_ns >= _SMALLEST_GAP_NS]


def file_name(request: ExportRequest) -> str:
    """What people call the file: cameras and local time."""
    begin, end = (datetime.fromtimestamp(ns / NS).astimezone() for ns in _ends(request))
    return f"{'+'.join(request.cameras)}_{begin:%Y%m%d_%H%M%S}-{end:%H%M%S}.mp4"


def _facts(request: ExportRequest, titles: Mapping[str, str], gaps: Sequence[ExportGap]) -> dict[str, str]:
    names = ", ".join(titles[camera_id] for camera_id in request.cameras)
    begin, end = (datetime.fromtimestamp(ns / NS).astimezone() for ns in _ends(request))
    said = [f"{begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} (UTC{begin:%z})"]
    for gap in gaps[:50]:
        first, last = (datetime.fromtimestamp(ns / NS).astimezone() for ns in (gap.begin_utc_ns, gap.end_utc_ns))
        why = f" ({gap.text})" if gap.text else ""
        said.append(f"nothing of {gap.camera_id} from {first:%H:%M:%S} to {last:%H:%M:%S}{why}")
    return {"title": request.title or names, "artist": names, "comment": "; ".join(said)}


def _explained(gap: ExportGap, known: Sequence[Gap]) -> ExportGap:
    """The gap with the cause that lasts longest in it."""

    def shared(other: Gap) -> int:
        return min(gap.end_utc_ns, other.end_utc_ns) - max(gap.begin_utc_ns, other.begin_utc_ns)

    best = max(known, key=shared, default=None)
    if best is None or shared(best) <= 0:
        return gap
    return replace(gap, cause=best.cause.value, words=best.words)


def _fps(pieces: Sequence[Piece]) -> int:
    frames = sum(piece.frames for piece in pieces)
    lasted = sum(piece.end_utc_ns - piece.begin_utc_ns for piece in pieces)
    return max(1, min(_MOST_FPS, round(frames * NS / lasted))) if lasted else 1


def _bounds(span: Span) -> tuple[int, int]:
    return span.begin_utc_ns, span.end_utc_ns


def _ends(request: ExportRequest) -> tuple[int, int]:
    return request.begin_utc_ns, request.end_utc_ns


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
