"""Tells from files and ledger how much of a time was recorded, and why the rest was not: pure decisions."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter

from livecam_nvr.domain.coverage import Coverage, Gap, GapCause, Span
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment

NO_GAP_NS = NS // 4
"""Less than this between two files (or one and a half frames, if that is more) is jitter of clocks and no gap."""
JITTER_NS = 2 * NS
"""Files of one run that follow each other have nothing missing between them, however late the second one's clock
says it begins; what is later than this is no jitter: somebody has set the machine's clock."""
EXPLAINING = (EntryKind.STATE, EntryKind.PAUSE, EntryKind.DELETED)
"""The kinds of entries that coverage wants to see."""
# A stall is noticed after at most 120 s, a killed service left its last sign of life at most a minute before.
_LATE_NS = 180 * NS
# What is being taken now is not in the file yet.
_IN_FLIGHT_NS = 5 * NS
_KNOWN: dict[str, GapCause] = {cause.value: cause for cause in GapCause}
_begin = attrgetter("begin_utc_ns")

CAUSES = {
    EndCause.CLOCK: GapCause.UNKNOWN,
    EndCause.SWITCHED_OFF: GapCause.SWITCHED_OFF,
    EndCause.SCHEDULE: GapCause.SCHEDULE,
    EndCause.NO_EVENT: GapCause.NO_EVENT,
    EndCause.SERVICE: GapCause.SERVICE_STOPPED,
    EndCause.CAMERA: GapCause.CAMERA,
    EndCause.ENCODER: GapCause.ENCODER,
    EndCause.FORMAT: GapCause.FORMAT,
    EndCause.RECONFIGURED: GapCause.RECONFIGURED,
    EndCause.DISK: GapCause.DISK,
    EndCause.UNKNOWN: GapCause.UNKNOWN,
}
"""What is missing after a file that ended so, if nothing else is known."""


@dataclass(frozen=True, slots=True)
class Stretch(Span):
    """Footage of files between which nothing is missing."""

    cause: EndCause
    """Why the last of them ended."""
    follows: bool = False
    """Its first file goes on where the last one of the stretch before it ended by the clock."""


@dataclass(frozen=True, slots=True)
class _State:
    """From a moment on, why nothing is recorded; an empty cause: it is."""

    begin_utc_ns: int
    cause: GapCause | None
    words: str = ""
    by: str = ""


def stretches(segments: Iterable[Segment]) -> list[Stretch]:
    """The stretches that files make, oldest first; `segments` in the order of their beginnings."""
    found: list[Stretch] = []
    before: Segment | None = None
    for segment in segments:
        follows = before is not None and _follow(before, segment)
        if found and before is not None:
            late = segment.start_utc_ns - found[-1].end_utc_ns
            bearable = max(NO_GAP_NS, 3 * before.duration_ns // (2 * max(1, before.frames)))
            if late < bearable or (follows and late < JITTER_NS):
                end = max(found[-1].end_utc_ns, segment.end_utc_ns)
                found[-1] = replace(found[-1], end_utc_ns=end, cause=segment.cause)
                before = segment
                continue
        found.append(Stretch(segment.start_utc_ns, segment.end_utc_ns, segment.cause, follows))
        before = segment
    return found


def joined(parts: Iterable[Stretch]) -> list[Stretch]:
    """Stretches of several sources as one row: in order, what overlaps or touches made one."""
    found: list[Stretch] = []
    for part in sorted(parts, key=lambda part: part.begin_utc_ns):
        last = found[-1] if found else None
        bearable = JITTER_NS if part.follows else NO_GAP_NS
        if last is not None and part.begin_utc_ns - last.end_utc_ns < bearable:
            later = part if part.end_utc_ns >= last.end_utc_ns else last
            found[-1] = replace(later, begin_utc_ns=last.begin_utc_ns, follows=last.follows)
        else:
            found.append(part)
    return found


def coverage(
    camera_id: str,
    asked: Span,
    footage: Sequence[Stretch],
    entries: Iterable[Entry],
    *,
    now_utc_ns: int,
    frames: int = 0,
) -> Coverage:
    """What there is of a camera in a time.

    A range that reaches up to now ends where the footage does, as long as the newest frames can be on their way.

    Args:
        camera_id: The camera.
        asked: The range.
        footage: As `joined` gives it; the last stretch from before the range is wanted, too.
        entries: Those of the kinds EXPLAINING that touch the range, and the last STATE before it.
        now_utc_ns: The time.
        frames: What `Coverage.frames` is to say.
    """
    entries = sorted(entries, key=_begin)
    # Of several at one moment the last one holds.
    states = list(
        {entry.begin_utc_ns: _state(entry) for entry in entries if entry.kind is EntryKind.STATE}.values()
    )
    deleted = _united(
        Span(e.begin_utc_ns, e.end_utc_ns) for e in entries if e.kind is EntryKind.DELETED and e.end_utc_ns
    )
    asked = _without_what_is_coming(asked, footage, states, now_utc_ns)
    inside = [span for part in footage if (span := _clipped(part, asked)) is not None]
    gaps: list[Gap] = []
    begins, changes = list(map(_begin, footage)), list(map(_begin, states))
    for hole in _holes(asked, inside):
        at = bisect_right(begins, hole.begin_utc_ns)
        before = footage[at - 1] if at else None
        after = footage[at] if at < len(footage) else None
        held = states[max(0, bisect_right(changes, hole.begin_utc_ns) - 1) : bisect_left(changes, hole.end_utc_ns)]
        gaps += _explained(hole, before, after, held, deleted)
    pauses = [pause for entry in entries if (pause := _pause(entry)) is not None]
    spans, silent = _without_pauses(inside, pauses)
    gaps = _merged(sorted([*gaps, *silent], key=_begin))
    return Coverage(camera_id, asked, tuple(spans), tuple(gaps), frames)


def _follow(before: Segment, after: Segment) -> bool:
    return (
        before.run_id == after.run_id
        and before.sequence + before.merged == after.sequence
        and before.cause is EndCause.CLOCK
    )


def _clipped(span: Span, bounds: Span) -> Span | None:
    begin, end = max(span.begin_utc_ns, bounds.begin_utc_ns), min(span.end_utc_ns, bounds.end_utc_ns)
    return Span(begin, end) if begin < end else None


def _holes(bounds: Span, spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    at = bounds.begin_utc_ns
    for span in spans:
        if span.begin_utc_ns > at:
            found.append(Span(at, span.begin_utc_ns))
        at = max(at, span.end_utc_ns)
    if at < bounds.end_utc_ns:
        found.append(Span(at, bounds.end_utc_ns))
    return found


def _state(entry: Entry) -> _State:
    return _State(
        entry.begin_utc_ns,
        _cause(entry.data.get("cause", "")),
        str(entry.data.get("words", "")),
        str(entry.data.get("by", "")),
    )


def _cause(value: object) -> GapCause | None:
    return _KNOWN.get(str(value), GapCause.UNKNOWN) if value else None  # unknown: of a later version


def _pause(entry: Entry) -> Gap | None:
    if entry.kind is not EntryKind.PAUSE or entry.end_utc_ns is None or entry.end_utc_ns <= entry.begin_utc_ns:
        return None
    cause = _cause(entry.data.get("cause", "")) or GapCause.CAMERA
    return Gap(entry.begin_utc_ns, entry.end_utc_ns, cause, str(entry.data.get("words", "")))


def _without_what_is_coming(
    asked: Span, footage: Sequence[Stretch], states: Sequence[_State], now_utc_ns: int
) -> Span:
    """The range, up to the newest footage if what is missing after it may still be on its way."""
    last = next((part for part in reversed(footage) if part.begin_utc_ns < asked.end_utc_ns), None)
    if last is None or asked.end_utc_ns < now_utc_ns - _IN_FLIGHT_NS:
        return asked
    missing = asked.end_utc_ns - last.end_utc_ns
    on_its_way = 0 < missing <= _IN_FLIGHT_NS and last.end_utc_ns > asked.begin_utc_ns
    recorded = states[-1].cause is None if states else last.cause is EndCause.CLOCK
    return Span(asked.begin_utc_ns, last.end_utc_ns) if on_its_way and recorded else asked


def _explained(
    hole: Span,
    before: Stretch | None,
    after: Stretch | None,
    states: Sequence[_State],
    deleted: Sequence[Span],
) -> list[Gap]:
    """A hole in pieces, each with the cause that held then; `states`: those from its begin to its end."""
    known = bool(states) and states[0].begin_utc_ns <= hole.begin_utc_ns
    inside = states[1:] if known else states
    moments = states if known else [None, *states]
    ends = [state.begin_utc_ns for state in inside] + [hole.end_utc_ns]
    gaps: list[Gap] = []
    begin = hole.begin_utc_ns
    for number, (state, end) in enumerate(zip(moments, ends, strict=True), 1):
        if state is not None and state.cause is not None:
            gaps.append(Gap(begin, end, state.cause, state.words, state.by))
            begin = end
            continue
        piece, begin = Span(begin, end), end
        following = moments[number] if number < len(moments) else None
        # After a file that did not end by the clock there was none that could have been deleted.
        broke_off = number == 1 and before is not None and before.cause is not EndCause.CLOCK
        if broke_off and (noticed := _reason(piece, following, None)) is not None:
            gaps.append(noticed)
            continue
        for part, was_deleted in _parts(piece, deleted):
            if was_deleted:
                gaps.append(Gap(part.begin_utc_ns, part.end_utc_ns, GapCause.DELETED))
                continue
            last = gaps[-1] if gaps and part.begin_utc_ns == piece.begin_utc_ns else None
            # Before anything is known of the camera there was no recording that could have seemed to go on.
            noticed = None
            if state is not None or before is not None:
                noticed = _reason(part, following if part.end_utc_ns == piece.end_utc_ns else None, last)
            gaps.append(noticed or _by_files(part, before, after, never=state is None))
    return gaps


def _reason(piece: Span, following: _State | None, last: Gap | None) -> Gap | None:
    """A piece in which recording seemed to go on, explained by what was noticed right after it, or before."""
    if piece.duration_ns > _LATE_NS:
        return None
    if following is not None and following.cause is not None:
        return Gap(piece.begin_utc_ns, piece.end_utc_ns, following.cause, following.words, following.by)
    if following is None and last is not None:
        return replace(last, begin_utc_ns=piece.begin_utc_ns, end_utc_ns=piece.end_utc_ns)
    return None


def _by_files(piece: Span, before: Stretch | None, after: Stretch | None, *, never: bool) -> Gap:
    """A piece explained by how the files around it ended and began."""
    begin, end = piece.begin_utc_ns, piece.end_utc_ns
    if before is None:
        return Gap(begin, end, GapCause.NEVER if never else GapCause.UNKNOWN)
    if after is not None and after.follows and before.cause is EndCause.CLOCK:
        by_s = (after.begin_utc_ns - before.end_utc_ns) / NS
        return Gap(begin, end, GapCause.CLOCK_SET, f"the clock was set forward by {by_s:.0f} s")
    return Gap(begin, end, CAUSES[before.cause])


def _united(spans: Iterable[Span]) -> list[Span]:
    """Spans that come in the order of their beginnings, without what they have in common."""
    found: list[Span] = []
    for span in spans:
        if found and span.begin_utc_ns <= found[-1].end_utc_ns:
            found[-1] = replace(found[-1], end_utc_ns=max(found[-1].end_utc_ns, span.end_utc_ns))
        else:
            found.append(span)
    return found


def _parts(piece: Span, deleted: Sequence[Span]) -> list[tuple[Span, bool]]:
    """The parts of a piece, in order, and whether there was footage of each that was deleted."""
    first = max(0, bisect_right(deleted, piece.begin_utc_ns, key=_begin) - 1)
    last = bisect_left(deleted, piece.end_utc_ns, key=_begin)
    gone = [part for span in deleted[first:last] if (part := _clipped(span, piece)) is not None]
    parts = [(span, True) for span in gone] + [(span, False) for span in _holes(piece, gone)]
    return sorted(parts, key=lambda part: part[0].begin_utc_ns)


def _without_pauses(spans: Iterable[Span], pauses: Sequence[Gap]) -> tuple[list[Span], list[Gap]]:
    """Footage without the pauses of the camera, and those as gaps; both in order."""
    if not pauses:
        return list(spans), []
    left: list[Span] = []
    silent: list[Gap] = []
    first = 0
    for span in spans:
        at = span.begin_utc_ns
        while first < len(pauses) and pauses[first].end_utc_ns <= at:
            first += 1
        for pause in islice(pauses, first, None):
            begin, end = max(at, pause.begin_utc_ns), min(span.end_utc_ns, pause.end_utc_ns)
            if pause.begin_utc_ns >= span.end_utc_ns:
                break
            if begin < end:
                left += [Span(at, begin)] if begin > at else []
                silent.append(replace(pause, begin_utc_ns=begin, end_utc_ns=end))
                at = end
        left += [Span(at, span.end_utc_ns)] if at < span.end_utc_ns else []
    return left, silent


def _merged(gaps: Iterable[Gap]) -> list[Gap]:
    """Gaps that follow each other for the same reason are one."""
    found: list[Gap] = []
    for gap in gaps:
        last = found[-1] if found else None
        if last is not None and _same(last, gap):
            found[-1] = replace(last, end_utc_ns=gap.end_utc_ns, words=last.words or gap.words)
        else:
            found.append(gap)
    return found


def _same(last: Gap, gap: Gap) -> bool:
    touch = last.end_utc_ns == gap.begin_utc_ns
    words = not last.words or gap.words in {"", last.words}
    return touch and words and (last.cause, last.by) == (gap.cause, gap.by)
