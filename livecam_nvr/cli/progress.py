"""A progress bar for a terminal; a few plain lines where there is none."""

import time
from typing import TextIO

_WIDTH = 30
_REDRAW_S = 0.1
_MB = 1_000_000


def gauge(share: float) -> str:
    """`[#####.....]  50 %`."""
    full = int(share * _WIDTH)
    return f"[{'#' * full}{'.' * (_WIDTH - full)}] {int(share * 100):3d} %"


def bar(have: int, total: int | None) -> str:
    """`[#####.....]  50 %  1.0 of 2.0 MB`, or only the megabytes where the total is unknown."""
    if not total:
        return f"{have / _MB:.1f} MB"
    return f"{gauge(min(1.0, have / total))}  {have / _MB:.1f} of {total / _MB:.1f} MB"


class ProgressBar:
    """Shows a download on `stream`: call it with bytes here and bytes in all, and `close` it at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._drawn_s = float("-inf")
        self._tenth = 0
        self._open = False

    def __call__(self, have: int, total: int | None) -> None:
        """See the class; cheap enough to be called for every chunk."""
        complete = total is not None and have >= total
        if self._terminal:
            now = time.monotonic()
            if complete or now - self._drawn_s >= _REDRAW_S:
                self._drawn_s = now
                self._open = True
                print(f"\r{bar(have, total)}\x1b[K", end="", file=self._stream, flush=True)
        elif total and have * 10 // total > self._tenth:
            # A log has no use for a bar that moves: a line for every tenth.
            self._tenth = have * 10 // total
            print(bar(have, total), file=self._stream, flush=True)

    def close(self) -> None:
        """Ends the line."""
        if self._open:
            print(file=self._stream, flush=True)
            self._open = False
