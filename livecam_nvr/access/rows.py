"""What the file knows, as frozen values; nonsense in it is damage."""

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livecam_nvr.access.database import damaged
from livecam_nvr.core.access import TokenInfo, UserInfo
from livecam_nvr.domain.access import Kind, Principal, Role


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user."""

    key: str
    info: UserInfo
    revision: int
    password: str = field(repr=False)

    def principal(self, session: str = "") -> Principal:
        """Who comes with this user's password, or in a session of theirs."""
        info = self.info
        return Principal(
            Kind.USER, info.name, info.role, _set(info.cameras), f"user:{info.name}#{self.revision}", session
        )


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token."""

    info: TokenInfo
    revision: int
    hash: bytes = field(repr=False)

    def principal(self) -> Principal:
        """Who comes with this token."""
        info = self.info
        return Principal(Kind.TOKEN, info.name, info.role, _set(info.cameras), f"token:{info.id}#{self.revision}")


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of a user."""

    id: str
    user_key: str
    hash: bytes = field(repr=False)
    created_utc_ns: int
    last_used_utc_ns: int


@dataclass(frozen=True, slots=True)
class Contents:
    """All that the file knows, from one moment."""

    users: tuple[UserRow, ...]
    tokens: tuple[TokenRow, ...]
    sessions: tuple[SessionRow, ...]
    ticket_key: bytes = field(repr=False)


def read_users(connection: sqlite3.Connection, path: Path) -> tuple[UserRow, ...]:
    """All users, by name; raises UnreliableError for nonsense."""
    rows = connection.execute(
        "SELECT key, name, role, cameras, created_utc_ns, last_sign_in_utc_ns, revision, password FROM user"
        " ORDER BY key"
    )
    try:
        return tuple(
            UserRow(key, UserInfo(name, Role(role), _tuple(cameras), created, last), revision, password)
            for key, name, role, cameras, created, last, revision, password in rows
        )
    except (ValueError, TypeError) as error:
        raise damaged(path, error) from error


def read_tokens(connection: sqlite3.Connection, path: Path) -> tuple[TokenRow, ...]:
    """All tokens, by name; raises UnreliableError for nonsense."""
    rows = connection.execute(
        "SELECT id, name, role, cameras, created_utc_ns, expires_utc_ns, last_used_utc_ns, last_address, revision,"
        " hash FROM token ORDER BY key"
    )
    try:
        return tuple(
            TokenRow(
                TokenInfo(token_id, name, Role(role), _tuple(cameras), created, expires, used, address),
                revision,
                digest,
            )
            for token_id, name, role, cameras, created, expires, used, address, revision, digest in rows
        )
    except (ValueError, TypeError) as error:
        raise damaged(path, error) from error


def read_contents(connection: sqlite3.Connection, path: Path) -> Contents:
    """Everything; to be called within one transaction; raises UnreliableError for nonsense."""
    sessions = connection.execute("SELECT id, user_key, hash, created_utc_ns, last_used_utc_ns FROM session")
    key = connection.execute("SELECT value FROM fact WHERE name = 'ticket_key'").fetchone()
    if key is None or not isinstance(key[0], bytes):
        raise damaged(path, "the key of tickets is missing")
    return Contents(
        users=read_users(connection, path),
        tokens=read_tokens(connection, path),
        sessions=tuple(SessionRow(*row) for row in sessions),
        ticket_key=key[0],
    )


def cameras_text(cameras: tuple[str, ...] | None) -> str | None:
    """As it is stored."""
    return None if cameras is None else json.dumps(cameras)


def _tuple(stored: str | None) -> tuple[str, ...] | None:
    if stored is None:
        return None
    cameras: Any = json.loads(stored)
    if not isinstance(cameras, list) or not all(isinstance(camera, str) for camera in cameras):
        # Never to be taken for "all".
        raise ValueError("a list of cameras is none")
    return tuple(cameras)


def _set(cameras: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if cameras is None else frozenset(cameras)
