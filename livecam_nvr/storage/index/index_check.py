"""Examines the index's SQLite file itself: whether it is there, of this program, whole, and counts right."""

import sqlite3
from pathlib import Path

from livecam_nvr.storage.index.database import connect, is_damaged, open_database, transaction
from livecam_nvr.storage.index.findings import Finding, FindingKind
from livecam_nvr.storage.index.from_ledgers import add_ledgers
from livecam_nvr.storage.index.migrate import demand_known, steps
from livecam_nvr.storage.index.rows import FILL_DAYS, WRONG_DAYS

_REINDEX = "`livecam-nvr reindex` rebuilds it from the recordings"
_MOST = 5


def open_for_check(path: Path, root: Path, findings: list[Finding], *, repair: bool) -> sqlite3.Connection | None:
    """The index, to be read (or changed, with `repair`); None if it cannot be used, which is then a finding.

    With `repair` one that is missing is made, and has what the ledgers of the archive in `root` tell: without
    that, gaps would have no causes, and kept clips would seem not to be protected.

    Raises:
        LivecamError: CONFLICT if a newer program has made it.
    """
    if repair:
        return _open_for_repair(path, root, findings)
    if not path.exists():
        findings.append(Finding(FindingKind.INDEX, "", f"there is no index {path}; {_REINDEX}"))
        return None
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path, read_only=True)
        if demand_known(connection, str(path)) == max(steps()):
            return connection
        words = f"the index {path} was made by an older livecam-nvr: the next start brings it up to date"
    except sqlite3.Error as error:
        cure = _REINDEX if is_damaged(error) else "see that it can be read"
        words = f"the index {path} cannot be read: {error}; {cure}"
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    if connection is not None:
        connection.close()
    findings.append(Finding(FindingKind.INDEX, "", words))
    return None


def _open_for_repair(path: Path, root: Path, findings: list[Finding]) -> sqlite3.Connection | None:
    missing = not path.exists()
    connection: sqlite3.Connection | None = None
    try:
        connection = open_database(path)
        if missing:
            read = add_ledgers(connection, root)
            findings.append(Finding(FindingKind.INDEX, "", f"there was no index {path}", repaired=True))
            findings += [Finding(FindingKind.UNREADABLE, "", words) for words in read.errors]
    except (sqlite3.Error, OSError) as error:
        findings.append(Finding(FindingKind.INDEX, "", f"the index {path} cannot be opened: {error}"))
        if connection is not None:
            connection.close()
        return None
    return connection


def look_through(connection: sqlite3.Connection, findings: list[Finding], *, full: bool, repair: bool) -> None:
    """Has SQLite check its file, and counts the sums by day again.

    Args:
        connection: The index.
        findings: Takes what is found.
        full: Compare tables and their indices with each other, too.
        repair: Put the sums right.
    """
    try:
        check = "integrity_check" if full else "quick_check"
        said = [row[0] for row in connection.execute(f"PRAGMA {check}({_MOST})")]
        if said != ["ok"]:
            findings.append(Finding(FindingKind.INDEX, "", f"the index is damaged: {'; '.join(said)}; {_REINDEX}"))
            return
        with transaction(connection, write=repair):
            wrong = connection.execute(WRONG_DAYS).fetchone()[0]
            if wrong and repair:
                connection.execute("DELETE FROM day")
                connection.execute(FILL_DAYS)
    except sqlite3.Error as error:
        findings.append(Finding(FindingKind.INDEX, "", f"the index cannot be read: {error}; {_REINDEX}"))
        return
    if wrong:
        words = f"the index's sums are wrong for {wrong} days of a camera"
        findings.append(Finding(FindingKind.INDEX, "", words, repaired=repair))
