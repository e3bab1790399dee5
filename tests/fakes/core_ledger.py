"""A ledger in memory (core.past.Ledger)."""

from collections.abc import Collection

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind


class FakeLedger:
    """Finds what was put at once; `away` makes it refuse questions."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.puts: list[Entry] = []
        self.away = False

    def put(self, entry: Entry) -> None:
        self.entries[entry.id] = entry
        self.puts.append(entry)

    def remove(self, entry: Entry) -> None:
        self.entries.pop(entry.id, None)

    async def all_of(self, kind: EntryKind) -> list[Entry]:
        self._demand_there()
        found = [entry for entry in self.entries.values() if entry.kind is kind]
        return sorted(found, key=lambda entry: entry.begin_utc_ns)

    async def find(
        self, camera_id: str, kinds: Collection[EntryKind], begin_utc_ns: int, end_utc_ns: int
    ) -> list[Entry]:
        self._demand_there()
        found = [
            entry
            for entry in self.entries.values()
            if entry.camera_id == camera_id
            and entry.kind in kinds
            and entry.begin_utc_ns < end_utc_ns
            and (entry.end_utc_ns is None or entry.end_utc_ns > begin_utc_ns)
        ]
        return sorted(found, key=lambda entry: entry.begin_utc_ns)

    async def get(self, entry_id: str) -> Entry | None:
        self._demand_there()
        return self.entries.get(entry_id)

    def _demand_there(self) -> None:
        if self.away:
            raise LivecamError(ErrorKind.UNAVAILABLE, "there is no index of the recordings")
