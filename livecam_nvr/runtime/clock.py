"""Time, injected so that tests can bend it."""

import time
from datetime import UTC, datetime
from typing import Protocol


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
        """Whether the machine's clock is being kept right by a time server (or something like it)."""


class SystemClock:
    """The machine's clocks."""

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
        return True
