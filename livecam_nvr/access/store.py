"""Users and tokens in their file: for the command line as for the service, at the same time. Blocking."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from livecam_nvr.access import rows
from livecam_nvr.access.database import AccessFile
from livecam_nvr.access.passwords import Hasher
from livecam_nvr.access.rules import demand_future, key_of, proper_cameras, proper_name, proper_password
from livecam_nvr.access.secrets import hash_of, new_id, new_token
from livecam_nvr.core.access import NewToken, TokenInfo, UserInfo
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError

FILE = "access.sqlite"


class AccessStore:
    """Users and tokens. What it changes a running service notices within about a second.

    Args:
        folder: `DATA_DIR/access`; made, and kept to ourselves (0700, the file 0600), whatever the umask is.
        create: Makes the file if there is none; otherwise that is an error.
        hasher: Hashes new passwords.
        now_utc_ns: The wall clock.

    Raises:
        LivecamError: As every method: UNAVAILABLE if another program keeps the file locked for 5 s or there is no
            permission, DISK if the disk is full or the file damaged, CONFLICT if a newer program has made it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        create: bool = True,
        hasher: Hasher | None = None,
        now_utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._hasher = hasher or Hasher()
        self._now_utc_ns = now_utc_ns
        self.file = AccessFile(folder / FILE, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent."""
        self.file.close()

    def users(self) -> list[UserInfo]:
        """By name."""
        with self.file.reading() as connection:
            return [row.info for row in rows.read_users(connection, self.file.path)]

    def tokens(self) -> list[TokenInfo]:
        """By name."""
        with self.file.reading() as connection:
            return [row.info for row in rows.read_tokens(connection, self.file.path)]

    def add_user(
        self, name: str, password: str, role: Role, cameras: Sequence[str] | None, *, only_first: bool = False
    ) -> UserInfo:
        """A new user.

        Args:
            name: 1 to 64 letters, digits and `. _ @ -`; unique without regard to case.
            password: At least 10 characters.
            role: What they may do.
            cameras: The only ones that are theirs; None: all.
            only_first: Fails if there is any user.

        Raises:
            LivecamError: INVALID, or CONFLICT for a name that is taken.
        """
        info = UserInfo(proper_name(name), role, proper_cameras(cameras), self._now_utc_ns())
        hashed = self._hasher.hash(proper_password(password, info.name))
        with self.file.writing() as connection:
            if only_first and connection.execute("SELECT 1 FROM user").fetchone():
                raise LivecamError(ErrorKind.CONFLICT, "there is a user already", "sign in")
            if (taken := _name_taken(connection, info.name)) is not None:
                raise LivecamError(ErrorKind.CONFLICT, f"there is a user {taken!r} already", "choose another name")
            connection.execute(
                "INSERT INTO user (key, name, password, role, cameras, revision, created_utc_ns)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    key_of(info.name),
                    info.name,
                    hashed,
                    role,
                    rows.cameras_text(info.cameras),
                    _revision(connection),
                    info.created_utc_ns,
                ),
            )
        return info

    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        cameras: Sequence[str] | None = None,
        all_cameras: bool = False,
    ) -> UserInfo:
        """Another role, other cameras; `all_cameras` lifts the limit. Returns the user as they are now.

        Raises:
            LivecamError: INVALID, NOT_FOUND, or CONFLICT if no admin of all cameras would remain.
        """
        if all_cameras and cameras is not None:
            raise LivecamError(ErrorKind.INVALID, "either some cameras or all of them", "leave one of the two out")
        limit = proper_cameras(cameras)
        with self.file.writing() as connection:
            row = self._known(connection, name)
            new_role = role or row.info.role
            if not all_cameras and cameras is None:
                limit = row.info.cameras
            if (new_role, limit) == (row.info.role, row.info.cameras):
                return row.info
            self._demand_another_admin(connection, row, still=new_role is Role.ADMIN and limit is None)
            connection.execute(
                "UPDATE user SET role = ?, cameras = ?, revision = ? WHERE key = ?",
                (new_role, rows.cameras_text(limit), _revision(connection), row.key),
            )
            return self._known(connection, name).info

    def set_password(self, name: str, password: str, *, keep_session: str = "") -> None:
        """A new password; ends all sessions of the user but the one with the id `keep_session`.

        Raises:
            LivecamError: INVALID or NOT_FOUND.
        """
        with self.file.reading() as connection:
            row = self._known(connection, name)
        hashed = self._hasher.hash(proper_password(password, row.info.name))
        with self.file.writing() as connection:
            row = self._known(connection, name)
            connection.execute(
                "UPDATE user SET password = ?, revision = ? WHERE key = ?",
                (hashed, _revision(connection), row.key),
            )
            connection.execute("DELETE FROM session WHERE user_key = ? AND id != ?", (row.key, keep_session))

    def remove_user(self, name: str) -> UserInfo:
        """And all sessions of theirs. Returns who it was.

        Raises:
            LivecamError: NOT_FOUND, or CONFLICT if no admin of all cameras would remain.
        """
        with self.file.writing() as connection:
            row = self._known(connection, name)
            self._demand_another_admin(connection, row, still=False)
            connection.execute("DELETE FROM user WHERE key = ?", (row.key,))
        return row.info

    def add_token(
        self, name: str, role: Role, cameras: Sequence[str] | None, expires_utc_ns: int | None = None
    ) -> NewToken:
        """A new token; only its hash is kept.

        Raises:
            LivecamError: INVALID, or CONFLICT for a name that is taken.
        """
        now_utc_ns = self._now_utc_ns()
        demand_future(expires_utc_ns, now_utc_ns)
        proper, limit, secret = proper_name(name), proper_cameras(cameras), new_token()
        with self.file.writing() as connection:
            if _token_id(connection, proper) is not None:
                raise LivecamError(
                    ErrorKind.CONFLICT, f"there is a token {proper!r} already", "choose another name"
                )
            token_id = new_id()
            while _token_id(connection, token_id) is not None:
                token_id = new_id()
            info = TokenInfo(token_id, proper, role, limit, now_utc_ns, expires_utc_ns)
            connection.execute(
                "INSERT INTO token (id, key, name, hash, role, cameras, revision, created_utc_ns, expires_utc_ns)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    token_id,
                    key_of(proper),
                    proper,
                    hash_of(secret),
                    role,
                    rows.cameras_text(limit),
                    _revision(connection),
                    now_utc_ns,
                    expires_utc_ns,
                ),
            )
        return NewToken(info, secret)

    def remove_token(self, name_or_id: str) -> TokenInfo:
        """Returns what it was.

        Raises:
            LivecamError: NOT_FOUND.
        """
        with self.file.writing() as connection:
            token_id = _token_id(connection, name_or_id)
            known = {row.info.id: row.info for row in rows.read_tokens(connection, self.file.path)}
            if token_id is None:
                raise _no("token", name_or_id, [info.name for info in known.values()])
            connection.execute("DELETE FROM token WHERE id = ?", (token_id,))
        return known[token_id]

    def _known(self, connection: sqlite3.Connection, name: str) -> rows.UserRow:
        users = rows.read_users(connection, self.file.path)
        key = key_of(name)
        for row in users:
            if row.key == key:
                return row
        raise _no("user", name, [row.info.name for row in users])

    def _demand_another_admin(self, connection: sqlite3.Connection, row: rows.UserRow, *, still: bool) -> None:
        """Without an admin of all cameras only the command line could ever make one again."""
        if still or not _is_full_admin(row):
            return
        users = rows.read_users(connection, self.file.path)
        if not any(_is_full_admin(other) for other in users if other.key != row.key):
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"{row.info.name} is the last admin of all cameras",
                "make another user an admin first",
            )


def _is_full_admin(row: rows.UserRow) -> bool:
    return row.info.role is Role.ADMIN and row.info.cameras is None


def _name_taken(connection: sqlite3.Connection, name: str) -> str | None:
    """By which user, who may be written in another way."""
    found = connection.execute("SELECT name FROM user WHERE key = ?", (key_of(name),)).fetchone()
    return None if found is None else str(found[0])


def _token_id(connection: sqlite3.Connection, name_or_id: str) -> str | None:
    """No token's name is another one's id."""
    found = connection.execute(
        "SELECT id FROM token WHERE id = ? OR key = ?", (name_or_id, key_of(name_or_id))
    ).fetchone()
    return None if found is None else str(found[0])


def _revision(connection: sqlite3.Connection) -> int:
    """The next one, which no credential has had before."""
    found = connection.execute(
        "UPDATE fact SET value = value + 1 WHERE name = 'revision' RETURNING value"
    ).fetchone()
    return int(found[0])


def _no(what: str, name: str, known: list[str]) -> LivecamError:
    there = f"there are: {', '.join(known)}" if known else "there are none"
    return LivecamError(ErrorKind.NOT_FOUND, f"there is no {what} {name[:64]!r}", there)
