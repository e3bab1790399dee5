"""Where files begin and end: pure decisions over what the hub remembers."""

from collections.abc import Sequence

from livecam_nvr.domain.media import Fragment
from livecam_nvr.domain.segment import NS

# A frame may seem this much older than its file's beginning before the wall clock counts as set back.
_CLOCK_SLACK_NS = NS


def slot_of(utc_ns: int, utc_offset_s: int, segment_s: int) -> int:
    """The number of the clock slot that a moment lies in; slots lie on the local clock, so :00 and :30."""
    return (utc_ns + utc_offset_s * NS) // (segment_s * NS)


def must_cut(
    fragment: Fragment, file_start_utc_ns: int, file_slot: int, utc_offset_s: int, segment_s: int
) -> bool:
    """True if a new file has to begin with `fragment` although nothing went wrong.

    That is at the first keyframe of a later slot, or where the wall clock was set back by more than a second.
    """
    if not fragment.keyframe:
        return False
    if fragment.utc_ns < file_start_utc_ns - _CLOCK_SLACK_NS:
        return True
    return slot_of(fragment.utc_ns, utc_offset_s, segment_s) > file_slot


def begin_from(ring: Sequence[Fragment], now_s: float, pre_roll_s: float, after_number: int) -> Sequence[Fragment]:
    """The fragments in memory that a file switched on now begins with; empty if no keyframe is there yet.

    It begins with the newest keyframe that is at least `pre_roll_s` old, else with the oldest one of the
    same stream, and never with a fragment up to `after_number` (those are in an earlier file already).
    """
    if not ring:
        return ()
    newest = ring[-1]
    begin: int | None = None
    for at in range(len(ring) - 1, -1, -1):
        fragment = ring[at]
        if fragment.init is not newest.init or fragment.number <= after_number:
            break
        if fragment.keyframe:
            begin = at
            if now_s - fragment.arrived_s >= pre_roll_s:
                break
    return () if begin is None else ring[begin:]
