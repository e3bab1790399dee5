"""Writes down what retention deleted: one entry an hour for each camera and limit, not one for each file."""

import logging
from dataclasses import dataclass
from secrets import token_hex

from livecam_nvr.core.past import Ledger
from livecam_nvr.domain.ledger import Entry, EntryKind, Value
from livecam_nvr.domain.retention import Deletion, Doomed, Reason
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_ENTRY_S = 3600.0
# So much of it is forgotten at most if the service is killed; each writing is a line in a file.
_WRITE_EVERY_S = 60.0
_WRITE_AT_FILES = 500


@dataclass(slots=True)
class _Open:
    """An entry that still grows."""

    id: str
    began_s: float
    deletion: Deletion
    written_s: float
    written_files: int = 0


class DeletionLog:
    """Gathers deletions into DELETED entries.

    Args:
        ledger: Takes the entries.
        clock: Says when one is due.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._open: dict[tuple[str, Reason], _Open] = {}

    def add(self, doomed: Doomed) -> None:
        """A file is gone."""
        key = (doomed.file.camera_id, doomed.reason)
        entry = self._open.get(key)
        if entry is None:
            now_s = self._clock.monotonic()
            self._open[key] = first = _Open(token_hex(8), now_s, Deletion.of(doomed), now_s)
            # At once, so that a gap is explained from its first moment on.
            self._write(first)
            _log.info("%s: the oldest recordings make room: limit of %s", doomed.file.camera_id, doomed.reason)
            return
        entry.deletion = entry.deletion.with_file(doomed.file)
        if entry.deletion.files - entry.written_files >= _WRITE_AT_FILES:
            self._write(entry)

    def write_due(self) -> None:
        """Writes what has waited long enough; ends the entries of an hour."""
        now_s = self._clock.monotonic()
        for key, entry in list(self._open.items()):
            over = now_s - entry.began_s >= _ENTRY_S
            if over or now_s - entry.written_s >= _WRITE_EVERY_S:
                self._write(entry)
            if over:
                self._end(key)

    def close(self) -> None:
        """Writes everything."""
        for key, entry in list(self._open.items()):
            self._write(entry)
            self._end(key)

    def _write(self, entry: _Open) -> None:
        entry.written_s = self._clock.monotonic()
        what = entry.deletion
        if what.files == entry.written_files:
            return
        entry.written_files = what.files
        data: dict[str, Value] = {"files": what.files, "bytes": what.bytes, "reason": str(what.reason)}
        self._ledger.put(
            Entry(what.camera_id, EntryKind.DELETED, what.begin_utc_ns, what.end_utc_ns, data, entry.id)
        )

    def _end(self, key: tuple[str, Reason]) -> None:
        what = self._open.pop(key).deletion
        _log.info(
            "%s: %d recordings (%.1f MB) were deleted by the limit of %s",
            what.camera_id, what.files, what.bytes / 1e6, what.reason,
        )  # fmt: skip
