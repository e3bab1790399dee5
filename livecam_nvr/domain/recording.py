"""Whether a camera is recorded, and where files begin and end: pure decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingMode

# A frame may seem this much older than its file's beginning before the wall clock counts as set back.
_CLOCK_SLACK_NS = NS

_END = {
    GapCause.SWITCHED_OFF: EndCause.SWITCHED_OFF,
    GapCause.SCHEDULE: EndCause.SCHEDULE,
    GapCause.NO_EVENT: EndCause.NO_EVENT,
}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a recorder, by all triggers together."""

    on: bool
    """The switch, as it is shown: what is always recorded counts as switched on."""
    mode: RecordingMode = RecordingMode.SWITCHED
    idle: GapCause | None = None
    """Why nothing is to be recorded; None: record."""
    idle_by: str = ""
    """Who switched it off."""
    keeping_until_utc_ns: int | None = None
    """Until then somebody keeps what happens, whatever the mode says."""
    modes: tuple[RecordingMode, ...] = ()
    """Those that can be chosen."""

    @property
    def end_cause(self) -> EndCause:
        """What ends a file that is no longer wanted."""
        return _END[self.idle] if self.idle is not None else EndCause.UNKNOWN


def idle_cause(
    mode: RecordingMode, *, on: bool, scheduled: bool, eventful: bool, keeping: bool
) -> GapCause | None:
    """Why a camera is not to be recorded now; None if it is.

    Args:
        mode: What its recording depends on.
        on: Its switch.
        scheduled: Whether the schedule has now.
        eventful: Whether an event lasts, or has ended not longer ago than its post-roll.
        keeping: Whether somebody keeps what happens.
    """
    if keeping or mode is RecordingMode.ALWAYS:
        return None
    if not on:
        return GapCause.SWITCHED_OFF
    if mode is RecordingMode.SCHEDULE and not scheduled:
        return GapCause.SCHEDULE
    if mode is RecordingMode.EVENTS and not eventful:
        return GapCause.NO_EVENT
    return None


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
