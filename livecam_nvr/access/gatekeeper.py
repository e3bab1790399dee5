"""Answers at every door who somebody is, from memory."""

import logging
from pathlib import Path

from livecam_nvr.access.keeper import Keeper
from livecam_nvr.access.passwords import Hasher
from livecam_nvr.access.remembered import RememberedPasswords
from livecam_nvr.access.rows import UserRow
from livecam_nvr.access.secrets import hash_of, looks_like_token
from livecam_nvr.access.snapshot import LONGEST_S, has_expired, is_over
from livecam_nvr.access.turnstile import Turnstile
from livecam_nvr.core.access import AuditLog, Client, Deed, SignedIn, Ticket
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded, BreakInAttempt
from livecam_nvr.domain.access import Kind, Principal, Role, not_signed_in
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_ALARMING = 10
_ALARM_S = 600.0
# A script that does not wait makes hundreds in a second: that is one alarm or two, not ten.
_ALARM_MORE_S = 60.0
_AUDIT_AGAIN_S = 3600.0
_MOST_AUDITED = 1024


class Gatekeeper:
    """Implements core.access.Gate.

    Args:
        folder: `DATA_DIR/access`.
        clock: What time it is.
        bus: Is told AccessEnded and BreakInAttempt.
        audit: Is told who was let in and who was not.
        demo: Whoever brings nothing counts as an operator, and nobody has to be made.
        hasher: For passwords.
        look_every_s: How soon it notices what others have changed, or the time has ended.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        bus: EventBus,
        audit: AuditLog,
        *,
        demo: bool,
        hasher: Hasher,
        look_every_s: float,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._audit = audit
        self._demo = Principal(Kind.DEMO, "demo", Role.OPERATOR) if demo else None
        self._keeper = Keeper(folder, clock, bus, hasher, look_every_s)
        self._turnstile = Turnstile(self._keeper, hasher, clock, self._failed)
        self._remembered = RememberedPasswords(clock)
        self._audited_s: dict[tuple[object, ...], float] = {}
        self._alarm = (0, float("-inf"))
        self._unsubscribe = bus.subscribe(AccessEnded, lambda ended: self._remembered.forget(ended.credentials))

    @property
    def demo(self) -> Principal | None:
        """See Gate."""
        return self._demo

    @property
    def needs_setup(self) -> bool:
        """See Gate. Not while the list of users cannot be read, and not in a demo."""
        return self._demo is None and self._keeper.problem is None and not self._keeper.snapshot.users

    @property
    def problem(self) -> LivecamError | None:
        """Why nobody is let in, if the list of users cannot be read; for the person who has to mend it."""
        return self._keeper.problem

    async def sign_in(self, name: str, password: str, client: Client) -> SignedIn:
        """See Gate."""
        digest = self._remembered.digest(name, password, client.address)
        user = await self._turnstile.check(name, password, client, digest)
        signed_in = await self._begin(user)
        self._audit.note(Deed.SIGN_IN, signed_in.principal.words, client)
        return signed_in

    async def sign_out(self, secret: str, client: Client) -> None:
        """See Gate."""
        principal = self.session(secret)
        if principal is not None:
            await self._keeper.end_session(principal.session)
            self._audit.note(Deed.SIGN_OUT, principal.words, client)

    def session(self, secret: str) -> Principal | None:
        """See Gate."""
        found = self._keeper.snapshot.sessions.get(hash_of(secret) or b"")
        now_utc_ns = self._clock.utc_ns()
        if found is None or is_over(found[0], self._keeper.last_use, now_utc_ns):
            return None
        self._keeper.last_use.note_session(found[0].id, now_utc_ns)
        return found[1]

    def token(self, secret: str, client: Client) -> Principal | None:
        """See Gate. What has a token's form and is none, or has expired, is noted as refused: anything else may be
        a user's name, or a ticket, at doors where they come in the same place.
        """
        found = self._keeper.snapshot.tokens.get(hash_of(secret) or b"")
        now_utc_ns = self._clock.utc_ns()
        if found is None:
            if looks_like_token(secret):
                self._audit.note(Deed.REFUSED, "token", client, ok=False, detail="no such token")
            return None
        row, principal = found
        if has_expired(row, now_utc_ns):
            self._audit.note(Deed.REFUSED, principal.words, client, ok=False, detail="expired")
            return None
        self._keeper.last_use.note_token(row.info.id, now_utc_ns, client.address)
        return principal

    async def password(self, name: str, password: str, client: Client) -> Principal:
        """See Gate."""
        for secret in (password, name):
            if looks_like_token(secret):
                self._keeper.demand()
                principal = self.token(secret, client)
                if principal is None:
                    raise not_signed_in("the token is wrong, was removed, or has expired")
                self._note_seldom(principal, client)
                return principal
        digest = self._remembered.digest(name, password, client.address)
        known = self._keeper.snapshot.user(name)
        if known is None or not self._remembered.knows(known.principal().credential, digest):
            known = await self._turnstile.check(name, password, client, digest)
            self._remembered.remember(known.principal().credential, digest)
        principal = known.principal()
        self._note_seldom(principal, client)
        return principal

    def make_ticket(self, principal: Principal, scope: str, lifetime_s: float) -> Ticket:
        """See Gate. Raises UNAVAILABLE, too, while the list of users cannot be read."""
        tickets = self._keeper.tickets
        if tickets is None:
            self._keeper.demand()
            raise not_signed_in()
        return tickets.make(principal.credential, scope, lifetime_s)

    def ticket(self, text: str, path: str) -> Principal | None:
        """See Gate."""
        tickets = self._keeper.tickets
        credential = None if tickets is None else tickets.read(text, path)
        if credential is None:
            return None
        if not credential:
            return self._demo
        return self._keeper.snapshot.principal(credential, self._clock.utc_ns())

    async def _begin(self, user: UserRow) -> SignedIn:
        begun = await self._keeper.begin_session(user)
        if begun is None:
            raise not_signed_in("the user was changed just now", "try again")
        session, secret = begun
        # The longest it can last: the browser must not forget it while it is in use. Unused it ends sooner, here.
        return SignedIn(user.principal(session.id), secret, LONGEST_S)

    def _note_seldom(self, principal: Principal, client: Client) -> None:
        """Players come back all the time: one line an hour will do."""
        key, now_s = (principal.credential, client), self._clock.monotonic()
        if now_s - self._audited_s.get(key, float("-inf")) < _AUDIT_AGAIN_S:
            return
        self._audited_s.pop(key, None)
        while len(self._audited_s) >= _MOST_AUDITED:
            del self._audited_s[next(iter(self._audited_s))]
        self._audited_s[key] = now_s
        self._audit.note(Deed.SIGN_IN, principal.words, client)

    def _failed(self, name: str, client: Client, failures: int, why: str) -> None:
        """An attempt in vain. A name that nobody has is not repeated: it may be the password."""
        row = self._keeper.snapshot.user(name)
        tried = row.info.name if row else ""
        self._audit.note(Deed.REFUSED, tried or "unknown user", client, ok=False, detail=why)
        self._alarm_if_many(tried, client, failures)

    def _alarm_if_many(self, name: str, client: Client, failures: int) -> None:
        told, at_s = self._alarm
        now_s = self._clock.monotonic()
        quiet_s = now_s - at_s
        more = failures >= 10 * told or (failures >= 2 * told and quiet_s >= _ALARM_MORE_S)
        if failures < _ALARMING or not (more or quiet_s >= _ALARM_S):
            return
        self._alarm = (failures, now_s)
        _log.warning(
            "%d failed sign-ins (%s, from %s)", failures, name or "several names", client.address or client.door
        )
        self._bus.publish(BreakInAttempt(name, client.address, failures, client.door))
