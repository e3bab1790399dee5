"""Logs: one line an event, structured enough to grep, and never with a password in it."""

import logging
import sys

from livecam_nvr.domain.redact import redact


class _Redacting(logging.Formatter):
    """Formats, then takes credentials out of the whole line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


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
