"""Ports about what was recorded: the ledger, coverage, footage, events, kept clips, retention. Only `app.py`
knows who fulfils them.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from livecam_nvr.domain.coverage import Coverage
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Clip, Entry, EntryKind, Event


class Ledger(Protocol):
    """What is written down besides the pictures; the truth lies in files in the cameras' folders."""

    def put(self, entry: Entry) -> None:
        """Adds an entry, or replaces the one of its id; soon, in the background, on the loop.

        What the disk refuses now waits in memory and is written when it can be.
        """

    def remove(self, entry: Entry) -> None:
        """Takes an entry back."""

    async def find(
        self, camera_id: str, kinds: Collection[EntryKind], begin_utc_ns: int, end_utc_ns: int
    ) -> list[Entry]:
        """The entries that touch the range (one without an end lasts), oldest first. For STATE also the last one
        from before it, which says how the range begins.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """

    async def all_of(self, kind: EntryKind) -> list[Entry]:
        """All entries of a kind, of all cameras, oldest first; for kinds with few. Raises as `find`."""

    async def get(self, entry_id: str) -> Entry | None:
        """One entry. Raises as `find`."""


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What there is of a camera on a local day."""

    day: str
    """`2026-11-21`."""
    segments: int
    frames: int
    bytes: int
    duration_ns: int


class Past(Protocol):
    """What there is of a camera's past."""

    async def coverage(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        """Footage and gaps of a range that lies before now.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """

    async def days(self, camera_id: str) -> list[DayTotal]:
        """The local days with footage, oldest first. Raises as `coverage`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Footage of one camera and one stream format, without a gap inside; begins with a keyframe."""

    camera_id: str
    init: bytes
    """`ftyp` and `moov`, without durations and times of creation: pieces of one format have the same."""
    mime: str
    """For Media Source Extensions, codecs included."""
    timescale: int
    """Of the video track, ticks per second."""
    begin_utc_ns: int
    end_utc_ns: int
    frames: int
    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What one file gives to a piece; at the edges cut to whole GOPs."""

    path: str
    """Relative to the archive's root."""
    begin: int
    """Where its first fragment begins in the file, bytes."""
    end: int
    """Where the last one ends."""
    begin_utc_ns: int
    duration: int
    """Of its video, ticks."""
    frames: int
    keys: tuple[tuple[int, int], ...] = ()
    """Per keyframe: where its fragment begins in the file, and its decode time since the part's begin, ticks."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One picture of the past, as a stream that a decoder takes."""

    data: bytes
    """Init segment and one fragment that begins with a keyframe."""
    utc_ns: int


class Footage(Protocol):
    """Reads what was recorded, as it lies in the files: nothing is decoded, encoded or copied to another file."""

    async def pieces(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> list[Piece]:
        """The footage of a range, oldest first: from the last keyframe at or before its begin (if there is one) to
        the end of the GOP in which it ends. A new piece begins after each gap and at each change of format. Of a
        file that is being written, the GOP that is not complete yet is left out.

        Raises:
            LivecamError: UNAVAILABLE if there is no index.
        """

    def head(self, pieces: Sequence[Piece]) -> bytes:
        """What a file of these pieces (of one format) begins with: `ftyp`, and `moov` with the durations. What
        `read` gives of all pieces, one after the other, makes the file whole.
        """

    async def nearest(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> tuple[int | None, int | None]:
        """When the last file that begins before a range ends, and when the first one after the range begins (UTC).

        Raises as `pieces`.
        """

    def read(self, piece: Piece, parts: range | None = None, *, at: int = 0) -> AsyncGenerator[bytes, None]:
        """The fragments of a piece (of all its parts, or of some), in chunks, without the init segment.

        Decode times go on from part to part and begin with `at` (ticks of the video) at the first part of the
        piece. The same GOP at the same time is always the same bytes, however the piece around it was asked for.
        Whoever stops reading before the end closes it (`contextlib.aclosing`).

        Raises:
            LivecamError: NOT_FOUND if a file has been deleted meanwhile, MEDIA if one is damaged.
        """

    async def keyframe(self, camera_id: str, at_utc_ns: int) -> Keyframe:
        """The last keyframe at or before a moment (or the first one of the file that begins up to a second later).

        Raises:
            LivecamError: NOT_FOUND if nothing was recorded then, UNAVAILABLE if there is no index.
        """


class PastPictures(Protocol):
    """JPEG pictures of stored keyframes, decoded only when somebody asks."""

    async def jpeg(self, camera_id: str, keyframe: Keyframe, *, max_height: int | None = None) -> bytes:
        """The keyframe's picture, at most `max_height` pixels high.

        Raises:
            LivecamError: UNAVAILABLE if it takes too long, MEDIA if it cannot be decoded.
        """


class EventDesk(Protocol):
    """Takes reports of what happens in front of cameras, from MQTT, HTTP and plug-ins."""

    def begin_event(self, camera_id: str, label: str, source: str) -> Event:
        """Something begins; it lasts until `end_event`. The same label of the same source that already lasts is
        returned as it is.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera, INVALID for a label that is not right, CONFLICT if too
                many last already.
        """

    def end_event(self, camera_id: str, label: str, source: str) -> Event | None:
        """It is over; None if nothing of the kind lasted. Raises as `begin_event`."""

    def report_event(self, camera_id: str, label: str, source: str, *, lasted_s: float = 0.0) -> Event:
        """Something that is already over, and began `lasted_s` ago. Raises as `begin_event`."""

    async def events(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> list[Event]:
        """The events that touch a range, oldest first.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera, UNAVAILABLE if there is no index.
        """


def no_such_clip() -> LivecamError:
    """The error for a clip that does not exist, or that whoever asks may not know of."""
    return LivecamError(ErrorKind.NOT_FOUND, "there is no such clip", "GET /api/clips names those there are")


class ClipDesk(Protocol):
    """Keeps footage from being deleted."""

    def keep(
        self,
        camera_id: str,
        *,
        by: str,
        before_s: float | None = None,
        after_s: float | None = None,
        title: str = "",
    ) -> Clip:
        """*Keep that*: the last seconds and the next ones become a clip, even if recording is off (then as far
        back as memory reaches). The config's times where none are given.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera, INVALID for times or a title that are not right.
        """

    async def keep_range(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, *, by: str, title: str = ""
    ) -> Clip:
        """Keeps what was recorded in a range. Raises as `keep`; NOT_FOUND if nothing was."""

    async def clips(self, camera_id: str | None = None) -> list[Clip]:
        """All clips (of one camera), newest first. Raises LivecamError UNAVAILABLE if there is no index."""

    async def release(self, clip_id: str, by: str) -> Clip:
        """Gives a clip up: retention may delete its footage again. Raises LivecamError NOT_FOUND."""
