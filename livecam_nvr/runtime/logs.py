"""Logs: one line an event, structured enough to grep, and never with a password in it."""

import logging
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice

from livecam_nvr.domain.redact import redact

_MOST_LINES = 1000
_LONGEST = 4000
_CUT = " …"


class _Redacting(logging.Formatter):
    """Formats, then takes credentials out of the whole line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event of the log."""

    number: int
    """Counted from 1 since the ring was made; a reader asks for what comes after the last one it knows."""
    at_utc_ns: int
    level: str
    """`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."""
    logger: str
    text: str
    """Redacted; with the traceback, if there is one; cut at 4000 characters."""


class LogRing(logging.Handler):
    """The newest lines of the log, in memory: at most `most` of them.

    Safe to be written to from any thread, as all handlers are, and to be read while that happens.
    """

    def __init__(self, most: int = _MOST_LINES) -> None:
        super().__init__()
        self.setFormatter(_Redacting("%(message)s"))
        self._lines: deque[LogLine] = deque(maxlen=most)
        self._numbers = count(1)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Takes what is logged meanwhile."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler; called with the handler's lock held."""
        try:
            text = self.format(record)
        except Exception:
            # As of every handler: a line that cannot be formatted breaks nothing else.
            self.handleError(record)
            return
        if len(text) > _LONGEST:
            text = text[:_LONGEST] + _CUT
        at = round(record.created * 1_000_000) * 1000
        self._lines.append(LogLine(next(self._numbers), at, record.levelname, record.name, text))

    def lines(self, limit: int = _MOST_LINES, *, after: int = 0, least: int = logging.NOTSET) -> list[LogLine]:
        """The newest, oldest first: at most `limit`, numbered above `after`, of the level `least` or worse."""
        with self._reading():
            known = logging.getLevelNamesMapping()
            newest = (line for line in reversed(self._lines) if known.get(line.level, logging.INFO) >= least)
            found = list(islice((line for line in newest if line.number > after), limit))
        return found[::-1]

    @property
    def newest(self) -> int:
        """The number of the newest line; 0 if there is none."""
        with self._reading():
            return self._lines[-1].number if self._lines else 0

    @contextmanager
    def _reading(self) -> Iterator[None]:
        # A deque must not grow while it is gone through.
        self.acquire()
        try:
            yield
        finally:
            self.release()


def setup_logs(*, verbose: bool = False) -> None:
    """Sends logs to stderr (journald and terminals both take it), INFO and up, DEBUG if `verbose`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    # Their INFO lines tell of every request and every packet.
    for noisy in ("aiohttp.access", "asyncio", "mqtt"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
