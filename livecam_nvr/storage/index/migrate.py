"""Brings a database to the current schema: numbered steps, each in its own transaction."""

import sqlite3
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_SCHEMA = Path(__file__).parent / "schema"


def steps(folder: Path = _SCHEMA) -> dict[int, Path]:
    """The files `NNNN.sql` by number."""
    return {int(path.stem): path for path in sorted(folder.glob("[0-9][0-9][0-9][0-9].sql"))}


def demand_known(connection: sqlite3.Connection, name: str, folder: Path = _SCHEMA) -> int:
    """The database's version, which this program knows.

    Raises:
        LivecamError: CONFLICT if a newer program has made the database.
        sqlite3.Error: The database is damaged.
    """
    version, newest = int(connection.execute("PRAGMA user_version").fetchone()[0]), max(steps(folder))
    if version > newest:
        raise LivecamError(
            ErrorKind.CONFLICT,
            f"the index {name} was made by a newer livecam-nvr (its version is {version}, known is {newest})",
            "update livecam-nvr, or delete the index: it is rebuilt from the recordings",
        )
    return version


def migrate(connection: sqlite3.Connection, name: str, folder: Path = _SCHEMA) -> None:
    """Runs the steps that are missing; `PRAGMA user_version` is the number of the last one.

    Args:
        connection: In autocommit mode.
        name: The database, for the error.
        folder: Where the steps are.

    Raises:
        LivecamError: CONFLICT if a newer program has made the database.
        sqlite3.Error: The database is damaged or cannot be written.
    """
    version = demand_known(connection, name, folder)
    for number, path in steps(folder).items():
        if number > version:
            script = path.read_text(encoding="utf-8")
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
            except sqlite3.Error:
                if connection.in_transaction:
                    connection.rollback()
                raise
