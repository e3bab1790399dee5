"""Whether this machine's clock can be believed, and what it showed when: kernel, files, and a short memory."""

import ctypes
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NS = 1_000_000_000
_TIME_ERROR = 5
_TIMEX_BYTES = 512  # struct timex is smaller everywhere
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_RTC = Path("/sys/class/rtc/rtc0")
_BOARD = Path("/proc/device-tree")
_RTC_SLACK_S = 5
# No clock that says less is right: the program is younger than that.
EARLIEST_NS = 1_735_689_600 * NS  # 2025-01-01
# A time server has answered by then, if there is one.
PATIENCE_NS = 600 * NS
# What the two clocks may part in a second without a step: adjtime(3) slews by 500 ppm, chrony by up to 10 %.
STEP_NS = NS // 4
_REMEMBERED = 32


@cache
def boot_id() -> str:
    """Random, one for each start of the machine (random(4)); empty where the kernel does not tell."""
    try:
        return _BOOT_ID.read_text().strip().replace("-", "")
    except OSError:
        return ""


def kernel_synchronised() -> bool:
    """Whether a time server's client has told the kernel that the clock is right (adjtimex(2): not TIME_ERROR).

    Without such news for some hours the kernel takes that back.
    """
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # all zeros: `modes` 0 asks and sets nothing
    return bool(ctypes.CDLL(None).adjtimex(timex) not in (-1, _TIME_ERROR))


def server_has_answered() -> bool:
    """Whether systemd-timesyncd has set the clock since the machine was started; reads a folder."""
    return _TIMESYNCD.exists()


def has_battery_clock(utc_ns: int, utc_offset_s: int) -> bool | None:
    """Whether a clock with a battery agrees with `utc_ns`; None if there is none. Reads files.

    It may run in local time, where another system on the machine wants that.
    """
    try:
        shown_s = int((_RTC / "since_epoch").read_text())
    except (OSError, ValueError):
        return None
    ahead_s = shown_s - utc_ns // NS
    return min(abs(ahead_s), abs(ahead_s - utc_offset_s)) <= _RTC_SLACK_S


def is_board() -> bool:
    """Whether this is a board such as a Raspberry Pi, and no PC or virtual machine, which always know the time."""
    return _BOARD.exists()


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by the clock that never jumps."""

    boot_ns: int
    """Nanoseconds since the machine was started."""
    synchronised: bool
    """Whether the wall clock could be believed when it showed that moment."""


@dataclass(slots=True)
class _Stretch:
    offset_ns: int
    """UTC minus the time since the machine was started."""
    begin_boot_ns: int
    synchronised: bool


class WallHistory:
    """What the wall clock showed lately: one stretch from each step to the next."""

    def __init__(self) -> None:
        self._stretches: deque[_Stretch] = deque(maxlen=_REMEMBERED)
        self._noted_boot_ns = 0

    def note(self, utc_ns: int, boot_ns: int, *, synchronised: bool) -> None:
        """Takes what both clocks show now."""
        offset_ns = utc_ns - boot_ns
        if not self._stretches or abs(offset_ns - self._stretches[-1].offset_ns) > STEP_NS:
            self._stretches.append(_Stretch(offset_ns, self._noted_boot_ns, synchronised))
        newest = self._stretches[-1]
        newest.offset_ns = offset_ns
        newest.synchronised = newest.synchronised or synchronised
        self._noted_boot_ns = boot_ns

    def moment_of(self, utc_ns: int) -> Moment:
        """When the wall clock showed `utc_ns`, lately. Something must have been noted.

        A frame is stamped with the time at which it was taken, which is a little earlier: after a step, what was
        taken before it still has the old time.
        """
        for stretch in reversed(self._stretches):
            boot_ns = utc_ns - stretch.offset_ns
            # Up to a second of the future: a stamp may be a little ahead of its frame.
            if stretch.begin_boot_ns - 2 * NS <= boot_ns <= self._noted_boot_ns + NS:
                return Moment(boot_ns, stretch.synchronised)
        newest = self._stretches[-1]
        return Moment(utc_ns - newest.offset_ns, newest.synchronised)
