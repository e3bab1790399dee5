"""Many finished recordings, as far as retention looks at them: a file of some size, and its segment."""

from pathlib import Path

from livecam_nvr.core.past import Ledger
from livecam_nvr.domain.ledger import Entry
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment, segment_path
from livecam_nvr.storage.index.rows import Statement

NOW_UTC_NS = 1_795_255_200 * NS  # 2026-11-21 10:00:00 UTC
HOUR = 3600 * NS
DAY = 24 * HOUR


def segment(
    begin_utc_ns: int, camera_id: str = "cam0", size: int = 1000, length_s: float = 30.0, *, unsynced: bool = False
) -> Segment:
    return Segment(
        camera_id=camera_id,
        path=str(segment_path(camera_id, begin_utc_ns, 0)),
        start_utc_ns=begin_utc_ns,
        duration_ns=round(length_s * NS),
        utc_offset_s=0,
        frames=900,
        bytes=size,
        run_id=1,
        sequence=begin_utc_ns // (30 * NS),
        cause=EndCause.CLOCK,
        codec="avc1.42c01f",
        width=1280,
        height=720,
        unsynced=unsynced,
    )


def recorded(
    root: Path, begin_utc_ns: int, count: int, camera_id: str = "cam0", size: int = 1000
) -> list[Segment]:
    """So many files on disk, one after the other."""
    made = [segment(begin_utc_ns + at * 30 * NS, camera_id, size) for at in range(count)]
    for item in made:
        path = root / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    return made


def entry_row(
    entry_id: str, kind: str, begin_utc_ns: int, end_utc_ns: int | None, camera_id: str = "cam0"
) -> Statement:
    """An entry of the ledger as the index has it."""
    return "INSERT INTO entry VALUES (?, ?, ?, ?, ?, '{}')", (entry_id, camera_id, kind, begin_utc_ns, end_utc_ns)


class FakeLedger(Ledger):
    """core.past.Ledger in memory, as far as it is written to."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.puts = 0

    def put(self, entry: Entry) -> None:
        self.puts += 1
        self.entries[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        self.entries.pop(entry.id, None)
