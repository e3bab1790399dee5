"""A clock that moves only when told to."""

from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.timesync import Moment, WallHistory

NOON_UTC_NS = 1_763_726_400 * NS  # 2025-11-21 12:00:00 UTC


class FakeClock:
    """See livecam_nvr.runtime.clock.Clock."""

    def __init__(self, utc_ns: int = NOON_UTC_NS, offset_s: int = 0) -> None:
        self.now_s = 1000.0
        self.wall_ns = utc_ns
        self.offset_s = offset_s
        self.is_synchronised = True
        self._history = WallHistory()

    def monotonic(self) -> float:
        return self.now_s

    def utc_ns(self) -> int:
        return self.wall_ns

    def utc_offset_s(self, utc_ns: int) -> int:
        return self.offset_s

    def boot_ns(self) -> int:
        return int(self.now_s * NS)

    def synchronised(self) -> bool:
        return self.is_synchronised

    def moment_of(self, utc_ns: int) -> Moment:
        self.look()
        return self._history.moment_of(utc_ns)

    def look(self) -> None:
        self._history.note(self.wall_ns, self.boot_ns(), synchronised=self.is_synchronised)

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.now_s += seconds
        self.wall_ns += round(seconds * NS)

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall_ns += round(seconds * NS)
