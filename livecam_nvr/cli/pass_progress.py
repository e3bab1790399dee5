"""Shows how far a pass over many files is: a bar on a terminal, a line now and then where there is none."""

import time
from collections.abc import Callable
from typing import TextIO

from livecam_nvr.cli.progress import gauge

_FIRST_S = 1.0
_REDRAW_S = 0.2
_LINE_S = 5.0
_MINUTES_FROM_S = 90
_HOURS_FROM_S = 5400


def line(done: int, total: int, seconds: float) -> str:
    """`[#####.....]  50 %  1200 of 2400 files, 300/s, 4 s left`."""
    share = min(1.0, done / total) if total else 1.0
    rate = done / seconds if seconds > 0 else 0.0
    left = f", {_length((total - done) / rate)} left" if rate and total > done else ""
    return f"{gauge(share)}  {done} of {total} files, {rate:.0f}/s{left}"


def _length(seconds: float) -> str:
    if seconds < _MINUTES_FROM_S:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < _HOURS_FROM_S else f"{seconds / 3600:.1f} h"


class PassProgress:
    """Call it with the files done and their number, and `close` it at the end. Says nothing in the first second.

    Args:
        stream: Where to.
        now: A monotonic clock, seconds.
    """

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._now = now
        self._began_s = now()
        self._due_s = self._began_s + (_FIRST_S if self._terminal else _LINE_S)
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """See the class; cheap enough to be called for every file."""
        now_s = self._now()
        if now_s < self._due_s and not (self._drawn and done >= total):
            return
        text = line(done, total, now_s - self._began_s)
        self._due_s = now_s + (_REDRAW_S if self._terminal else _LINE_S)
        if self._terminal:
            self._drawn = True
            print(f"\r{text}\x1b[K", end="", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Ends the line."""
        if self._drawn:
            print(file=self._stream, flush=True)
            self._drawn = False
