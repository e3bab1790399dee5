"""core.access's ports in memory, for the web server's tests: no hashes, no files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from secrets import token_hex

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from livecam_nvr.core.access import (
    AuditEntry,
    Client,
    Deed,
    Door,
    NewToken,
    SignedIn,
    Ticket,
    TokenInfo,
    UserInfo,
)
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Kind, Principal, Role, ThrottledError, not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.access_caller import CALLER, TICKET, Caller
from livecam_nvr.web.keys import OPEN, WebAccess
from livecam_nvr.web.open_streams import OpenStreams
from livecam_nvr.web.proxies import PROXIES, Proxies

PASSWORD = "right one"
NOW_NS = 1_795_000_000 * NS
TESTER = Principal(Kind.DEMO, "tester", Role.ADMIN, credential="demo")
"""Whom everybody counts as, unless a test says otherwise."""


@dataclass
class User:
    """Somebody with a password."""

    name: str
    password: str
    role: Role
    cameras: tuple[str, ...] | None = None
    revision: int = 1

    @property
    def principal(self) -> Principal:
        cameras = None if self.cameras is None else frozenset(self.cameras)
        return Principal(Kind.USER, self.name, self.role, cameras, f"user:{self.name}#{self.revision}")


@dataclass
class FakeGate:
    """core.access.Gate and AccessDesk."""

    bus: EventBus
    demo: Principal | None = TESTER
    people: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Secret to user and public id."""
    tickets: dict[str, tuple[Principal, str]] = field(default_factory=dict)
    machines: dict[str, tuple[TokenInfo, Principal]] = field(default_factory=dict)
    code: str = ""
    throttled_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    """The passwords that were looked at, by user."""

    @property
    def needs_setup(self) -> bool:
        return not self.people

    def let_in(self, name: str, role: Role, cameras: Iterable[str] | None = None, password: str = "") -> User:
        """A user there is; the password is PASSWORD if none is given."""
        user = User(name, password or PASSWORD, role, None if cameras is None else tuple(cameras))
        self.people[name] = user
        return user

    def open_session(self, name: str) -> str:
        """The secret of a new session."""
        secret = token_hex(16)
        self.sessions[secret] = (name, f"session-{len(self.sessions)}")
        return secret

    def open_token(self, name: str, role: Role, cameras: Iterable[str] | None = None) -> str:
        """The secret of a new token."""
        limit = None if cameras is None else tuple(cameras)
        secret = f"lnv_{token_hex(16)}"
        principal = Principal(
            Kind.TOKEN, name, role, None if limit is None else frozenset(limit), f"token:{name}#1"
        )
        self.machines[secret] = (TokenInfo(f"id-{name}", name, role, limit, NOW_NS), principal)
        return secret

    async def sign_in(self, name: str, password: str, client: Client) -> SignedIn:
        await self._check(name, password)
        secret = self.open_session(name)
        principal = self.session(secret)
        assert principal is not None
        return SignedIn(principal, secret, 3600.0)

    async def sign_out(self, secret: str, client: Client) -> None:
        found = self.sessions.pop(secret, None)
        if found is not None:
            self.bus.publish(AccessEnded(sessions=frozenset({found[1]})))

    def session(self, secret: str) -> Principal | None:
        name, public = self.sessions.get(secret, ("", ""))
        return replace(self.people[name].principal, session=public) if name in self.people else None

    def token(self, secret: str, client: Client) -> Principal | None:
        found = self.machines.get(secret)
        return found[1] if found else None

    async def password(self, name: str, password: str, client: Client) -> Principal:
        if password in self.machines:
            return self.machines[password][1]
        return await self._check(name, password)

    def make_ticket(self, principal: Principal, scope: str, lifetime_s: float) -> Ticket:
        if not 1 <= lifetime_s <= 86_400:
            raise LivecamError(ErrorKind.INVALID, "a ticket cannot last so long")
        if ".." in scope or "%" in scope or "//" in scope:
            raise LivecamError(ErrorKind.INVALID, "a ticket is for a path")
        text = f"ticket-{token_hex(8)}"
        self.tickets[text] = (principal, scope)
        return Ticket(text, NOW_NS + round(lifetime_s * NS))

    def ticket(self, text: str, path: str) -> Principal | None:
        principal, scope = self.tickets.get(text, (None, ""))
        covered = path.startswith(scope[:-1]) if scope.endswith("/*") else path == scope
        return principal if covered else None

    def setup_allowed_from(self, address: str) -> bool:
        return address.startswith("127.")

    async def set_up(self, code: str, name: str, password: str, client: Client) -> SignedIn:
        if self.people:
            raise LivecamError(ErrorKind.CONFLICT, "there is a user already")
        if not self.code or code != self.code:
            raise not_signed_in()
        self.let_in(name, Role.ADMIN, password=password)
        return await self.sign_in(name, password, client)

    async def users(self) -> Sequence[UserInfo]:
        return [self._info(user) for _, user in sorted(self.people.items())]

    async def add_user(
        self, name: str, password: str, role: Role, cameras: Sequence[str] | None, *, by: str, client: Client
    ) -> UserInfo:
        if name in self.people:
            raise LivecamError(ErrorKind.CONFLICT, f"there is a user {name} already")
        return self._info(self.let_in(name, role, cameras, password))

    async def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        cameras: Sequence[str] | None = None,
        all_cameras: bool = False,
        by: str,
        client: Client,
    ) -> UserInfo:
        user = self._user(name)
        ended = user.principal.credential
        user.role = role or user.role
        user.cameras = None if all_cameras else user.cameras if cameras is None else tuple(cameras)
        self._end(user, ended)
        return self._info(user)

    async def set_password(
        self, name: str, password: str, *, by: str, client: Client, keep_session: str = ""
    ) -> None:
        user = self._user(name)
        ended = user.principal.credential
        user.password = password
        gone = {s: found for s, found in self.sessions.items() if found[0] == name and found[1] != keep_session}
        for secret in gone:
            del self.sessions[secret]
        self._end(user, ended, frozenset(public for _, public in gone.values()), keep_session)

    async def remove_user(self, name: str, *, by: str, client: Client) -> None:
        user = self._user(name)
        del self.people[name]
        self._end(user, user.principal.credential)

    async def tokens(self) -> Sequence[TokenInfo]:
        return [info for info, _ in self.machines.values()]

    async def add_token(
        self,
        name: str,
        role: Role,
        cameras: Sequence[str] | None,
        *,
        expires_utc_ns: int | None = None,
        by: str,
        client: Client,
    ) -> NewToken:
        secret = self.open_token(name, role, cameras)
        info, principal = self.machines[secret]
        self.machines[secret] = (replace(info, expires_utc_ns=expires_utc_ns), principal)
        return NewToken(self.machines[secret][0], secret)

    async def remove_token(self, name_or_id: str, *, by: str, client: Client) -> None:
        for secret, (info, principal) in list(self.machines.items()):
            if name_or_id in (info.id, info.name):
                del self.machines[secret]
                self.bus.publish(AccessEnded(credentials=frozenset({principal.credential})))
                return
        raise LivecamError(ErrorKind.NOT_FOUND, "there is no such token")

    async def _check(self, name: str, password: str) -> Principal:
        self.asked.append(name)
        if self.throttled_s:
            raise ThrottledError(self.throttled_s)
        user = self.people.get(name)
        if user is None or user.password != password:
            raise not_signed_in()
        return user.principal

    def _user(self, name: str) -> User:
        if name not in self.people:
            raise LivecamError(ErrorKind.NOT_FOUND, f"there is no user {name!r}")
        return self.people[name]

    def _end(self, user: User, ended: str, sessions: frozenset[str] = frozenset(), keep: str = "") -> None:
        user.revision += 1
        self.bus.publish(AccessEnded(frozenset({ended}), sessions, keep))

    def _info(self, user: User) -> UserInfo:
        return UserInfo(user.name, user.role, user.cameras, NOW_NS)


@dataclass
class FakeAudit:
    """core.access.AuditLog."""

    entries: list[AuditEntry] = field(default_factory=list)

    def note(
        self, deed: Deed, who: str, client: Client, *, target: str = "", ok: bool = True, detail: str = ""
    ) -> None:
        at = NOW_NS + len(self.entries)
        self.entries.append(AuditEntry(at, deed, who, client, target, ok, detail))

    async def read(
        self,
        *,
        limit: int = 100,
        before_utc_ns: int | None = None,
        deed: Deed | None = None,
        who: str | None = None,
    ) -> Sequence[AuditEntry]:
        wanted = [
            entry
            for entry in reversed(self.entries)
            if (before_utc_ns is None or entry.utc_ns < before_utc_ns)
            and deed in (None, entry.deed)
            and who in (None, entry.who)
        ]
        return wanted[:limit]


def fake_access(bus: EventBus) -> tuple[WebAccess, FakeGate, FakeAudit]:
    """What the web server asks for, and its parts."""
    gate, audit = FakeGate(bus), FakeAudit()
    return WebAccess(gate, gate, audit), gate, audit


def provide(app: web.Application, streams: OpenStreams | None = None) -> None:
    """What handlers find in an application of a test's own that `as_somebody` is in front of."""
    app[PROXIES] = Proxies()
    app[OPEN] = streams or OpenStreams()


def as_somebody(principal: Principal = TESTER) -> Middleware:
    """In place of the real guard: everybody is let in as `principal`, whatever ticket they bring."""

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        client = Client(request.remote or "", Door.HTTP)
        request[CALLER] = Caller(principal, client, request.query.get(TICKET, ""))
        return await handler(request)

    return let_in
