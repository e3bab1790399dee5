"""Lets passwords through to the slow hash: one at a time, few waiting, and nobody who has failed too often."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import partial

from livecam_nvr.access import session_rows
from livecam_nvr.access.keeper import Keeper
from livecam_nvr.access.passwords import Hasher
from livecam_nvr.access.rows import UserRow
from livecam_nvr.access.rules import key_of, plain_password
from livecam_nvr.access.throttle import Throttle
from livecam_nvr.core.access import Client
from livecam_nvr.domain.access import ThrottledError, not_signed_in
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_MOST_WAITING = 16
_MOST_WAITING_OF_ONE = 8
_CROWDED_S = 2.0


class Turnstile:
    """Checks users' passwords.

    Args:
        keeper: Knows the users.
        hasher: Checks, and says which hashes are outdated.
        clock: For the throttle.
        on_failure: Told of each attempt in vain: the name that was tried, the client, how many that makes, and
            why, in words.
    """

    def __init__(
        self, keeper: Keeper, hasher: Hasher, clock: Clock, on_failure: Callable[[str, Client, int, str], None]
    ) -> None:
        self._keeper = keeper
        self._hasher = hasher
        self._throttle = Throttle(clock)
        self._on_failure = on_failure
        self._turn = asyncio.Lock()
        self._nobodys = hasher.nobodys()
        self._asked: dict[bytes, asyncio.Task[UserRow]] = {}
        self._waiting: Counter[str] = Counter()

    async def check(self, name: str, password: str, client: Client, digest: bytes) -> UserRow:
        """Whose password this is.

        Args:
            name: As it was typed.
            password: As it was typed.
            client: Who asks.
            digest: The same for the same three: what is asked several times at once is looked at once, as players
                come in crowds after a start.

        Raises:
            ThrottledError: Too many failures, or too many who wait.
            LivecamError: UNAUTHENTICATED; it takes as long for a user whom nobody knows. UNAVAILABLE if it cannot
                be found out.
        """
        self._keeper.demand()
        task = self._asked.get(digest)
        if task is None:
            # Here, too: whoever has to wait anyway must not stand in line before people who need not.
            self._demand_patience(name, client)
            crowded = self._waiting.total() >= _MOST_WAITING
            if crowded or self._waiting[client.address] >= _MOST_WAITING_OF_ONE:
                self._turned_away(name, client, "too many passwords at once")
                raise ThrottledError(_CROWDED_S)
            self._waiting[client.address] += 1
            task = asyncio.create_task(self._check(name, password, client), name="password")
            self._asked[digest] = task
            task.add_done_callback(partial(self._done, digest, client.address))
        # Who goes away does not undo what was found out: a wrong password counts.
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Ends what still waits."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, digest: bytes, address: str, task: asyncio.Task[UserRow]) -> None:
        del self._asked[digest]
        self._waiting -= Counter((address,))
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    async def _check(self, name: str, password: str, client: Client) -> UserRow:
        key = key_of(name)
        async with self._turn:
            self._demand_patience(name, client)
            row = self._keeper.snapshot.users.get(key)
            plain = plain_password(password)
            stored = self._nobodys if row is None or plain is None else row.password
            right = await self._keeper.slowly(partial(self._hasher.verify, stored, plain or "-"))
            if row is None or plain is None or not right:
                self._on_failure(
                    name, client, self._throttle.failed(key, client.address), "wrong name or password"
                )
                raise not_signed_in("the name or the password is wrong", "an admin can set the password anew")
            self._throttle.succeeded(key, client.address)
            if self._hasher.outdated(row.password):
                await self._renew(row, plain)
        # It may have been changed while the hash took its time.
        now = self._keeper.snapshot.users.get(key)
        if now is None or now.revision != row.revision:
            raise not_signed_in("the user was changed just now", "try again")
        return now

    def _demand_patience(self, name: str, client: Client) -> None:
        """Turns away whoever has to wait, and tells of it: who just goes on guesses no less for that."""
        try:
            self._throttle.check(key_of(name), client.address)
        except ThrottledError:
            self._turned_away(name, client, "too many failed attempts")
            raise

    def _turned_away(self, name: str, client: Client, why: str) -> None:
        self._on_failure(name, client, self._throttle.turned_away(key_of(name), client.address), why)

    async def _renew(self, row: UserRow, plain: str) -> None:
        """A hash of today's cost, while the password is at hand."""
        try:
            hashed = await self._keeper.slowly(partial(self._hasher.hash, plain))
            await self._keeper.change(lambda store: session_rows.renew_hash(store.file, row, hashed))
        except LivecamError as error:
            _log.info("a password's hash stays as it is: %s", error)
