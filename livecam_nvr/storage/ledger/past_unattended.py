"""Coverage without asking the service: from the index, and from files that it does not have yet. Blocks."""

import os
import sqlite3
from pathlib import Path

from livecam_nvr.domain.coverage import Coverage, GapCause, Span
from livecam_nvr.domain.gaps import EXPLAINING, Stretch, coverage, joined
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.repair import is_our_file, open_to_read, reader
from livecam_nvr.storage.files.survey import read_head, survey
from livecam_nvr.storage.index.rows import NEWEST_PATH
from livecam_nvr.storage.ledger.entries import ALIVE, find_entries
from livecam_nvr.storage.ledger.past import read_footage
from livecam_nvr.storage.ledger.sign_of_life import last_written_ns
from livecam_nvr.storage.place.folders import days

_INDEXED = "SELECT 1 FROM segment WHERE path = ?"
_NEWEST_DAYS = 2
_FAR_NS = 1 << 62


def coverage_of(
    connection: sqlite3.Connection, root: Path, camera_id: str, asked: Span, now_utc_ns: int, *, running: bool
) -> Coverage:
    """What there is of a camera in a range.

    Args:
        connection: The index.
        root: The archive.
        camera_id: The camera.
        asked: The range.
        now_utc_ns: The time.
        running: Whether a service records there now. If not, and it did not say that it stopped, it was killed.

    Raises:
        sqlite3.Error: The index cannot be read.
    """
    found, frames = read_footage(connection, camera_id, asked)
    cause = EndCause.CLOCK if running else EndCause.SERVICE
    footage = joined([*found, *unindexed(connection, root, camera_id, cause)])
    entries = find_entries(connection, camera_id, EXPLAINING, asked.begin_utc_ns, asked.end_utc_ns)
    if not running and (crash := _crash(connection, root, camera_id, footage)) is not None:
        entries.append(crash)
    footage = [part for part in footage if part.begin_utc_ns < asked.end_utc_ns]
    return coverage(camera_id, asked, footage, entries, now_utc_ns=now_utc_ns, frames=frames)


def unindexed(connection: sqlite3.Connection, root: Path, camera_id: str, cause: EndCause) -> list[Stretch]:
    """Footage in a camera's newest files that the index does not have; `cause`: why an unfinished one ends.

    What cannot be read is left out.
    """
    newest = connection.execute(NEWEST_PATH, (camera_id,)).fetchone()
    first = newest[0].split("/")[1] if newest else ""
    found: list[Stretch] = []
    try:
        for day in days(root, camera_id, first)[-_NEWEST_DAYS:]:
            folder = f"{camera_id}/{day}"
            with os.scandir(root / folder) as entries:
                paths = sorted(f"{folder}/{entry.name}" for entry in entries if is_our_file(folder, entry))
            for path in paths:
                if not connection.execute(_INDEXED, (path,)).fetchone():
                    found += _footage(root / path, cause)
    except OSError:
        pass
    return found


def _footage(file: Path, cause: EndCause) -> list[Stretch]:
    try:
        fd = open_to_read(file)
    except OSError:
        return []
    try:
        read, size = reader(fd), os.fstat(fd).st_size
        head = read_head(read, size)
        begin, end = head.begin.start_utc_ns, head.label.end
        if end is not None:
            return [Stretch(begin, begin + end.duration_ns, end.cause)]
        whole = survey(read, size, head)
        return [Stretch(begin, begin + whole.tally.duration_ns(whole.moov.video.timescale), cause)]
    except (OSError, BoxError):
        return []
    finally:
        os.close(fd)


def _crash(connection: sqlite3.Connection, root: Path, camera_id: str, footage: list[Stretch]) -> Entry | None:
    states = find_entries(connection, camera_id, (EntryKind.STATE,), _FAR_NS, _FAR_NS)
    if not states or states[-1].data.get("cause") == GapCause.SERVICE_STOPPED:
        return None
    alive = connection.execute(ALIVE).fetchone()
    seen = max(
        states[-1].begin_utc_ns + 1,
        int(alive[0]) if alive else 0,
        last_written_ns(root),
        *(part.end_utc_ns for part in footage),
    )
    return Entry(camera_id, EntryKind.STATE, seen, data={"cause": str(GapCause.SERVICE_CRASHED)})
