"""An archive in memory that deletes at once, and notes when."""

from collections.abc import Callable, Collection, Sequence

from livecam_nvr.core.retention import Shedding, Unlinked
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.forecast import Holding, Inventory
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Deletion, Doomed, Plan, Recorded, Rules, Stock, choose, summary


class FakeShedding(Shedding):
    """See livecam_nvr.core.retention.Shedding."""

    def __init__(self, files: Sequence[Recorded], free_bytes: int = 0) -> None:
        self.files = {file.path: file for file in files}
        self.free_bytes = free_bytes
        self.clips: list[Clip] = []
        """That the index knows."""
        self.steps: list[list[str]] = []
        self.plans = 0
        self.unsettled = 0
        self.broken = False
        self.complete = True
        self.refusals = 0
        self.stubborn: set[str] = set()
        self.on_unlink: Callable[[], None] = lambda: None

    def _doomed(
        self, rules: Rules, now_utc_ns: int, clips: Collection[Clip], spare: Collection[str], by_age: bool
    ) -> list[Doomed]:
        def kept(file: Recorded) -> bool:
            return file.path in spare or any(
                c.camera_id == file.camera_id
                and c.begin_utc_ns < file.end_utc_ns
                and c.end_utc_ns > file.begin_utc_ns
                for c in (*clips, *self.clips)
            )

        stocks = {}
        for camera_id in {file.camera_id for file in self.files.values()}:
            own = sorted(
                (f for f in self.files.values() if f.camera_id == camera_id), key=lambda f: f.begin_utc_ns
            )
            free = [file for file in own if not kept(file)]
            stocks[camera_id] = Stock(
                sum(file.bytes for file in own),
                iter([file for file in free if not file.event]),
                iter([file for file in free if file.event]),
            )
        return list(choose(stocks, rules, now_utc_ns=now_utc_ns, free_bytes=self.free_bytes, by_age=by_age))

    async def inventory(self, now_utc_ns: int, since_utc_ns: int | None) -> Inventory:
        self._demand()
        size = sum(file.bytes for file in self.files.values())
        oldest = min((file.begin_utc_ns for file in self.files.values()), default=None)
        return Inventory(
            {"cam0": Holding("cam0", len(self.files), size, 0, oldest, bytes_per_day=1000.0)},
            self.free_bytes,
            10**9,
            complete=True,
        )

    async def deletions(
        self, rules: Rules, now_utc_ns: int, *, most: int | None, clips: Collection[Clip] = ()
    ) -> tuple[list[Deletion], bool]:
        self._demand()
        return summary(self._doomed(rules, now_utc_ns, clips, (), True)), True

    async def plan(
        self,
        rules: Rules,
        now_utc_ns: int,
        *,
        by_age: bool,
        most: int,
        clips: Collection[Clip] = (),
        spare: Collection[str] = (),
    ) -> Plan:
        self._demand()
        self.plans += 1
        found = self._doomed(rules, now_utc_ns, clips, spare, by_age)
        return Plan(tuple(found[:most]), len(found) <= most, tuple(self.clips), self.free_bytes, self.complete)

    async def unlink(self, files: Sequence[Recorded]) -> Unlinked:
        self._demand()
        gone = tuple(file for file in files if file.path not in self.stubborn)
        self.steps.append([file.path for file in gone])
        for file in gone:
            del self.files[file.path]
            self.free_bytes += file.bytes
        self.unsettled += len(gone)
        self.on_unlink()
        return Unlinked(gone, self.free_bytes)

    async def settle(self) -> None:
        self.unsettled = 0

    def _demand(self) -> None:
        if self.broken:
            self.refusals += 1
            raise LivecamError(ErrorKind.UNAVAILABLE, "there is no index", "mend it")
