"""A wall clock that a test controls, for whoever is started with `ClockShim.env`: tests/fakes/time_shim.c."""

import struct
import time
from pathlib import Path

from support import clips
from support.v4l2_device import compiler

TESTS = Path(__file__).parents[1]
NS = 1_000_000_000


def compiled(folder: Path) -> Path:
    """The shim as a library, made once below `folder`; skips where there is no compiler."""
    library = folder / "time_shim.so"
    if not library.exists():
        source = TESTS / "fakes" / "time_shim.c"
        words = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source)]
        clips.run(compiler(), *words, "-ldl")
    return library


class ClockShim:
    """A machine's wall clock. It runs as fast as the real one, and shows what it is set to."""

    def __init__(self, folder: Path, library: Path, utc_s: float, *, zone: str = "UTC") -> None:
        self._file = folder / "clock"
        self._synchronised = False
        self.env = {"LD_PRELOAD": str(library), "TIME_SHIM": str(self._file), "TZ": zone}
        self._ahead_ns = 0
        self._file.write_bytes(struct.pack("=qq", 0, 0))
        self.set(utc_s)

    def set(self, utc_s: float, *, synchronised: bool = False) -> None:
        """Now it shows that, by a time server's order or not."""
        self._ahead_ns = round(utc_s * NS) - time.time_ns()
        with self._file.open("r+b") as file:  # in place: whoever has mapped it sees it at once
            file.write(struct.pack("=qq", self._ahead_ns, synchronised))

    @property
    def ahead_ns(self) -> int:
        """What it shows, minus what the real one shows."""
        return self._ahead_ns

    def now_ns(self) -> int:
        """What it shows."""
        return time.time_ns() + self._ahead_ns
