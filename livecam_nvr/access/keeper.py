"""Keeps the file of users in memory, notices what others change in it, and tells what has ended."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeAlias, TypeVar

from livecam_nvr.access import session_rows
from livecam_nvr.access.database import UnreliableError
from livecam_nvr.access.last_use import LastUse
from livecam_nvr.access.passwords import Hasher
from livecam_nvr.access.rows import Contents, SessionRow, UserRow
from livecam_nvr.access.secrets import hash_of, new_id, new_session
from livecam_nvr.access.snapshot import NOTHING, Snapshot, Valid
from livecam_nvr.access.store import AccessStore
from livecam_nvr.access.tickets import TicketMaker
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

T = TypeVar("T")
_Stamp: TypeAlias = tuple[int, ...]


class Keeper:
    """Owns the file. As long as that cannot be relied on, nobody is known and nothing is open.

    Args:
        folder: `DATA_DIR/access`.
        clock: Says what has expired.
        bus: Is told AccessEnded.
        hasher: For new passwords.
        look_every_s: How soon it is noticed what others have changed, or the time has ended.

    Attributes:
        snapshot: What counts now.
        last_use: When sessions and tokens were used.
        tickets: Made with the file's key; None while there is none.
        problem: Why nobody is known, if so.
    """

    def __init__(self, folder: Path, clock: Clock, bus: EventBus, hasher: Hasher, look_every_s: float) -> None:
        self.snapshot = NOTHING
        self.last_use = LastUse()
        self.tickets: TicketMaker | None = None
        self.problem: LivecamError | None = LivecamError(ErrorKind.UNAVAILABLE, "it has not been read yet")
        self._folder = folder
        self._clock = clock
        self._bus = bus
        self._hasher = hasher
        self._look_every_s = look_every_s
        self._store: AccessStore | None = None
        self._stamp: _Stamp = ()
        self._may_create = True
        self._told = Valid()
        self._kept: dict[str, str] = {}
        self._unsaved: dict[str, tuple[SessionRow, str]] = {}
        self._ended: set[str] = set()
        self._contents: Contents | None = None
        self._complaint = ""
        self._lock = asyncio.Lock()
        self._reading = Lock()
        self._opened = 0
        self._stopped = False
        self._task: asyncio.Task[None] | None = None
        # One thread: an Argon2 hash takes 64 MiB, and all cores.
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="passwords")

    async def start(self) -> None:
        """Reads the file, which is made if there is none; a file that cannot be read is a `problem`, no error."""
        if self._task is None:
            await self.look()
            self._task = asyncio.create_task(self._watch(), name="access")

    async def stop(self) -> None:
        """Idempotent; writes down what was last used when."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with self._lock:
            if not self._stopped:
                await self._write_down(last=True)
            self.problem = LivecamError(ErrorKind.UNAVAILABLE, "the service is ending")
            self._slow.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._reading:
            self._stopped = True
            if self._store is not None:
                self._store.close()
                self._store = None

    async def slowly(self, work: Callable[[], T]) -> T:
        """Does what needs a slow hash, one at a time, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._slow, work)

    async def change(
        self,
        work: Callable[[AccessStore], T],
        *,
        slow: bool = False,
        keep: Mapping[str, str] | None = None,
    ) -> T:
        """Does `work` in a thread; when this returns, what it changed counts, and what it ended has been told.

        Args:
            work: Changes something.
            slow: It needs a slow hash.
            keep: By credentials that it may end: the session that goes on all the same.

        Raises:
            LivecamError: As `work`; UNAVAILABLE while there is a `problem`.
        """
        store = self._demand_store()
        keep = keep or {}
        # Beforehand, as the watch may see the change sooner than this here goes on.
        self._kept |= keep
        try:
            result = await (self.slowly(lambda: work(store)) if slow else asyncio.to_thread(work, store))
            await self.look()
        finally:
            for credential in keep:
                self._kept.pop(credential, None)
        return result

    async def begin_session(self, user: UserRow) -> tuple[SessionRow, str] | None:
        """A new session and its secret; None if the user was changed or removed just now.

        On a disk that is full it lasts until the service ends: whoever has to make room must get in.

        Raises:
            LivecamError: UNAVAILABLE while there is a `problem`.
        """
        store = self._demand_store()
        secret, now_utc_ns = new_session(), self._clock.utc_ns()
        row = SessionRow(new_id(), user.key, hash_of(secret) or b"", now_utc_ns, now_utc_ns)
        try:
            if not await asyncio.to_thread(session_rows.add, store.file, row, user):
                return None
        except UnreliableError:
            await self.look()
            self.demand()
            return None
        except LivecamError as error:
            _log.warning("a sign-in cannot be kept beyond the next start: %s", error)
            self._unsaved[row.id] = (row, user.principal().credential)
            self._renew()
        await self.look()
        return row, secret

    async def end_session(self, session_id: str) -> None:
        """It is over at once, even if that can be written down only later."""
        self._ended.add(session_id)
        self._unsaved.pop(session_id, None)
        self._renew()
        self._tell()
        async with self._lock:
            await self._write_down()

    async def look(self) -> None:
        """Takes over what has changed in the file, and what the time has ended, and tells of it."""
        async with self._lock:
            if self._stopped:
                return
            try:
                found = await asyncio.to_thread(self._read, self._stamp)
            except LivecamError as error:
                self._fail(error)
            else:
                self._take(found)
            self._tell()

    def demand(self) -> None:
        """Raises LivecamError UNAVAILABLE while there is a `problem`; strangers are told no path."""
        if self.problem is not None:
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                "nobody can sign in: the list of users cannot be read",
                "the log of the service says why, and what to do",
            )

    def _demand_store(self) -> AccessStore:
        self.demand()
        if self._store is None:
            raise LivecamError(ErrorKind.UNAVAILABLE, "the list of users is being read", "try again in a moment")
        return self._store

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            try:
                await self.look()
                async with self._lock:
                    await self._write_down()
            except Exception:
                _log.exception("the look at the list of users failed in an unforeseen way")

    def _read(self, known: _Stamp) -> tuple[_Stamp, Contents] | None:
        """What is in the file, if that may have changed; in a thread, which may outlast whoever asked for it."""
        with self._reading:
            try:
                return self._read_store(known)
            except UnreliableError:
                if self._store is None:
                    raise
                self._store.close()
                self._store = None
                # Another file may have been put in its place: a backup, for one.
                self._may_create = False
                return self._read_store(known)

    def _read_store(self, known: _Stamp) -> tuple[_Stamp, Contents] | None:
        if self._stopped:
            raise LivecamError(ErrorKind.UNAVAILABLE, "the service is ending")
        if self._store is None:
            self._store = AccessStore(
                self._folder, create=self._may_create, hasher=self._hasher, now_utc_ns=self._clock.utc_ns
            )
            # What a connection counts begins anew with each.
            self._opened += 1
        stamp = (self._opened, *self._store.file.look())
        return None if stamp == known else (stamp, session_rows.read(self._store.file))

    def _take(self, found: tuple[_Stamp, Contents] | None) -> None:
        if found is not None:
            self._stamp, contents = found
            self._may_create = False
            if self._contents is None or contents.ticket_key != self._contents.ticket_key:
                self.tickets = TicketMaker(contents.ticket_key, self._clock)
            self._contents = contents
            self._ended &= {row.id for row in contents.sessions}
            self._renew()
        if self._complaint:
            _log.warning("the list of users can be read again")
        self._complaint, self.problem = "", None

    def _fail(self, error: LivecamError) -> None:
        if self._complaint != str(error):
            self._complaint = str(error)
            _log.error("%s; %s", error, error.hint)
        if isinstance(error, UnreliableError):
            self._may_create = False
            self._stamp, self._contents, self.tickets = (), None, None
            self._unsaved.clear()
            self.snapshot = NOTHING
        if self._contents is None:
            self.problem = error

    def _renew(self) -> None:
        if self._contents is None:
            return
        now = frozenset(row.principal().credential for row in self._contents.users)
        self._unsaved = {one: kept for one, kept in self._unsaved.items() if kept[1] in now}
        more = [row for row, _ in self._unsaved.values()]
        self.snapshot = Snapshot(self._contents, more, frozenset(self._ended))

    def _tell(self) -> None:
        """Whatever was valid and is not any more has ended, for whatever reason."""
        valid = self.snapshot.valid(self.last_use, self._clock.utc_ns())
        told, self._told = self._told, valid
        sessions = told.sessions - valid.sessions
        credentials = told.credentials - valid.credentials
        for credential in credentials & self._kept.keys():
            self._bus.publish(AccessEnded(frozenset({credential}), sessions, self._kept[credential]))
            credentials, sessions = credentials - {credential}, frozenset()
        if credentials or sessions:
            self._bus.publish(AccessEnded(credentials, sessions))

    async def _write_down(self, *, last: bool = False) -> None:
        store = self._store
        if store is None:
            return
        batch = self.last_use.due(self.snapshot.stored_sessions(), self._clock.monotonic(), last=last)
        ended = frozenset(self._ended)
        try:
            if ended:
                await asyncio.to_thread(session_rows.remove, store.file, ended)
            if batch:
                await asyncio.to_thread(session_rows.note_use, store.file, batch.sessions, batch.tokens)
        except LivecamError as error:
            # The next look finds a worse fault; on a full disk it is tried again.
            _log.debug("what was last used when cannot be written down: %s", error)
            return
        self.last_use.written(batch, self._clock.monotonic())
