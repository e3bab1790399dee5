"""The ports of access: the gate that every door asks, the desk that keeps users and tokens, the audit log.

A door is whatever lets people in: the web server, the media servers, the command line, the broker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from livecam_nvr.domain.access import Principal, Role


class Door(StrEnum):
    """Where somebody came from."""

    PAGE = "page"
    HTTP = "http"
    RTSP = "rtsp"
    WEBRTC = "webrtc"
    HLS = "hls"
    MQTT = "mqtt"
    CLI = "cli"
    SERVICE = "service"
    """The service itself, e.g. retention."""


@dataclass(frozen=True, slots=True)
class Client:
    """The other end of a connection."""

    address: str
    """IP address, as text; behind a trusted proxy that of the person. Empty if there is none (MQTT, CLI)."""
    door: Door


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session."""

    principal: Principal
    secret: str
    """Goes into the cookie and nowhere else; only its hash is stored."""
    lifetime_s: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link that works for a while."""

    text: str
    expires_utc_ns: int


class Gate(Protocol):
    """Says who somebody is. The cheap questions are answered from memory, without a password's slow hash."""

    @property
    def demo(self) -> Principal | None:
        """Whom everybody counts as who brings no credentials; None (as ever outside a demo): nobody."""

    @property
    def needs_setup(self) -> bool:
        """True while there is no user: nobody gets in (but tokens), and the first one can be made."""

    async def sign_in(self, name: str, password: str, client: Client) -> SignedIn:
        """Begins a session (always a new one; what the browser had before is not taken over).

        Raises:
            ThrottledError: Too many failures before, for this user or from this address.
            LivecamError: UNAUTHENTICATED; never says whether the name or the password was wrong.
        """

    async def sign_out(self, secret: str, client: Client) -> None:
        """Ends a session; AccessEnded is told. Harmless if there is none."""

    def session(self, secret: str) -> Principal | None:
        """Who has this session; None if there is none (any more). Cheap."""

    def token(self, secret: str, client: Client) -> Principal | None:
        """Whose token this is; None if it is none, or not any more. Cheap; notes when it was last used."""

    async def password(self, name: str, password: str, client: Client) -> Principal:
        """Who this user is, for doors without sessions (HTTP Basic, RTSP). A token may stand for the password,
        with any user name. A right password is remembered for a while, so that asking again is cheap.

        Raises like `sign_in`.
        """

    def make_ticket(self, principal: Principal, scope: str, lifetime_s: float) -> Ticket:
        """A ticket for one path, or for all below one (`scope` ends with `/*`), as long as the credential lasts.

        Raises:
            LivecamError: INVALID for a lifetime that is not 1 s to a day, or a scope that is no path.
        """

    def ticket(self, text: str, path: str) -> Principal | None:
        """Who made this ticket, if it is for this path and still valid. Cheap."""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user, without secrets."""

    name: str
    role: Role
    cameras: tuple[str, ...] | None
    created_utc_ns: int
    last_sign_in_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token, without its secret."""

    id: str
    name: str
    role: Role
    cameras: tuple[str, ...] | None
    created_utc_ns: int
    expires_utc_ns: int | None = None
    last_used_utc_ns: int | None = None
    last_address: str = ""


@dataclass(frozen=True, slots=True)
class NewToken:
    """What is shown once."""

    info: TokenInfo
    secret: str


class AccessDesk(Protocol):
    """Users and tokens. `by` is who asks, for the audit log; `client` where from.

    All raise LivecamError: INVALID for a name, password, role or camera that cannot be, NOT_FOUND, CONFLICT for a
    name that is taken or for the last admin being removed or weakened.
    """

    def setup_allowed_from(self, address: str) -> bool:
        """Whether the first password may be set from there: this machine or the local network."""

    async def set_up(self, code: str, name: str, password: str, client: Client) -> SignedIn:
        """Makes the first user, an admin, with the code that the console shows.

        Raises:
            LivecamError: CONFLICT if there is a user already; FORBIDDEN from elsewhere; UNAUTHENTICATED for a
                wrong code; ThrottledError after too many of those.
        """

    async def users(self) -> Sequence[UserInfo]:
        """By name."""

    async def add_user(
        self, name: str, password: str, role: Role, cameras: Sequence[str] | None, *, by: str, client: Client
    ) -> UserInfo:
        """A new user."""

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
        """Another role, other cameras (`all_cameras` lifts the limit); what runs on the old rights ends."""

    async def set_password(
        self, name: str, password: str, *, by: str, client: Client, keep_session: str = ""
    ) -> None:
        """A new password. All sessions of the user and all that runs on the old one end, but `keep_session`."""

    async def remove_user(self, name: str, *, by: str, client: Client) -> None:
        """All that runs ends."""

    async def tokens(self) -> Sequence[TokenInfo]:
        """By name."""

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
        """A new token; its secret is never shown again."""

    async def remove_token(self, name_or_id: str, *, by: str, client: Client) -> None:
        """All that runs on it ends."""


class Deed(StrEnum):
    """What the audit log tells of."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    REFUSED = "refused"
    """Wrong, missing or too weak credentials."""
    SETUP = "setup"
    PASSWORD = "password"  # noqa: S105 - not a secret
    USER = "user"
    TOKEN = "token"  # noqa: S105 - not a secret
    RECORDING = "recording"
    MODE = "mode"
    QUALITY = "quality"
    RESTART = "restart"
    ENABLED = "enabled"
    MOVE = "move"
    EVENT = "event"
    KEEP = "keep"
    RELEASE = "release"
    EXPORT = "export"
    EXPORT_REMOVED = "export_removed"
    DOWNLOAD = "download"
    DELETION = "deletion"
    SETTINGS = "settings"
    HOME_ASSISTANT = "home_assistant"
    """Who carries the entities in Home Assistant."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log. Never holds a secret."""

    utc_ns: int
    deed: Deed
    who: str
    """`anna`, `token homeassistant`, `MQTT`, `retention`; what was tried, for a refused sign-in."""
    client: Client
    target: str = ""
    """A camera, a user, a token, an export, a path."""
    ok: bool = True
    detail: str = ""
    """For people, e.g. `on`, `1920x1080`, `4 files, 120 MB, age`."""
    times: int = 1
    """The same again within a short time counts here and makes no further line."""


class AuditLog(Protocol):
    """Keeps a bounded number of entries, durable, newest kept."""

    def note(
        self, deed: Deed, who: str, client: Client, *, target: str = "", ok: bool = True, detail: str = ""
    ) -> None:
        """Notes, soon, in the background; never raises."""

    async def read(
        self,
        *,
        limit: int = 100,
        before_utc_ns: int | None = None,
        deed: Deed | None = None,
        who: str | None = None,
    ) -> Sequence[AuditEntry]:
        """Newest first."""
