"""Tells the audit log what retention has deleted: one line an hour for each camera and limit."""

import asyncio
from dataclasses import dataclass

from livecam_nvr.core.access import AuditLog, Client, Deed, Door
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import FootageDeleted

_WHO = "retention"
_CLIENT = Client("", Door.SERVICE)


@dataclass(slots=True)
class _Sum:
    files: int = 0
    bytes: int = 0


class DeletionWitness:
    """Notes the first deletion at once, and what follows within the hour together: where the disk is full, each
    camera loses a recording as often as it makes one. (The archive's ledger has all of them, whatever happens.)

    Args:
        bus: Tells of deletions.
        audit: Takes the lines.
        gather_s: How long deletions are gathered.
    """

    def __init__(self, bus: EventBus, audit: AuditLog, *, gather_s: float = 3600.0) -> None:
        self._audit = audit
        self._gather_s = gather_s
        self._open: dict[tuple[str, str], _Sum] = {}
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._unsubscribe = bus.subscribe(FootageDeleted, self._deleted)

    def close(self) -> None:
        """Notes what it has gathered, and ends; before the audit log is stopped. Idempotent."""
        self._unsubscribe()
        for key in list(self._timers):
            self._timers[key].cancel()
            self._note(key)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _deleted(self, event: FootageDeleted) -> None:
        key = (event.camera_id, event.reason)
        total = self._open.setdefault(key, _Sum())
        total.files += event.files
        total.bytes += event.bytes
        if key not in self._timers:
            self._note(key)

    def _note(self, key: tuple[str, str]) -> None:
        total = self._open.pop(key, None)
        if total is None:
            del self._timers[key]  # a quiet hour: the next deletion is noted at once
            return
        self._timers[key] = asyncio.get_running_loop().call_later(self._gather_s, self._note, key)
        camera_id, reason = key
        files = f"{total.files} file{'s' if total.files != 1 else ''}"
        detail = f"{files}, {total.bytes / 1e6:.1f} MB, {reason}"
        self._audit.note(Deed.DELETION, _WHO, _CLIENT, target=camera_id, detail=detail)
