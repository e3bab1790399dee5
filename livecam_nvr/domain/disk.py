"""How bad it is with the recordings' disk, and what to do about it. Pure."""

from dataclasses import dataclass, replace

from livecam_nvr.domain.status import DiskLevel, DiskStatus, DiskTrouble, Fault

_HYSTERESIS = 1.1
_RANKS = tuple(DiskLevel)
_MB, _GB = 1e6, 1e9

# Shares of what may wait.
_WAITING = 1 / 4
_WAITING_STILL = 1 / 8
_SLOW_S = 3.0
_SLOW_STILL_S = 1.0
UNANSWERED_S = 15.0
"""A write or sync that takes so long counts as one that is not answered."""

UNUSABLE = frozenset({DiskTrouble.MISSING, DiskTrouble.READ_ONLY, DiskTrouble.BROKEN})
"""With these the archive cannot be compared with its index, and nothing can be deleted."""

_HINTS = {
    DiskTrouble.NONE: "",
    DiskTrouble.SPACE: "free some space, have more of it kept free (recording.retention.keep_free), or lower "
    "recording.min_free",
    DiskTrouble.READ_ONLY: "look into the kernel's log (dmesg): a file system that found errors is made "
    "read-only; unmount it, check it (fsck), and mount it again",
    DiskTrouble.MISSING: "mount the recordings' disk; if another one takes its place, run `livecam-nvr adopt`",
    DiskTrouble.SLOW: "see what else uses the disk; a card that has become slow wears out: replace it, or lower "
    "the cameras' bitrate",
    DiskTrouble.BROKEN: "look into the kernel's log (dmesg), check cable and power, and the disk's health "
    "(smartctl)",
}


@dataclass(frozen=True, slots=True)
class FreeLevels:
    """Free bytes below which it is so bad; 0 sets no such level."""

    full: int
    critical: int = 0
    warning: int = 0


@dataclass(frozen=True, slots=True)
class DiskLoad:
    """How the disk keeps up with what is written."""

    waiting_bytes: int = 0
    """Of the camera that waits most."""
    most_waiting_bytes: int = 1
    """With more than this waiting, recording of that camera ends."""
    slowest_s: float = 0.0
    """The longest that a write or sync took within the last seconds; one under way counts so far."""
    refusal: DiskTrouble | None = None
    """What the last refusal to write was; of interest while a recorder has a fault."""


NO_LOAD = DiskLoad()


@dataclass(frozen=True, slots=True)
class _Finding:
    level: DiskLevel
    trouble: DiskTrouble
    reason: str
    hint: str = ""


def hint_for(trouble: DiskTrouble) -> str:
    """What a person can do about it; empty for no trouble."""
    return _HINTS[trouble]


def too_full(free_bytes: int, min_free_bytes: int, *, was: bool) -> bool:
    """True below `min_free_bytes`; once full, only a tenth more is room again, so that it cannot flap."""
    return free_bytes < (min_free_bytes * _HYSTERESIS if was else min_free_bytes)


def space_level(free_bytes: int, levels: FreeLevels, was: DiskLevel) -> DiskLevel:
    """The level by free space alone; each is left only with a tenth more than its limit."""
    for level, limit in (
        (DiskLevel.FULL, levels.full),
        (DiskLevel.CRITICAL, levels.critical),
        (DiskLevel.WARNING, levels.warning),
    ):
        if too_full(free_bytes, limit, was=_RANKS.index(was) >= _RANKS.index(level)):
            return level
    return DiskLevel.OK


def assessed(
    found: DiskStatus,
    space: DiskLevel,
    levels: FreeLevels,
    *,
    load: DiskLoad = NO_LOAD,
    fault: Fault | None = None,
    was: DiskTrouble = DiskTrouble.NONE,
) -> DiskStatus:
    """`found` with level, trouble, reason and hint.

    The level is that of the worst finding. What is told is the finding that explains the others: a disk that is
    not there is not slow, too.

    Args:
        found: What the probe saw: figures, and perhaps a trouble with its reason and hint.
        space: See `space_level`.
        levels: For the words.
        load: How it keeps up.
        fault: A recorder's, if any cannot write.
        was: The trouble until now, for the hysteresis of SLOW.
    """
    findings = [
        *_of_probe(found),
        *_of_refusal(load.refusal, fault),
        *_of_space(found.free_bytes, space, levels),
        *_of_load(load, was),
    ]
    if not findings:
        return replace(found, problem=False, reason="", hint="", level=DiskLevel.OK, trouble=DiskTrouble.NONE)
    told = findings[0]
    return replace(
        found,
        problem=True,
        reason=told.reason,
        hint=told.hint or hint_for(told.trouble),
        level=max((finding.level for finding in findings), key=_RANKS.index),
        trouble=told.trouble,
    )


def must_pause(found: DiskStatus, space: DiskLevel) -> bool:
    """Whether nothing is even to be tried: it would be refused, fill the disk, or land on the wrong one."""
    return found.trouble is DiskTrouble.MISSING or found.read_only or space is DiskLevel.FULL


def _of_probe(found: DiskStatus) -> list[_Finding]:
    if found.trouble is not DiskTrouble.NONE:
        return [_Finding(DiskLevel.CRITICAL, found.trouble, found.reason, found.hint)]
    if found.read_only:
        return [_Finding(DiskLevel.CRITICAL, DiskTrouble.READ_ONLY, "the recordings' disk is mounted read-only")]
    return []


def _of_refusal(refusal: DiskTrouble | None, fault: Fault | None) -> list[_Finding]:
    if fault is None:
        return []
    trouble = refusal or DiskTrouble.BROKEN
    level = DiskLevel.FULL if trouble is DiskTrouble.SPACE else DiskLevel.CRITICAL
    return [_Finding(level, trouble, fault.message, "" if refusal is not None else fault.hint)]


def _of_space(free_bytes: int, space: DiskLevel, levels: FreeLevels) -> list[_Finding]:
    if space is DiskLevel.OK:
        return []
    words = f"only {_amount(free_bytes)} free; recording pauses below {_amount(levels.full)}"
    return [_Finding(space, DiskTrouble.SPACE, words)]


def _of_load(load: DiskLoad, was: DiskTrouble) -> list[_Finding]:
    if load.slowest_s >= UNANSWERED_S:
        words = f"the recordings' disk has not answered a write for more than {UNANSWERED_S:.0f} s"
        return [_Finding(DiskLevel.CRITICAL, DiskTrouble.BROKEN, words)]
    still = was is DiskTrouble.SLOW
    share = load.waiting_bytes / load.most_waiting_bytes
    if share >= (_WAITING_STILL if still else _WAITING):
        words = f"the disk is too slow: {load.waiting_bytes / _MB:.0f} MB of one camera wait to be written"
        level = DiskLevel.CRITICAL if share >= 2 * _WAITING else DiskLevel.WARNING
        return [_Finding(level, DiskTrouble.SLOW, words)]
    if load.slowest_s >= (_SLOW_STILL_S if still else _SLOW_S):
        words = f"the disk is slow: a write took {load.slowest_s:.0f} s"
        return [_Finding(DiskLevel.WARNING, DiskTrouble.SLOW, words)]
    return []


def _amount(size_bytes: int) -> str:
    return f"{size_bytes / _GB:.2f} GB" if size_bytes >= _GB / 100 else f"{size_bytes / _MB:.1f} MB"
