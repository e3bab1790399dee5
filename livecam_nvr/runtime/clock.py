"""Time, injected so that tests can bend it."""

import time
from datetime import UTC, datetime
from typing import Protocol

from livecam_nvr.runtime.timesync import (
    EARLIEST_NS,
    PATIENCE_NS,
    Moment,
    WallHistory,
    boot_id,
    has_battery_clock,
    is_board,
    kernel_synchronised,
    server_has_answered,
)

_READINGS = 4
_READ_AT_ONCE_NS = 1_000_000


class Clock(Protocol):
    """Monotonic time measures; wall time only names things."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary beginning; never jumps."""

    def utc_ns(self) -> int:
        """UTC in nanoseconds since 1970; may jump when the machine's clock is set."""

    def utc_offset_s(self, utc_ns: int) -> int:
        """Local time minus UTC at that moment, in seconds."""

    def boot_ns(self) -> int:
        """Nanoseconds since the machine was started; never jumps, and goes on while it sleeps."""

    def synchronised(self) -> bool:
        """Whether the machine's clock is being kept right by a time server (or something like it).

        Once it was, it stays so: it does not go wrong at once when the server is out of reach.
        """

    def moment_of(self, utc_ns: int) -> Moment:
        """What the clock that never jumps showed when this one showed `utc_ns`, a short while ago, and whether
        this one could be believed then.
        """

    def look(self) -> None:
        """Brings what `synchronised` goes by up to date, as far as it lies in files: to be called in a thread."""


class SystemClock:
    """The machine's clocks.

    The wall clock counts as synchronised as soon as the kernel or systemd-timesyncd says so. Where no time server
    has answered ten minutes after the machine's start, a clock with a battery is believed if it agrees, and so is
    the clock of a PC or a virtual machine; that of a board without a battery is not, nor is a date in the past of
    this program.
    """

    def __init__(self) -> None:
        self._history = WallHistory()
        self._synchronised = False
        self._answered = False
        self._kept: bool | None = None

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()

    def utc_ns(self) -> int:
        """See Clock."""
        return time.time_ns()

    def utc_offset_s(self, utc_ns: int) -> int:
        """See Clock."""
        offset = datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC).astimezone().utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    def boot_ns(self) -> int:
        """See Clock."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def synchronised(self) -> bool:
        """See Clock."""
        if not self._synchronised and self.utc_ns() >= EARLIEST_NS:
            kept = bool(self._kept) and self.boot_ns() >= PATIENCE_NS
            self._synchronised = self._answered or kept or kernel_synchronised()
        return self._synchronised

    def moment_of(self, utc_ns: int) -> Moment:
        """See Clock."""
        synchronised = self.synchronised()  # first: what is shown after it is true
        for _ in range(_READINGS):
            before_ns, now_ns, boot_ns = self.boot_ns(), self.utc_ns(), self.boot_ns()
            if boot_ns - before_ns < _READ_AT_ONCE_NS:
                break
        self._history.note(now_ns, boot_ns, synchronised=synchronised)
        return self._history.moment_of(utc_ns)

    def look(self) -> None:
        """See Clock."""
        boot_id()  # so that nobody has to read it on the loop
        self._answered = server_has_answered()
        agrees = has_battery_clock(self.utc_ns(), self.utc_offset_s(self.utc_ns()))
        self._kept = not is_board() if agrees is None else agrees
