"""Who may do what: roles, and who stands behind a request. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from livecam_nvr.domain.errors import ErrorKind, LivecamError

SUB = "_sub"
"""What the name of a camera's smaller stream ends with: whoever may see the camera may see that."""


class Role(StrEnum):
    """What somebody may do; each role may do all that those before it may."""

    VIEWER = "viewer"
    """Watch live."""
    WATCHER = "watcher"
    """And what was recorded."""
    OPERATOR = "operator"
    """And switch recording, keep, export, move and restart cameras, change their quality."""
    ADMIN = "admin"
    """And users, tokens, settings, and the audit log."""

    def includes(self, least: "Role") -> bool:
        """Whether this role may do what `least` may."""
        return _ORDER.index(self) >= _ORDER.index(least)


_ORDER = tuple(Role)


class Kind(StrEnum):
    """What sort of credential somebody came with."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 - not a secret
    DEMO = "demo"
    """None: the service shows test cameras to everybody."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was let in, for as long as one request or stream lasts."""

    kind: Kind
    name: str
    role: Role
    cameras: frozenset[str] | None = None
    """The only ones that they may see; None: all."""
    credential: str = ""
    """Names the credential and its revision, e.g. `user:anna#3`: whenever password, role or cameras change, or it
    is removed or runs out, this very text is told in `AccessEnded`, and what runs on it ends."""
    session: str = ""
    """The public id of the session it came with, for what ends with that; empty without one."""

    def may(self, least: Role, camera_id: str | None = None) -> bool:
        """Whether they may do what `least` may, with a camera if one is named."""
        return self.role.includes(least) and (camera_id is None or self.sees(camera_id))

    def sees(self, camera_id: str) -> bool:
        """Whether a camera is among theirs."""
        return self.cameras is None or camera_id.removesuffix(SUB) in self.cameras or camera_id in self.cameras

    @property
    def words(self) -> str:
        """Who it is, for logs: `anna`, `token homeassistant`, `demo`."""
        return f"token {self.name}" if self.kind is Kind.TOKEN else self.name


class ThrottledError(LivecamError):
    """Too many wrong passwords: asked again before the time is up, nothing is even looked at."""

    def __init__(self, retry_after_s: float) -> None:
        wait = max(1, round(retry_after_s))
        super().__init__(
            ErrorKind.THROTTLED, "too many failed attempts", f"try again in {wait} second{'s' if wait > 1 else ''}"
        )
        self.retry_after_s = retry_after_s


def not_signed_in(why: str = "this needs a sign-in", hint: str = "sign in, or send a token") -> LivecamError:
    """The error for a request without (valid) credentials; it never tells which part was wrong."""
    return LivecamError(ErrorKind.UNAUTHENTICATED, why, hint)


def not_allowed(principal: Principal, least: Role) -> LivecamError:
    """The error for somebody whose role is too weak."""
    return LivecamError(
        ErrorKind.FORBIDDEN,
        f"{principal.words} may not do this",
        f"it needs the role {least}; {principal.words} has {principal.role}",
    )
