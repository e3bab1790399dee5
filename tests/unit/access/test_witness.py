"""What retention deleted, in the audit log: soon, but not a line for each file."""

from collections.abc import Callable, Sequence

from support.waiting import until

from livecam_nvr.access.witness import DeletionWitness
from livecam_nvr.core.access import AuditEntry, Client, Deed, Door
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import FootageDeleted


class Notes:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.when: dict[int, Callable[[], None]] = {}
        """What happens at the moment of that line."""

    def note(
        self, deed: Deed, who: str, client: Client, *, target: str = "", ok: bool = True, detail: str = ""
    ) -> None:
        assert (deed, who, client, ok) == (Deed.DELETION, "retention", Client("", Door.SERVICE), True)
        self.lines.append(f"{target}: {detail}")
        self.when.get(len(self.lines), lambda: None)()

    async def read(self, **_: object) -> Sequence[AuditEntry]:
        return []


def deleted(camera_id: str, files: int, reason: str = "age") -> FootageDeleted:
    return FootageDeleted(camera_id, files, files * 30_000_000, reason)


async def test_the_first_is_told_at_once_and_the_rest_of_the_hour_together() -> None:
    bus, notes = EventBus(), Notes()
    witness = DeletionWitness(bus, notes, gather_s=0.1)
    bus.publish(deleted("cam0", 4))
    assert notes.lines == ["cam0: 4 files, 120.0 MB, age"]
    bus.publish(deleted("cam0", 1))
    bus.publish(deleted("cam0", 2))
    assert len(notes.lines) == 1

    def in_another_hour() -> None:
        bus.publish(deleted("cam0", 1))
        assert len(notes.lines) == 2, "it has just begun"

    notes.when[2] = in_another_hour
    await until(lambda: len(notes.lines) == 3)
    assert notes.lines[1:] == ["cam0: 3 files, 90.0 MB, age", "cam0: 1 file, 30.0 MB, age"]
    await until(lambda: not witness._timers)
    bus.publish(deleted("cam0", 1))
    assert notes.lines[3] == "cam0: 1 file, 30.0 MB, age", "after a quiet hour at once again"
    witness.close()


async def test_each_camera_and_each_limit_has_its_own_line() -> None:
    bus, notes = EventBus(), Notes()
    witness = DeletionWitness(bus, notes)
    for event in (deleted("cam0", 1), deleted("cam1", 1), deleted("cam0", 1, "space")):
        bus.publish(event)
    assert [line.split(":")[0] for line in notes.lines] == ["cam0", "cam1", "cam0"]
    witness.close()


async def test_at_the_end_nothing_is_forgotten() -> None:
    bus, notes = EventBus(), Notes()
    witness = DeletionWitness(bus, notes)
    for number in (1, 2, 3):
        bus.publish(deleted("cam0", number))
    witness.close()
    assert notes.lines == ["cam0: 1 file, 30.0 MB, age", "cam0: 5 files, 150.0 MB, age"]
    witness.close()
    bus.publish(deleted("cam0", 1))
    assert len(notes.lines) == 2
