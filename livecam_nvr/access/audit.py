"""The audit log: who has done what, noted at once, and written soon by a thread."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Condition, Lock, Thread

from livecam_nvr.access import audit_file
from livecam_nvr.access.audit_file import Line, is_damaged, is_routine
from livecam_nvr.access.audit_words import cleaned, plain
from livecam_nvr.core.access import AuditEntry, Client, Deed
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_SAME_S = 60.0
_GATHER_S = 0.5
_RETRY_S = 5.0
_STOP_S = 5.0
_MOST_WAITING = 10_000
_MOST_RECENT = 4096
_TRIM_AFTER_LINES = 200
_TRIM_EVERY_S = 3600.0
_TRIM_STEP = 1000


def write_entry(path: Path, entry: AuditEntry) -> None:
    """Writes one line at once, for programs other than the service; blocks.

    Raises:
        LivecamError: DISK if it cannot be written.
    """
    try:
        audit_file.append(path, [Line(cleaned(entry))], [entry.times])
    except (OSError, sqlite3.Error) as error:
        raise LivecamError(ErrorKind.DISK, f"the audit log {path} cannot be written: {error}") from error


def read_entries(
    path: Path, *, limit: int, before_utc_ns: int | None = None, deed: Deed | None = None, who: str | None = None
) -> list[AuditEntry]:
    """The newest lines that the file holds, newest first, also while the service writes it; blocks.

    Raises:
        LivecamError: UNAVAILABLE if it cannot be read.
    """
    try:
        return audit_file.read(path, limit=limit, before_utc_ns=before_utc_ns, deed=deed, who=who)
    except (OSError, sqlite3.Error) as error:
        raise LivecamError(ErrorKind.UNAVAILABLE, f"the audit log {path} cannot be read: {error}") from error


class FileAuditLog:
    """See livecam_nvr.core.access.AuditLog.

    What is noted is in the file within about a second; a normal stop loses nothing, so it has to be stopped after
    all that notes. The same again within a minute counts up the line that stands there. At most 100 000 lines of
    the last 400 days are kept; refusals and what the service does by itself have half of that, so that nobody can
    push out what people have done by knocking. What the disk does not take waits in memory, as far as 10 000 lines
    go.

    Nothing that is noted may be a secret. What was typed as the name in a sign-in that failed may be one: people
    type passwords there. Only names of users that there are may be noted, for all others something like
    `unknown user`. (Tokens and passwords in addresses are taken out in any case.)

    Args:
        path: The SQLite file; made, with its folder, for this user only (0600, 0700).
        clock: Names the times; UTC.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._condition = Condition()
        # Guarded by the condition, as all that follows up to `_stopping`.
        self._waiting: dict[Line, None] = {}
        """New, or with a higher number than in the file."""
        self._recent: dict[Hashable, tuple[float, Line]] = {}
        self._lost = 0
        self._stopping = False
        self._writing = Lock()
        self._untrimmed = _TRIM_AFTER_LINES
        self._trimmed_s = clock.monotonic()
        self._failing = False
        self._thread: Thread | None = None

    async def start(self) -> None:
        """Begins to write. Never raises: what keeps it from writing is logged, and tried again."""
        self._thread = Thread(target=self._run, name="audit log", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Writes what was noted, and ends; idempotent. A disk that hangs is not waited for for ever."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        await asyncio.to_thread(thread.join, _STOP_S)
        with self._condition:
            missing = len(self._waiting) + self._lost
        if missing:
            _log.error("%d lines could not be written into the audit log %s", missing, self._path)

    def note(
        self, deed: Deed, who: str, client: Client, *, target: str = "", ok: bool = True, detail: str = ""
    ) -> None:
        """See AuditLog; from any thread."""
        entry = cleaned(AuditEntry(self._clock.utc_ns(), deed, who, client, target, ok, detail))
        key = (deed, entry.who, entry.client, entry.target, ok, entry.detail)
        now_s = self._clock.monotonic()
        with self._condition:
            began_s, line = self._recent.get(key, (-_SAME_S, None))
            if line is not None and now_s - began_s < _SAME_S:
                line.times += 1
            else:
                line = Line(entry)
                if not self._room_for(entry):
                    return
                self._remember(key, now_s, line)
            self._waiting[line] = None
            self._condition.notify_all()

    async def read(
        self,
        *,
        limit: int = 100,
        before_utc_ns: int | None = None,
        deed: Deed | None = None,
        who: str | None = None,
    ) -> Sequence[AuditEntry]:
        """See AuditLog; what was noted before is in it.

        Raises:
            LivecamError: UNAVAILABLE if the file cannot be read.
        """

        def wanted(entry: AuditEntry) -> bool:
            return (
                (before_utc_ns is None or entry.utc_ns < before_utc_ns)
                and (deed is None or entry.deed is deed)
                and (who is None or entry.who == plain(who))
            )

        def find() -> list[AuditEntry]:
            with self._writing:
                self._write_waiting()
                with self._condition:
                    unwritten = [replace(line.entry, times=line.times) for line in self._waiting if not line.row]
                stored = self._stored(limit=limit, before_utc_ns=before_utc_ns, deed=deed, who=who)
            found = [*filter(wanted, unwritten), *stored]
            return sorted(found, key=lambda entry: entry.utc_ns, reverse=True)[: max(0, limit)]

        return await asyncio.to_thread(find)

    def _stored(
        self, *, limit: int, before_utc_ns: int | None, deed: Deed | None, who: str | None
    ) -> list[AuditEntry]:
        try:
            return audit_file.read(self._path, limit=limit, before_utc_ns=before_utc_ns, deed=deed, who=who)
        except sqlite3.Error as error:
            if is_damaged(error):
                audit_file.set_aside(self._path, error)
                return []
            raise LivecamError(ErrorKind.UNAVAILABLE, f"the audit log cannot be read: {error}") from error
        except OSError as error:
            raise LivecamError(ErrorKind.UNAVAILABLE, f"the audit log cannot be read: {error}") from error

    def _room_for(self, entry: AuditEntry) -> bool:
        """Whether it can wait; another one, less worth, may have to give way."""
        if len(self._waiting) < _MOST_WAITING:
            return True
        self._lost += 1
        if is_routine(entry):
            return False
        oldest = next(iter(self._waiting))
        del self._waiting[next((line for line in self._waiting if is_routine(line.entry)), oldest)]
        return True

    def _remember(self, key: Hashable, now_s: float, line: Line) -> None:
        self._recent.pop(key, None)
        self._recent[key] = (now_s, line)
        if len(self._recent) > _MOST_RECENT:
            del self._recent[next(iter(self._recent))]

    def _run(self) -> None:
        self._try(lambda: audit_file.check(self._path))
        stopping = False
        while not stopping:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._stopping)
                # What comes together is written together.
                self._condition.wait_for(lambda: self._stopping, _RETRY_S if self._failing else _GATHER_S)
                stopping = self._stopping
            with self._writing:
                self._write_waiting()

    def _write_waiting(self) -> None:
        with self._condition:
            lines = list(self._waiting)
            times = [line.times for line in lines]
        if not lines or not self._try(lambda: audit_file.append(self._path, lines, times)):
            return
        with self._condition:
            for line, number in zip(lines, times, strict=True):
                if line.times == number:
                    self._waiting.pop(line, None)
        self._untrimmed += len(lines)
        now_s = self._clock.monotonic()
        if self._untrimmed >= _TRIM_AFTER_LINES or now_s - self._trimmed_s >= _TRIM_EVERY_S:
            # Ages are only known where the clock is right: one that runs ahead would have everything deleted.
            now_utc_ns = self._clock.utc_ns() if self._clock.synchronised() else None
            most = _TRIM_STEP + self._untrimmed
            self._untrimmed, self._trimmed_s = 0, now_s
            self._try(lambda: audit_file.trim(self._path, now_utc_ns=now_utc_ns, most=most))

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except (OSError, sqlite3.Error, LivecamError) as error:
            if not self._failing:
                _log.error("the audit log %s cannot be written now, its lines wait: %s", self._path, error)
            self._failing = True
            return False
        except Exception:
            _log.exception("the audit log failed in an unforeseen way")
            self._failing = True
            return False
        if self._failing:
            with self._condition:
                lost, self._lost = self._lost, 0
            _log.warning("the audit log can be written again; %d lines were lost", lost)
        self._failing = False
        return True
