"""What was recorded, read as it lies in the files (core.past.Footage)."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from livecam_nvr.core.past import Keyframe, Part, Piece
from livecam_nvr.domain.coverage import Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.files.boxes import BoxError, Moov, parse_init
from livecam_nvr.storage.footage.footage_file import Layout, Layouts, cut
from livecam_nvr.storage.footage.footage_form import Form, head_of
from livecam_nvr.storage.footage.footage_join import Cut, join
from livecam_nvr.storage.footage.footage_stream import PartStream
from livecam_nvr.storage.footage.footage_walk import box_at
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_MOST_FILES = 200_000
_AT_ONCE = 64
_PATIENCE_S = 1.0
_SOON_NS = NS
_SLACK_NS = NS // 2
_LIVE_SLACK_NS = 2 * NS  # the newest frames are on their way to the disk
_BEFORE = """
    SELECT start_utc_ns + duration_ns FROM segment WHERE camera_id = ? AND start_utc_ns < ?
    ORDER BY start_utc_ns DESC LIMIT 1
"""
_IS_KNOWN = "SELECT 1 FROM segment WHERE path = ?"
_AFTER = "SELECT start_utc_ns FROM segment WHERE camera_id = ? AND start_utc_ns >= ? ORDER BY start_utc_ns LIMIT 1"


class _Place(NamedTuple):
    """A keyframe, and where it lies."""

    path: str
    at: int
    utc_ns: int
    form: Form


class FileFootage:
    """The footage in the archive `root`.

    Args:
        root: The archive.
        index: Tells which files there are.
        growing: The paths (relative to the root) of the files that are being written or sealed, which the index
            does not know yet.
    """

    def __init__(self, root: Path, index: Index, growing: Callable[[], Iterable[str]]) -> None:
        self._root = root
        self._index = index
        self._growing = growing
        self._layouts = Layouts(root)

    async def pieces(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> list[Piece]:
        """See core.past.Footage."""
        growing = await self._growing_of(camera_id)
        rows = await self._index.between(camera_id, begin_utc_ns, end_utc_ns, _MOST_FILES)
        wanted = Span(begin_utc_ns, end_utc_ns)
        cuts: list[Cut] = []
        for first in range(0, len(rows), _AT_ONCE):
            # Some at a time: a thread cannot be cancelled when the viewer has gone.
            some = rows[first : first + _AT_ONCE]
            cuts += await asyncio.to_thread(self._cut_all, some, wanted)
        known = {row.path for row in rows}
        if new := [path for path in growing if path not in known]:
            cuts += await asyncio.to_thread(self._cut_growing, new, wanted)
        return join(camera_id, cuts)

    def head(self, pieces: Sequence[Piece]) -> bytes:
        """See core.past.Footage."""
        return head_of(pieces)

    async def nearest(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> tuple[int | None, int | None]:
        """See core.past.Footage."""

        def look(db: sqlite3.Connection) -> tuple[int | None, int | None]:
            before = db.execute(_BEFORE, (camera_id, begin_utc_ns)).fetchone()
            after = db.execute(_AFTER, (camera_id, end_utc_ns)).fetchone()
            return before[0] if before else None, after[0] if after else None

        return await self._index.ask(look)

    async def read(self, piece: Piece, parts: range | None = None, *, at: int = 0) -> AsyncGenerator[bytes, None]:
        """See core.past.Footage."""
        moov = parse_init(piece.init)
        for number, part in enumerate(piece.parts):
            if parts is None or number in parts:
                # Without this, a reader who leaves would leave the part's file open.
                async with contextlib.aclosing(self._read_part(part, moov, at)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            at += part.duration

    async def keyframe(self, camera_id: str, at_utc_ns: int) -> Keyframe:
        """See core.past.Footage."""
        growing = await self._growing_of(camera_id)
        rows = await self._index.between(camera_id, at_utc_ns - _SLACK_NS, at_utc_ns + _SOON_NS)
        known = {row.path for row in rows}
        new = [path for path in growing if path not in known]
        found = await asyncio.to_thread(self._keyframe, rows, new, at_utc_ns)
        if found is None:
            raise LivecamError(
                ErrorKind.NOT_FOUND,
                f"nothing of {camera_id} was recorded at that time",
                f"/api/cameras/{camera_id}/segments tells what there is",
            )
        return found

    async def _growing_of(self, camera_id: str) -> list[str]:
        growing = [path for path in self._growing() if path.startswith(f"{camera_id}/")]
        # A file that was finished between the two is then in the index.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._index.flush()
        if not growing:
            return []

        def unknown(db: sqlite3.Connection) -> list[str]:
            # A file whose time is being put right counts as being written, too, but the index has it.
            return [path for path in growing if db.execute(_IS_KNOWN, (path,)).fetchone() is None]

        return await self._index.ask(unknown)

    def _cut_all(self, rows: Sequence[Segment], wanted: Span) -> list[Cut]:
        cuts: list[Cut] = []
        for row in rows:
            parts, layout = self._cut(row, wanted)
            if layout is not None:
                cuts += [Cut(part, layout.form, row.run_id, row.sequence, row.merged) for part in parts]
        return cuts

    def _cut(self, row: Segment, wanted: Span) -> tuple[list[Part], Layout | None]:
        for _ in range(2):
            try:
                with self._layouts.opened(row.path) as (read, stat):
                    layout = self._layouts.finished(row.path, read, stat)
                    return cut(read, layout, row.path, row.start_utc_ns, wanted), layout
            except BoxError as error:
                if self._layouts.is_damaged(row.path):  # and is walked over the second time
                    _log.warning("%s is damaged: %s", row.path, error)
            except FileNotFoundError:
                break  # it was deleted, and the index has not heard of it yet
            except OSError as error:
                _log.warning("%s is left out: %s", row.path, in_words(error, row.path))
                break
        return [], None

    def _cut_growing(self, paths: Iterable[str], wanted: Span) -> list[Cut]:
        cuts: list[Cut] = []
        for path in paths:
            # What has no head yet will have one soon; what is gone was empty, or is finished by now.
            with contextlib.suppress(BoxError, OSError), self._layouts.opened(path) as (read, stat):
                layout = self._layouts.growing(path, read, stat)
                begin = layout.begin
                parts = cut(read, layout, path, begin.start_utc_ns, wanted)
                cuts += [Cut(part, layout.form, begin.run_id, begin.sequence) for part in parts]
        return sorted(cuts, key=lambda one: one.part.begin_utc_ns)

    async def _read_part(self, part: Part, moov: Moov, position: int) -> AsyncGenerator[bytes, None]:
        stream = PartStream(self._root, part, moov, position)
        try:
            while chunk := await asyncio.to_thread(stream.chunk):
                yield chunk
        except FileNotFoundError:
            raise LivecamError(
                ErrorKind.NOT_FOUND, f"{part.path} has been deleted meanwhile", "ask for the range again"
            ) from None
        except BoxError as error:
            self._layouts.is_damaged(part.path)
            raise LivecamError(
                ErrorKind.MEDIA, f"{part.path} is damaged: {error}", "ask again: what is whole of it is found then"
            ) from error
        except OSError as error:
            raise LivecamError(ErrorKind.DISK, in_words(error, part.path)) from error
        finally:
            stream.close()

    def _keyframe(self, rows: Sequence[Segment], growing: Iterable[str], at_utc_ns: int) -> Keyframe | None:
        before: list[_Place] = []
        after: list[_Place] = []
        for path, start_utc_ns, layout in self._layouts_of(rows, growing):
            for place, lasts_utc_ns in _places(path, start_utc_ns, layout):
                if place.utc_ns <= at_utc_ns <= lasts_utc_ns:
                    before.append(place)
                elif at_utc_ns < place.utc_ns <= at_utc_ns + _SOON_NS:
                    after.append(place)
        if before:
            return self._load(max(before, key=lambda place: place.utc_ns))
        return self._load(min(after, key=lambda place: place.utc_ns)) if after else None

    def _load(self, place: _Place) -> Keyframe:
        try:
            with self._layouts.opened(place.path) as (read, stat):
                end, _ = box_at(read, place.at, stat.st_size, place.form.moov)
                data = read(place.at, end - place.at)
        except (BoxError, OSError) as error:
            raise LivecamError(ErrorKind.MEDIA, f"{place.path} cannot be read there: {error}") from error
        return Keyframe(place.form.init + data, place.utc_ns)

    def _layouts_of(self, rows: Sequence[Segment], growing: Iterable[str]) -> Iterator[tuple[str, int, Layout]]:
        for row in rows:
            with contextlib.suppress(BoxError, OSError), self._layouts.opened(row.path) as (read, stat):
                yield row.path, row.start_utc_ns, self._layouts.finished(row.path, read, stat)
        for path in growing:
            with contextlib.suppress(BoxError, OSError), self._layouts.opened(path) as (read, stat):
                layout = self._layouts.growing(path, read, stat)
                yield path, layout.begin.start_utc_ns, layout


def _places(path: str, start_utc_ns: int, layout: Layout) -> Iterator[tuple[_Place, int]]:
    """The keyframes of a file, and until when each of them may stand for what was seen."""
    for stretch in layout.stretches:
        lasts = layout.utc_ns(start_utc_ns, stretch.time + stretch.duration) + _SLACK_NS
        for at, time in stretch.keys:
            yield _Place(path, at, layout.utc_ns(start_utc_ns, time), layout.form), lasts
    if layout.newest is not None:
        (at, time), end = layout.newest
        lasts = layout.utc_ns(start_utc_ns, end) + _LIVE_SLACK_NS
        yield _Place(path, at, layout.utc_ns(start_utc_ns, time), layout.form), lasts
