"""What the time keeper talks to, as far as a test tells it: re-dating, the ledger, the newest recordings."""

from collections.abc import Collection, Sequence

from livecam_nvr.core.timekeeper import Redated
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.segment import Segment


class FakeRedating:
    """See livecam_nvr.core.timekeeper.Redating."""

    def __init__(self) -> None:
        self.noted: list[int] = []
        """Offsets."""
        self.passes: list[tuple[int, bool]] = []
        self.answer: list[Redated] = []
        self.shifts: list[int] = []
        """What it was told of."""
        self.fault: LivecamError | None = None

    async def note(self, offset_ns: int, boot_ns: int) -> None:
        self.noted.append(offset_ns)
        if self.fault:
            raise self.fault

    async def redate(self, offset_ns: int, *, final: bool) -> Sequence[Redated]:
        self.passes.append((offset_ns, final))
        if self.fault:
            raise self.fault
        return self.answer

    async def told(self, redated: Sequence[Redated]) -> None:
        self.shifts += [stretch.shift_ns for stretch in redated]


class FakeLedgers:
    """See livecam_nvr.core.timekeeper.Ledgers."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.moves: list[tuple[str, int, int, int]] = []

    def put(self, entry: Entry) -> None:
        self.entries[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        del self.entries[entry.id]

    async def find(
        self, camera_id: str, kinds: Collection[EntryKind], begin_utc_ns: int, end_utc_ns: int
    ) -> list[Entry]:
        raise NotImplementedError

    async def get(self, entry_id: str) -> Entry | None:
        return self.entries.get(entry_id)

    async def move(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, shift_ns: int, boot: str) -> int:
        assert boot == "b"
        self.moves.append((camera_id, begin_utc_ns, end_utc_ns, shift_ns))
        return 1


class FakeNewest:
    """See livecam_nvr.core.ports.SegmentIndex: knows the newest recording of each camera."""

    def __init__(self) -> None:
        self.segments: dict[str, Segment] = {}
        self.broken = False

    def add(self, segment: Segment) -> None:
        self.segments[segment.camera_id] = segment

    async def latest(self, camera_id: str, limit: int = 1) -> list[Segment]:
        if self.broken:
            raise LivecamError(ErrorKind.UNAVAILABLE, "there is no index of the recordings")
        return [self.segments[camera_id]] if camera_id in self.segments else []

    async def between(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, limit: int = 10_000
    ) -> list[Segment]:
        raise NotImplementedError
