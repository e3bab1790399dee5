"""A gate and an audit log in memory: users, tokens and tickets as a test wants them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from livecam_nvr.core.access import AuditEntry, Client, Deed, SignedIn, Ticket
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Kind, Principal, Role, ThrottledError, not_signed_in

DEMO = Principal(Kind.DEMO, "demo", Role.OPERATOR)


@dataclass
class FakeGate:
    """Implements Gate; `attempts` tells each password that was looked at."""

    demo: Principal | None = DEMO
    users: dict[tuple[str, str], Principal] = field(default_factory=dict)
    tokens: dict[str, Principal] = field(default_factory=dict)
    tickets: dict[tuple[str, str], Principal] = field(default_factory=dict)
    attempts: list[tuple[str, str, Client]] = field(default_factory=list)
    throttled: bool = False
    hangs: bool = False

    @property
    def needs_setup(self) -> bool:
        return not self.users

    def add_user(self, name: str, password: str, *cameras: str) -> Principal:
        who = Principal(Kind.USER, name, Role.VIEWER, frozenset(cameras) or None, f"user:{name}#1")
        self.users[name, password] = who
        return who

    def add_token(self, text: str, *cameras: str) -> Principal:
        who = Principal(Kind.TOKEN, "machine", Role.VIEWER, frozenset(cameras) or None, f"token:{text}#1")
        self.tokens[text] = who
        return who

    def end(self, bus: EventBus, who: Principal, *, keep_session: str = "") -> None:
        """As if the password had been changed, or the token removed or run out."""
        for kept in (self.users, self.tokens, self.tickets):
            for key in [key for key, value in kept.items() if value.credential == who.credential]:
                del kept[key]  # type: ignore[attr-defined] # each has keys of its own kind
        bus.publish(AccessEnded(frozenset({who.credential}), keep_session=keep_session))

    async def sign_in(self, name: str, password: str, client: Client) -> SignedIn:
        raise NotImplementedError

    async def sign_out(self, secret: str, client: Client) -> None:
        raise NotImplementedError

    def session(self, secret: str) -> Principal | None:
        raise NotImplementedError

    def token(self, secret: str, client: Client) -> Principal | None:
        return self.tokens.get(secret)

    async def password(self, name: str, password: str, client: Client) -> Principal:
        if self.throttled:
            raise ThrottledError(30)
        self.attempts.append((name, password, client))
        if self.hangs:
            await asyncio.Event().wait()
        found = self.users.get((name, password)) or self.tokens.get(password)
        if found is None:
            raise not_signed_in()
        return found

    def make_ticket(self, principal: Principal, scope: str, lifetime_s: float) -> Ticket:
        text = f"ticket-{len(self.tickets)}"
        self.tickets[text, scope] = replace(principal, session="")  # a ticket does not tell of which sign-in it is
        return Ticket(text, round(lifetime_s * 1e9))

    def ticket(self, text: str, path: str) -> Principal | None:
        return self.tickets.get((text, path))


@dataclass
class FakeAudit:
    """Implements AuditLog."""

    notes: list[tuple[Deed, str, Client, str, bool]] = field(default_factory=list)

    def note(
        self, deed: Deed, who: str, client: Client, *, target: str = "", ok: bool = True, detail: str = ""
    ) -> None:
        self.notes.append((deed, who, client, target, ok))

    async def read(
        self,
        *,
        limit: int = 100,
        before_utc_ns: int | None = None,
        deed: Deed | None = None,
        who: str | None = None,
    ) -> Sequence[AuditEntry]:
        raise NotImplementedError
