"""All users, tokens and sessions in memory, found by what somebody brings."""

from collections.abc import Iterable
from dataclasses import dataclass

from livecam_nvr.access.last_use import LastUse
from livecam_nvr.access.rows import Contents, SessionRow, TokenRow, UserRow
from livecam_nvr.access.rules import key_of
from livecam_nvr.domain.access import Principal
from livecam_nvr.domain.segment import NS

LONGEST_S = 365 * 86_400
"""No session lasts longer."""
_IDLE_NS = 30 * 86_400 * NS


@dataclass(frozen=True, slots=True)
class Valid:
    """What somebody may come with at a moment, by its public name."""

    credentials: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()


class Snapshot:
    """What the file said at a moment.

    Args:
        contents: Of the file.
        more: Sessions that are not in it.
        ended: Ids of sessions that are over, although they are in it.
    """

    def __init__(
        self, contents: Contents, more: Iterable[SessionRow] = (), ended: frozenset[str] = frozenset()
    ) -> None:
        self.users = {row.key: row for row in contents.users}
        self.tokens = {row.hash: (row, row.principal()) for row in contents.tokens}
        self.sessions = {
            row.hash: (row, self.users[row.user_key].principal(row.id))
            for row in (*contents.sessions, *more)
            if row.id not in ended and row.user_key in self.users
        }
        self._by_credential: dict[str, tuple[Principal, TokenRow | None]] = {
            principal.credential: (principal, None) for principal in (row.principal() for row in contents.users)
        }
        self._by_credential |= {principal.credential: (principal, row) for row, principal in self.tokens.values()}

    def user(self, name: str) -> UserRow | None:
        """By name, however it is typed."""
        return self.users.get(key_of(name))

    def stored_sessions(self) -> dict[str, SessionRow]:
        """By id."""
        return {row.id: row for row, _ in self.sessions.values()}

    def principal(self, credential: str, now_utc_ns: int) -> Principal | None:
        """Who has it, while it is valid."""
        found = self._by_credential.get(credential)
        if found is None or (found[1] is not None and has_expired(found[1], now_utc_ns)):
            return None
        return found[0]

    def valid(self, last_use: LastUse, now_utc_ns: int) -> Valid:
        """What may be come with now."""
        return Valid(
            frozenset(
                credential
                for credential, (_, token) in self._by_credential.items()
                if token is None or not has_expired(token, now_utc_ns)
            ),
            frozenset(row.id for row, _ in self.sessions.values() if not is_over(row, last_use, now_utc_ns)),
        )


NOTHING = Snapshot(Contents((), (), (), b""))
"""Lets nobody in."""


def has_expired(token: TokenRow, now_utc_ns: int) -> bool:
    """Whether its time is up."""
    return token.info.expires_utc_ns is not None and now_utc_ns >= token.info.expires_utc_ns


def is_over(session: SessionRow, last_use: LastUse, now_utc_ns: int) -> bool:
    """Whether nobody has used it for 30 days, or it is a year old."""
    return (
        now_utc_ns >= last_use.session(session) + _IDLE_NS or now_utc_ns >= session.created_utc_ns + LONGEST_S * NS
    )
