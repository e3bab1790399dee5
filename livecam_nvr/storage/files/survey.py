"""Finds what of a recorded file is whole: its head, its complete fragments, the damage between them; pure.

Everything is read through a function, so a survey costs a few small reads a fragment, however large the pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from livecam_nvr.domain.media import EndCause
from livecam_nvr.storage.files.boxes import (
    HEADER_BYTES,
    LARGE_HEADER_BYTES,
    Box,
    BoxError,
    Moov,
    Run,
    box_header,
    parse_init,
    parse_moof,
)
from livecam_nvr.storage.files.label import LABEL_BYTES, USER_TYPE, Begin, End, Label, is_label, read_label
from livecam_nvr.storage.files.tables import Tally

Read = Callable[[int, int], bytes]
"""Place and size to bytes; fewer at the end of the file."""

_BEFORE_LABEL = (b"ftyp", b"moov", b"free", b"skip")
BETWEEN_FRAGMENTS = frozenset((b"free", b"skip", b"styp", b"sidx", b"prft", b"emsg", b"uuid", b"mfra"))
"""Other boxes that may stand where a fragment could."""
_MOST_INIT = 16 << 20
# A fragment is a frame, or the frames of one moment: a larger `moof` is rot, and reading it would take memory.
_MOST_MOOF = 1 << 20
_CHUNK = 1 << 20
# A camera that says nothing for longer (config: stall_seconds, at most 120) is restarted, and gets a new file.
_LONGEST_PAUSE_S = 150
_MOST_BETWEEN = 16


class ForeignError(BoxError):
    """The file is none of ours, or of a later version: it is left alone."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the first fragment."""

    init: bytes
    label: Label
    walkable: bool = True
    """The label's box has the size that it should have, so that players find what follows it."""

    @property
    def label_at(self) -> int:
        """Where the label's box begins."""
        return len(self.init)

    @property
    def media_at(self) -> int:
        """Where the first fragment begins."""
        return len(self.init) + LABEL_BYTES

    @property
    def begin(self) -> Begin:
        """The label's first record."""
        return self.label.begin


@dataclass(slots=True)
class Survey:
    """What of a file's media is whole."""

    moov: Moov
    tally: Tally
    end: int
    """Where the last whole fragment ends."""
    damaged: list[tuple[int, int]] = field(default_factory=list)
    """Place and size of damage that whole fragments follow."""

    def end_record(self, cause: EndCause, size: int) -> End:
        """The label's second record for the file as it is after its repair to `size` bytes."""
        duration_ns = self.tally.duration_ns(self.moov.video.timescale)
        return End(cause, self.tally.frames, duration_ns, size)


def read_head(read: Read, size: int) -> Head:
    """Reads what stands before the first fragment.

    Raises:
        ForeignError: The file is a whole something else.
        BoxError: The file is ours as far as can be told, and damaged or cut off there.
    """
    at = 0
    while True:
        raw = read(at, LARGE_HEADER_BYTES)
        if not raw.strip(b"\0"):
            raise BoxError("it ends before its first picture")
        kind, header, length = _header_or_foreign(raw)
        if kind == b"uuid" and read(at + header, len(USER_TYPE)) == USER_TYPE:
            return Head(read(0, at), _label(read(at, LABEL_BYTES)), length == LABEL_BYTES)
        if kind not in _BEFORE_LABEL or (at == 0) != (kind == b"ftyp"):
            if kind == b"uuid" and at + header + len(USER_TYPE) > size:
                raise BoxError("it ends before its first picture")
            raise ForeignError(f"there is {kind!r} where our label should be")
        at += length
        if at > min(size, _MOST_INIT):
            raise BoxError("it ends before its first picture")


def _header_or_foreign(raw: bytes) -> tuple[bytes, int, int]:
    try:
        return box_header(raw)
    except BoxError as error:
        if len(raw) < HEADER_BYTES:
            raise
        raise ForeignError(str(error)) from error


def _label(box: bytes) -> Label:
    try:
        return read_label(box)
    except BoxError as error:
        if len(box) == LABEL_BYTES and is_label(box):
            # All of it is there: either a later version wrote it, or rot has got at it and the pictures may be
            # fine. A person can still play it; renaming it would only hide it.
            raise ForeignError(str(error)) from error
        raise


def is_finished(head: Head, size: int) -> bool:
    """Whether the file says that it is finished and is as long as it says."""
    return head.walkable and head.label.end is not None and size >= head.label.end.bytes


def survey(read: Read, size: int, head: Head) -> Survey:
    """Walks over all fragments. Damage in the middle is stepped over, whatever follows the last whole one is not.

    Raises:
        BoxError: The init segment is damaged, or there is not one whole picture.
    """
    moov = parse_init(head.init)
    result = Survey(moov, Tally(moov.video.track_id), head.media_at)
    at = head.media_at
    damaged_at = -1
    while 0 <= at < size:
        try:
            end, runs = _next_box(read, at, size, result)
        except BoxError:
            if damaged_at < 0:
                damaged_at = at
            at = find_moof(read, max(at + 1, damaged_at + HEADER_BYTES), size)
            continue
        if runs:
            if damaged_at >= 0:
                result.damaged.append((damaged_at, at - damaged_at))
                damaged_at = -1
            _count(result.tally, runs, at)
            result.end = end
        at = end
    if not result.tally.frames:
        raise BoxError("it has no whole picture")
    return result


def _next_box(read: Read, at: int, size: int, found: Survey) -> tuple[int, list[Run]]:
    """The end of the fragment at `at` and what it holds; nothing for another box that may stand there."""
    kind, _, length = box_header(read(at, LARGE_HEADER_BYTES))
    if at + length > size:
        raise BoxError("a box is cut off")
    if kind in BETWEEN_FRAGMENTS:
        return at + length, []
    end, runs = _fragment(read, at, size, found.moov)
    # Rot in a time would claim hours that are not there; a camera whose clock has jumped goes on from there.
    if not _continues(found.moov, found.tally.ends, runs) and not _confirmed(read, end, size, found.moov, runs):
        raise BoxError("a fragment's time is out of line")
    return end, runs


def _fragment(read: Read, at: int, size: int, moov: Moov) -> tuple[int, list[Run]]:
    kind, header, length = box_header(read(at, LARGE_HEADER_BYTES))
    if kind != b"moof" or length > min(size - at, _MOST_MOOF):
        raise BoxError("there is no whole moof")
    mdat_at = at + length
    mdat_kind, mdat_header, mdat_length = box_header(read(mdat_at, LARGE_HEADER_BYTES))
    if mdat_kind != b"mdat" or mdat_at + mdat_length > size:
        raise BoxError("there is no whole mdat")
    runs = parse_moof(read(at, length), Box(b"moof", 0, header, length), moov.tracks)
    if sum(run.bytes for run in runs) > mdat_length - mdat_header:
        raise BoxError("a moof claims more than its mdat holds")
    if any(run.samples > run.bytes for run in runs):
        raise BoxError("a moof claims samples of no bytes")
    return mdat_at + mdat_length, runs


def _continues(moov: Moov, ends: dict[int, int], runs: list[Run]) -> bool:
    for run in runs:
        longest = _LONGEST_PAUSE_S * moov.tracks[run.track_id].timescale
        if run.duration > longest or abs(run.time - ends.get(run.track_id, 0)) > longest:
            return False
    return True


def _confirmed(read: Read, at: int, size: int, moov: Moov, runs: list[Run]) -> bool:
    """Whether the fragments from `at` on go on where `runs` end; the next one may be of another track."""
    ends = {run.track_id: run.time + run.duration for run in runs}
    for _ in range(_MOST_BETWEEN):
        try:
            at, following = _fragment(read, at, size, moov)
        except BoxError:
            return False
        same = [run for run in following if run.track_id in ends]
        if same:
            return _continues(moov, ends, same)
    return False


def _count(tally: Tally, runs: list[Run], at: int) -> None:
    for run in runs:
        tally.add(run.track_id, run.time, run.duration, run.samples)
        if run.track_id == tally.video_id and run.sync and run.samples:
            tally.keys.append((run.time + run.first_offset, at, run.traf_number))


def find_moof(read: Read, begin: int, size: int) -> int:
    """Where the next box that may be a `moof` begins; -1 if there is none."""
    at = begin
    while at < size:
        chunk = read(at, _CHUNK)
        found = chunk.find(b"moof", 4)
        if found >= 0:
            return at + found - 4
        if len(chunk) < _CHUNK:
            return -1
        at += len(chunk) - HEADER_BYTES
    return -1
