"""A ledger in memory (core.past.Ledger and core.chronicle.AliveMark)."""

from collections.abc import Collection

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind


class FakeLedger:
    """Keeps entries by id; `has_index` is whether it answers."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.puts = 0
        self.alive: int | None = None
        self.has_index = True

    def put(self, entry: Entry) -> None:
        self.puts += 1
        self.entries[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        self.entries.pop(entry.id, None)

    async def find(
        self, camera_id: str, kinds: Collection[EntryKind], begin_utc_ns: int, end_utc_ns: int
    ) -> list[Entry]:
        if not self.has_index:
            raise LivecamError(ErrorKind.UNAVAILABLE, "there is no index of the recordings")
        found = sorted(
            (e for e in self.entries.values() if e.camera_id == camera_id and e.kind in kinds),
            key=lambda entry: entry.begin_utc_ns,
        )
        before = [e for e in found if e.kind is EntryKind.STATE and e.begin_utc_ns <= begin_utc_ns][-1:]
        return before + [
            e
            for e in found
            if e not in before
            and e.begin_utc_ns < end_utc_ns
            and (e.begin_utc_ns if e.kind is EntryKind.STATE else e.end_utc_ns or end_utc_ns) >= begin_utc_ns
        ]

    async def get(self, entry_id: str) -> Entry | None:
        return self.entries.get(entry_id)

    async def last_alive(self) -> int | None:
        return self.alive

    def mark_alive(self, utc_ns: int) -> None:
        self.alive = utc_ns
