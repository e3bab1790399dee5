"""Pieces of footage as one file of a known size, of which any bytes can be read."""

import hashlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise

from livecam_nvr.core.past import Footage, Part, Piece
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.status import iso

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Film:
    """The file. Where nothing was recorded it goes on at once with what follows."""

    head: bytes
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.head) + sum(part.end - part.begin for piece in self.pieces for part in piece.parts)

    @property
    def etag(self) -> str:
        """Differs whenever a byte does."""
        known = hashlib.blake2b(self.head, digest_size=12)
        for piece in self.pieces:
            for part in piece.parts:
                known.update(f"{part.path} {part.begin} {part.end} {part.begin_utc_ns}\n".encode())
        return f'"{known.hexdigest()}"'


def film_of(footage: Footage, pieces: Sequence[Piece]) -> Film:
    """The film that pieces make.

    Raises:
        LivecamError: CONFLICT if they have more than one format.
    """
    changes = [b.begin_utc_ns for a, b in pairwise(pieces) if a.init != b.init]
    if changes:
        told = ", ".join(iso(change) for change in changes[:_MOST_TOLD])
        more = ", …" if len(changes) > _MOST_TOLD else ""
        raise LivecamError(
            ErrorKind.CONFLICT,
            f"one file cannot hold the formats of this range, which changes at {told}{more}",
            "ask for what lies between those moments, or use playback.m3u8 or an export for all of it",
        )
    return Film(footage.head(pieces), tuple(pieces))


async def read_film(footage: Footage, film: Film, wanted: range) -> AsyncGenerator[bytes, None]:
    """The bytes `wanted` of a film, in chunks.

    Raises:
        LivecamError: As `Footage.read`.
    """
    if wanted.start < len(film.head):
        yield film.head[wanted.start : wanted.stop]
    at = len(film.head)
    for piece, part, ticks in _parts(film):
        end = at + part.end - part.begin
        if at < wanted.stop and end > wanted.start:
            first, into_part = _from(part, max(0, wanted.start - at))
            skip = max(0, wanted.start - at - (first.begin - part.begin))
            left = min(end, wanted.stop) - max(at, wanted.start)
            reading = footage.read(replace(piece, parts=(first,)), at=ticks + into_part)
            async with aclosing(reading) as chunks:
                async for chunk in chunks:
                    some = chunk[skip : skip + left]
                    skip = max(0, skip - len(chunk))
                    left -= len(some)
                    if some:
                        yield some
                    if not left:
                        break
        at = end


def _parts(film: Film) -> Iterator[tuple[Piece, Part, int]]:
    """All parts, each with its piece and the decode time at which it begins."""
    ticks = 0
    for piece in film.pieces:
        for part in piece.parts:
            yield piece, part, ticks
            ticks += part.duration


def _from(part: Part, offset: int) -> tuple[Part, int]:
    """The part from the GOP on in which its byte `offset` lies, and that GOP's time since the part's begin."""
    into = [(at, time) for at, time in part.keys if at - part.begin <= offset]
    if not into:
        return part, 0
    begin, time = into[-1]
    keys = tuple((at, key_time - time) for at, key_time in part.keys if at >= begin)
    return replace(part, begin=begin, keys=keys, duration=part.duration - time), time
