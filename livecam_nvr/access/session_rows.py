"""Sessions, last uses and renewed hashes in the file of users. Blocking; each function is one transaction."""

from collections.abc import Collection, Mapping

from livecam_nvr.access.database import AccessFile
from livecam_nvr.access.rows import Contents, SessionRow, UserRow, read_contents

MOST_PER_USER = 50


def read(file: AccessFile) -> Contents:
    """Everything, from one moment; raises as AccessFile."""
    with file.reading() as connection:
        return read_contents(connection, file.path)


def add(file: AccessFile, session: SessionRow, user: UserRow) -> bool:
    """Keeps a new session of a user, who then was there just now; of too many those go that were used longest ago.

    False if the user has been changed or removed in the meantime: a session must not outlive that.
    """
    with file.writing() as connection:
        changed = connection.execute(
            "UPDATE user SET last_sign_in_utc_ns = ? WHERE key = ? AND revision = ?",
            (session.created_utc_ns, user.key, user.revision),
        )
        if not changed.rowcount:
            return False
        connection.execute(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE user_key = ?"
            " ORDER BY last_used_utc_ns DESC, id LIMIT -1 OFFSET ?)",
            (user.key, MOST_PER_USER - 1),
        )
        connection.execute(
            "INSERT INTO session (id, user_key, hash, created_utc_ns, last_used_utc_ns) VALUES (?, ?, ?, ?, ?)",
            (session.id, session.user_key, session.hash, session.created_utc_ns, session.last_used_utc_ns),
        )
    return True


def remove(file: AccessFile, ids: Collection[str]) -> None:
    """Forgets sessions; harmless for those that are not there."""
    with file.writing() as connection:
        connection.executemany("DELETE FROM session WHERE id = ?", [(one,) for one in ids])


def note_use(file: AccessFile, sessions: Mapping[str, int], tokens: Mapping[str, tuple[int, str]]) -> None:
    """When sessions were last used, and tokens, and those from which address."""
    with file.writing() as connection:
        connection.executemany(
            "UPDATE session SET last_used_utc_ns = ? WHERE id = ?",
            [(used_utc_ns, one) for one, used_utc_ns in sessions.items()],
        )
        connection.executemany(
            "UPDATE token SET last_used_utc_ns = ?, last_address = ? WHERE id = ?",
            [(used_utc_ns, address, one) for one, (used_utc_ns, address) in tokens.items()],
        )


def renew_hash(file: AccessFile, user: UserRow, password: str) -> None:
    """Another hash of the same password: nothing that runs on it ends; nothing happens if it was changed."""
    with file.writing() as connection:
        connection.execute(
            "UPDATE user SET password = ? WHERE key = ? AND password = ?", (password, user.key, user.password)
        )
