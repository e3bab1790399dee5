"""Decides which files of the archive are merged into one, and what that is called; pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import PurePosixPath

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment


def archive_path(segment: Segment, minutes: int, attempt: int = 0) -> PurePosixPath:
    """`cam0/YYMMDD/cam0_YYYYMMDD_HHMMSS_10min.mp4`: where what begins with `segment` goes; `-1` … where taken."""
    local = datetime.fromtimestamp(segment.start_utc_ns // NS, UTC) + timedelta(seconds=segment.utc_offset_s)
    camera_id, suffix = segment.camera_id, f"-{attempt}" if attempt else ""
    return PurePosixPath(
        camera_id, f"{local:%y%m%d}", f"{camera_id}_{local:%Y%m%d_%H%M%S}_{minutes}min{suffix}.mp4"
    )


def slot_end_ns(utc_ns: int, utc_offset_s: int, minutes: int) -> int:
    """When the slot of the local clock ends that a moment lies in, UTC."""
    slot_ns, offset_ns = minutes * 60 * NS, utc_offset_s * NS
    return ((utc_ns + offset_ns) // slot_ns + 1) * slot_ns - offset_ns


def groups(segments: Iterable[Segment], minutes: int, finished_ns: int) -> list[list[Segment]]:
    """What can be merged: files of one run in one slot of the clock, with nothing missing between them.

    Args:
        segments: Of one camera, oldest first; what was merged already is left alone.
        minutes: The slots' length.
        finished_ns: Slots that end after this moment are left alone.
    """
    found: list[list[Segment]] = []

    def end(segment: Segment) -> int:
        return slot_end_ns(segment.start_utc_ns, segment.utc_offset_s, minutes)

    for slot_end, in_slot in groupby(segments, end):
        if slot_end > finished_ns:
            continue
        # What was recorded before the clock was right is merged when it has its true times.
        runs = _runs([segment for segment in in_slot if not segment.unsynced])
        found += (run for run in runs if len(run) > 1)
    return found


def _runs(segments: Sequence[Segment]) -> list[list[Segment]]:
    found: list[list[Segment]] = []
    before: Segment | None = None
    for segment in segments:
        if segment.merged > 1:
            before = None
            continue
        if before is not None and _goes_on(before, segment):
            found[-1].append(segment)
        else:
            found.append([segment])
        before = segment
    return found


def _goes_on(before: Segment, after: Segment) -> bool:
    return (
        before.run_id == after.run_id
        and before.sequence + before.merged == after.sequence
        and before.cause is EndCause.CLOCK
        and (before.codec, before.width, before.height) == (after.codec, after.width, after.height)
        and before.shift_ns == after.shift_ns
    )
