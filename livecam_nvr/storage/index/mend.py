"""Mends what an examination of the archive has found: files in place, rows of the index. Blocks: for threads."""

import sqlite3
from pathlib import Path

from livecam_nvr.storage.files.repair import Fate, repair_file
from livecam_nvr.storage.index.database import transaction
from livecam_nvr.storage.index.findings import Finding, FindingKind
from livecam_nvr.storage.index.reconcile import is_left_behind
from livecam_nvr.storage.index.rows import Statement, put, remove
from livecam_nvr.storage.refusal import in_words


def mend(root: Path, finding: Finding, index: sqlite3.Connection | None, now_utc_ns: int) -> None:
    """Mends it if it can be mended, and says so in the finding. Nobody may be writing the file.

    Args:
        root: The archive.
        finding: What was found.
        index: For changes; None if there is none that can be used.
        now_utc_ns: The time.
    """
    try:
        if finding.kind in (FindingKind.UNFINISHED, FindingKind.DAMAGED):
            _mend_file(root, finding, index)
        elif finding.kind is FindingKind.TEMPORARY:
            full = root / finding.path
            if is_left_behind(full.stat(), now_utc_ns):
                full.unlink()
                finding.repaired = True
        elif finding.kind is FindingKind.MISSING_FILE:
            finding.repaired = _change(index, remove(finding.path))
        elif finding.kind in (FindingKind.UNKNOWN_FILE, FindingKind.WRONG_ROW) and finding.segment is not None:
            finding.repaired = _change(index, put(finding.segment))
    except OSError as error:
        finding.words += f"; it cannot be repaired: {in_words(error, finding.path)}"
    except sqlite3.Error as error:
        finding.words += f"; the index cannot be changed: {error}"


def _mend_file(root: Path, finding: Finding, index: sqlite3.Connection | None) -> None:
    verdict = repair_file(root, finding.path, distrust=finding.kind is FindingKind.DAMAGED)
    if verdict.segment is not None:
        finding.words += f"; {verdict.segment.frames} pictures of it could be kept"
        _change(index, put(verdict.segment))
        finding.repaired = True
    elif verdict.fate is Fate.SET_ASIDE:
        finding.words += "; nothing of it can be used, it now ends in .broken"
        _change(index, remove(finding.path))
        finding.repaired = True


def _change(index: sqlite3.Connection | None, statements: tuple[Statement, ...]) -> bool:
    if index is None:
        return False
    with transaction(index):
        for sql, values in statements:
            index.execute(sql, values)
    return True
