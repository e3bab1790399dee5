"""One change at a time, the newest wish next, and an end that leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fakes.core_control import COPIED, FakeControl
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.obey.wishes import Wish, Wishes

FAILED = LivecamError(ErrorKind.UNAVAILABLE, "1080p at 30 frames a second failed: no", "it is set back to 720p")


class Desk:
    """Wishes, and what they said."""

    def __init__(self) -> None:
        self.control = FakeControl(EventBus(), ["cam0", "cam1"])
        self.control.hold = True
        self.refused: list[str] = []
        self.settled: list[str] = []
        self.ended: list[tuple[Wish, LivecamError | None]] = []
        self.wishes = Wishes(
            self.control, self.refused.append, self.settled.append, lambda *end: self.ended.append(end)
        )

    async def under_way(self, camera_id: str = "cam0") -> None:
        await until(lambda: self.control.is_changing(camera_id), what="a change under way")

    def orders(self) -> list[tuple[int | None, float | None]]:
        return [(height, fps) for camera_id, height, fps, _ in self.control.orders if camera_id == "cam0"]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.wishes.stop()


async def test_what_is_asked_for_meanwhile_is_one_change_then(desk: Desk) -> None:
    desk.wishes.add(Wish("cam0", height=480))
    await desk.under_way()
    for fps in range(1, 31):
        desk.wishes.add(Wish("cam0", fps=fps))
    desk.wishes.add(Wish("cam0", height=1080))
    assert desk.orders() == [(480, None)]
    desk.control.finish("cam0")
    await until(lambda: len(desk.orders()) == 2)
    assert desk.orders()[1] == (1080, 30)
    await desk.under_way()
    desk.control.finish("cam0")
    await until(lambda: desk.settled == ["cam0", "cam0"])
    assert desk.refused == []


async def test_cameras_do_not_wait_for_each_other(desk: Desk) -> None:
    desk.wishes.add(Wish("cam0", height=480))
    desk.wishes.add(Wish("cam1", height=480))
    await desk.under_way("cam1")
    desk.control.finish("cam1")
    await until(lambda: desk.settled == ["cam1"])


async def test_what_was_tried_and_failed_is_not_said_twice(desk: Desk) -> None:
    desk.wishes.add(Wish("cam0", height=1080))
    await desk.under_way()
    desk.control.finish("cam0", FAILED)
    await until(lambda: desk.settled == ["cam0"])
    assert desk.refused == []


async def test_what_could_not_be_tried_is_said(desk: Desk) -> None:
    desk.control.now["cam0"] = COPIED
    desk.wishes.add(Wish("cam0", height=1080))
    await until(lambda: desk.settled == ["cam0"])
    desk.wishes.add(Wish("cam1", height=700))
    await until(lambda: desk.settled == ["cam0", "cam1"])
    assert "cam0: the stream of cam0 is copied" in desk.refused[0]
    assert "no height of 700" in desk.refused[1]
    with pytest.raises(LivecamError, match="nobody"):
        desk.wishes.add(Wish("nobody", fps=1))


async def test_a_stop_ends_the_waiting_but_not_the_change(desk: Desk) -> None:
    desk.wishes.add(Wish("cam0", height=480))
    await desk.under_way()
    desk.wishes.add(Wish("cam0", height=1080))
    await desk.wishes.stop()
    await desk.wishes.stop()
    assert desk.control.is_changing("cam0")
    assert not [task for task in asyncio.all_tasks() if "quality" in task.get_name()]
    desk.control.finish("cam0")
    assert desk.orders() == [(480, None)]
    desk.control.hold = False
    desk.wishes.add(Wish("cam0", fps=5))
    await until(lambda: desk.settled == ["cam0"], what="a wish after the stop")
