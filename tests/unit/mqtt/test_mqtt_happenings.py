"""Every event is told once; something moves while motion lasts, and a while after one that was over at once."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fakes.runtime_clock import FakeClock
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import EventChanged
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.segment import NS
from livecam_nvr.mqtt.tell.happenings import Happenings
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics

TOPICS = Topics("b", "homeassistant", "n")
MOMENT_S = 0.05


class Street:
    """What happens in front of cameras, and what is told of it."""

    def __init__(self, lasting: Mapping[str, Sequence[str]] | None = None, moment_s: float = MOMENT_S) -> None:
        self.clock = FakeClock()
        self.bus = EventBus()
        self.telegrams = Telegrams(self.clock)
        self.moves: list[tuple[str, bool]] = []
        self.happenings = Happenings(
            TOPICS, self.telegrams, self.clock, lambda *told: self.moves.append(told), moment_s=moment_s
        )
        self.unsubscribe = self.happenings.listen(self.bus, lasting or {})

    def begins(self, label: str, event_id: str, camera: str = "cam0") -> None:
        self._publish(event_id, camera, label, self.clock.utc_ns(), None)

    def ends(self, label: str, event_id: str, camera: str = "cam0", *, lasted_s: float = 2.5) -> None:
        """It is over now; a moment, if it never began."""
        now = self.clock.utc_ns()
        self._publish(event_id, camera, label, now - round(lasted_s * NS), now)

    def ended_before(self, label: str, event_id: str, ago_s: float) -> None:
        now = self.clock.utc_ns()
        self._publish(event_id, "cam0", label, now - round((ago_s + 1) * NS), now - round(ago_s * NS))

    def told(self, camera: str = "cam0") -> list[dict[str, Any]]:
        queue = self.telegrams._waiting.get(TOPICS.event(camera), ())
        return [json.loads(telegram.payload) for telegram in queue]

    def _publish(self, event_id: str, camera: str, label: str, begin: int, end: int | None) -> None:
        self.bus.publish(EventChanged(Event(event_id, camera, label, "http", begin, end)))


async def test_what_lasts_begins_and_ends_with_its_length() -> None:
    street = Street()
    street.begins("front door", "1")
    street.clock.advance(2.5)
    street.ends("front door", "1")
    street.ends("cat", "2", lasted_s=0)
    assert street.told() == [
        {
            "event_type": "begin",
            "label": "front door",
            "source": "http",
            "at": "2025-11-21T12:00:00+00:00",
            "lasted_s": None,
        },
        {
            "event_type": "end",
            "label": "front door",
            "source": "http",
            "at": "2025-11-21T12:00:02+00:00",
            "lasted_s": 2.5,
        },
        {
            "event_type": "moment",
            "label": "cat",
            "source": "http",
            "at": "2025-11-21T12:00:02+00:00",
            "lasted_s": 0.0,
        },
    ]
    assert street.moves == []


async def test_motion_lasts_until_the_last_one_of_it_has_ended() -> None:
    street = Street()
    street.begins("motion", "1")
    street.begins("motion", "2")
    street.begins("motion", "3", "cam1")
    street.ends("motion", "1")
    assert street.moves == [("cam0", True), ("cam0", True), ("cam1", True), ("cam0", True)]
    street.ends("motion", "2")
    assert street.moves[-1] == ("cam0", False)


async def test_a_moment_of_motion_lasts_a_little_and_the_next_one_prolongs_it() -> None:
    street = Street()
    now = asyncio.get_running_loop().time
    began = now()
    street.ends("motion", "1", lasted_s=0)
    assert street.moves == [("cam0", True)]
    first = street.happenings._moments["cam0"]
    street.ends("motion", "2", lasted_s=0)
    assert first.cancelled()
    await until(lambda: street.moves[-1] == ("cam0", False), what="quiet again")
    assert now() - began >= 0.9 * MOMENT_S
    assert street.moves == [("cam0", True), ("cam0", True), ("cam0", False)]


async def test_motion_that_lasts_outlives_a_moment_of_it() -> None:
    street = Street()
    street.begins("motion", "1")
    street.ends("motion", "2", lasted_s=0)
    await until(lambda: len(street.moves) == 3, what="the moment's end")
    assert street.moves[-1] == ("cam0", True)


async def test_what_lasted_already_is_no_moment_when_it_ends() -> None:
    street = Street({"cam0": ("cat", "motion")})
    assert street.moves == [("cam0", True)]
    street.ends("motion", "1")
    assert street.moves == [("cam0", True), ("cam0", False)]
    assert [told["event_type"] for told in street.told()] == ["end"]


async def test_what_an_earlier_run_left_open_is_no_news() -> None:
    street = Street()
    street.ended_before("motion", "1", 3600)
    street.ended_before("doorbell", "2", 2)
    assert street.told() == []
    assert street.moves == []


async def test_an_old_event_is_not_told_when_the_broker_comes_back() -> None:
    street = Street()
    street.ends("doorbell", "1", lasted_s=0)
    street.clock.advance(31)
    street.ends("cat", "2", lasted_s=0)
    sent: list[str] = []

    async def send(_topic: str, payload: bytes) -> None:
        await asyncio.sleep(0)
        sent.append(json.loads(payload)["label"])

    task = asyncio.create_task(street.telegrams.deliver(send))
    await until(lambda: sent)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sent == ["cat"]


async def test_a_stop_leaves_no_timer_and_hears_nothing_more() -> None:
    street = Street()
    street.ends("motion", "1", lasted_s=0)
    street.ends("motion", "2", "cam1", lasted_s=0)
    street.happenings.forget("cam1")
    assert list(street.happenings._moments) == ["cam0"]
    street.unsubscribe()
    street.happenings.stop()
    street.happenings.stop()
    street.begins("motion", "3")
    assert street.happenings._moments == {}
    assert street.moves == [("cam0", True), ("cam1", True)]
