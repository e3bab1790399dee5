"""Puts what the ledgers' files have into an index that knows nothing of them yet. Blocks: for threads."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.storage.index.database import transaction
from livecam_nvr.storage.ledger.entries import apply_change, read_so_far
from livecam_nvr.storage.ledger.ledger_files import ledger_files, read_file
from livecam_nvr.storage.refusal import in_words


@dataclass(slots=True)
class LedgersRead:
    """What was found."""

    entries: int = 0
    damaged_lines: int = 0
    """Lines that could not be read."""
    errors: tuple[str, ...] = ()
    """Which files could not be read, and why."""


def add_ledgers(connection: sqlite3.Connection, root: Path) -> LedgersRead:
    """Reads all ledgers of the archive in `root` into the index.

    Raises:
        sqlite3.Error: The index cannot be written.
    """
    report = LedgersRead()
    for path in ledger_files(root):
        try:
            reading = read_file(root, path)
        except OSError as error:
            report.errors += (in_words(error, path),)
            continue
        with transaction(connection):
            for sql, values in (*map(apply_change, reading.changes), read_so_far(path, 0, reading.size)):
                connection.execute(sql, values)
        report.entries += sum(not change.removed for change in reading.changes)
        report.damaged_lines += reading.damaged
    return report
