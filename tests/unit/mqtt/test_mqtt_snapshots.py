"""When a camera's still picture is due."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fakes.mqtt_pictures import FakePictures
from fakes.runtime_clock import FakeClock
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import EventChanged
from livecam_nvr.domain.ledger import Event
from livecam_nvr.mqtt.tell.snapshots import Snapshots


class Album:
    """Snapshots at work, on a clock that stands still."""

    def __init__(self, every_s: float) -> None:
        self.clock = FakeClock()
        self.bus = EventBus()
        self.pictures = FakePictures()
        self.taken: Counter[str] = Counter()
        self.snapshots = Snapshots(self.pictures, self.clock, every_s, self._take)
        self.snapshots.listen(self.bus)

    def _take(self, camera_id: str, _jpeg: bytes) -> None:
        self.taken[camera_id] += 1

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.snapshots.keep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def some_turns(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


async def test_who_watches_gets_pictures_every_ten_seconds() -> None:
    album = Album(every_s=3600)
    album.snapshots.update(["cam0"])
    async with album.kept():
        await until(lambda: album.taken["cam0"] == 1, what="the first")
        album.clock.now_s += 9
        album.snapshots.watched(["cam0"])
        await album.some_turns()
        assert album.taken["cam0"] == 1
        album.clock.now_s += 1
        album.snapshots.watched([])
        album.snapshots.watched(["cam0"])
        await until(lambda: album.taken["cam0"] == 2, what="one for who watches")
        album.clock.now_s += 60
        album.snapshots.watched([])
        await album.some_turns()
        assert album.taken["cam0"] == 2


async def test_what_happens_is_taken_at_once_but_not_more_than_once_a_second() -> None:
    album = Album(every_s=3600)
    album.snapshots.update(["cam0", "cam1"])
    async with album.kept():
        await until(lambda: album.taken["cam0"] == 1, what="the first")
        album.clock.now_s += 1
        for number in range(5):
            album.bus.publish(EventChanged(Event(str(number), "cam0", "motion", "test", 1, None)))
        await until(lambda: album.taken["cam0"] == 2, what="one of what happens")
        await album.some_turns()
        assert album.taken["cam0"] == 2


async def test_cameras_come_and_go() -> None:
    album = Album(every_s=3600)
    album.snapshots.update(["cam0"])
    async with album.kept():
        await until(lambda: album.taken["cam0"] == 1, what="the first")
        album.snapshots.update(["cam1"])
        await until(lambda: album.taken["cam1"] == 1, what="the new one's")
        album.clock.now_s += 5
        album.bus.publish(EventChanged(Event("1", "cam0", "motion", "test", 1, None)))
        await album.some_turns()
        assert album.taken["cam0"] == 1
        album.snapshots.update(["cam1", "cam0"])
        await until(lambda: album.taken["cam0"] == 2, what="one as it is back")


async def test_without_a_cadence_only_who_asks_gets_one() -> None:
    album = Album(every_s=0)
    album.snapshots.update(["cam0"])
    async with album.kept():
        await album.some_turns()
        await album.snapshots.now("cam0")
        assert album.taken == {"cam0": 1}
