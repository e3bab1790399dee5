"""Writes down what retention deleted: one entry an hour for each camera and limit; tells of it once a pass."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from secrets import token_hex

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import FootageDeleted
from livecam_nvr.core.past import Ledger
from livecam_nvr.domain.ledger import Entry, EntryKind, Value
from livecam_nvr.domain.retention import Deletion, Doomed, Reason, summary
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_ENTRY_S = 3600.0
# The numbers of so much are forgotten if the service is killed; each writing is a line in a file.
_WRITE_EVERY_S = 60.0
_WRITE_AT_FILES = 500
# An entry reaches so much further than what is deleted now, so that not each file takes a line: what it claims
# counts only where there is no footage, and what is deleted next lies there.
_AHEAD_NS = 600 * NS


@dataclass(slots=True)
class _Open:
    """An entry that still grows."""

    id: str
    began_s: float
    deletion: Deletion
    written_s: float
    claimed_ns: int
    """Up to which footage the ledger says that it was deleted."""
    written_files: int = 0


class DeletionLog:
    """Gathers deletions into DELETED entries.

    Args:
        ledger: Takes the entries.
        clock: Says when one is due.
        bus: Told what a pass has deleted.
    """

    def __init__(self, ledger: Ledger, clock: Clock, bus: EventBus) -> None:
        self._ledger = ledger
        self._clock = clock
        self._bus = bus
        self._open: dict[tuple[str, Reason], _Open] = {}
        self._gone: dict[tuple[str, Reason], Deletion] = {}
        """In the pass under way."""
        self._under_way = False
        """Files were announced of which is not known yet whether they are gone."""

    def announce(self, doomed: Iterable[Doomed]) -> None:
        """Files are about to go: from now on the ledger explains their absence, even if the service is killed."""
        self._under_way = True
        for what in summary(doomed):
            key = (what.camera_id, what.reason)
            nothing = replace(what, files=0, bytes=0)
            entry = self._open.get(key)
            if entry is None:
                now_s = self._clock.monotonic()
                self._open[key] = entry = _Open(token_hex(8), now_s, nothing, now_s, what.end_utc_ns + _AHEAD_NS)
                self._write(entry)
                _log.info("%s: the oldest recordings make room: limit of %s", *key)
            elif what.begin_utc_ns < entry.deletion.begin_utc_ns or what.end_utc_ns > entry.claimed_ns:
                begin = min(what.begin_utc_ns, entry.deletion.begin_utc_ns)
                entry.deletion = replace(entry.deletion, begin_utc_ns=begin)
                entry.claimed_ns = max(entry.claimed_ns, what.end_utc_ns + _AHEAD_NS)
                self._write(entry)

    def add(self, gone: Iterable[Doomed]) -> None:
        """Of what was announced so much is gone, and the rest is not."""
        for doomed in gone:
            self._add(doomed)
        self._under_way = False

    def pass_over(self) -> None:
        """Tells of what has gone since the last time: an event for each camera and limit."""
        gone, self._gone = self._gone, {}
        for what in gone.values():
            self._bus.publish(FootageDeleted(what.camera_id, what.files, what.bytes, str(what.reason)))

    def write_due(self) -> None:
        """Writes what has waited long enough; ends the entries of an hour."""
        now_s = self._clock.monotonic()
        for key, entry in list(self._open.items()):
            over = now_s - entry.began_s >= _ENTRY_S
            if over:
                self._end(key)
            elif now_s - entry.written_s >= _WRITE_EVERY_S and entry.deletion.files != entry.written_files:
                self._write(entry)

    def close(self) -> None:
        """Writes everything, as it really was."""
        for key in list(self._open):
            self._end(key)

    def _add(self, doomed: Doomed) -> None:
        key = (doomed.file.camera_id, doomed.reason)
        known = self._gone.get(key)
        self._gone[key] = known.with_file(doomed.file) if known else Deletion.of(doomed)
        entry = self._open[key]
        entry.deletion = entry.deletion.with_file(doomed.file) if entry.deletion.files else Deletion.of(doomed)
        if entry.deletion.files - entry.written_files >= _WRITE_AT_FILES:
            self._write(entry)

    def _write(self, entry: _Open) -> None:
        entry.written_s = self._clock.monotonic()
        entry.written_files = entry.deletion.files
        self._ledger.put(_told(entry, entry.claimed_ns))

    def _end(self, key: tuple[str, Reason]) -> None:
        entry = self._open.pop(key)
        what = entry.deletion
        told = _told(entry, entry.claimed_ns if self._under_way else what.end_utc_ns)
        if self._under_way:
            self._ledger.put(told)
            return
        if not what.files:  # none of those that were announced could be deleted
            self._ledger.remove(told)
            return
        self._ledger.put(told)
        _log.info(
            "%s: %d recordings (%.1f MB) were deleted by the limit of %s",
            what.camera_id, what.files, what.bytes / 1e6, what.reason,
        )  # fmt: skip


def _told(entry: _Open, end_utc_ns: int) -> Entry:
    what = entry.deletion
    data: dict[str, Value] = {"files": what.files, "bytes": what.bytes, "reason": str(what.reason)}
    return Entry(what.camera_id, EntryKind.DELETED, what.begin_utc_ns, end_utc_ns, data, entry.id)
