"""Who carries the entities: remembered, told, and never left in between."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fakes.core_carriage import FakeBroker, FakeCarriageMemory
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from support.waiting import until

from livecam_nvr.core.entity_carrier import EntityCarrier
from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

MQTT, MOVING, INTEGRATION = Carrier.MQTT, Carrier.MOVING, Carrier.INTEGRATION


class Desk:
    """A carrier with fakes around it."""

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.memory = FakeCarriageMemory()
        self.clock = FakeClock()
        self.carrier = self.made()

    def made(self, moving_s: float = 600.0) -> EntityCarrier:
        return EntityCarrier(self.memory, lambda: self.broker, self.clock, moving_s)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    await made.carrier.load()
    yield made
    await made.carrier.stop()


async def test_a_move_there_and_back(desk: Desk) -> None:
    carrier, clock = desk.carrier, desk.clock
    assert carrier.carriage() == Carriage(MQTT, 0, "")
    assert carrier.names() is desk.broker.called
    moving = await carrier.carry(MOVING, "anna")
    assert moving == carrier.carriage() == desk.memory.known == Carriage(MOVING, NOON_UTC_NS, "anna")
    clock.advance(2)
    moved = await carrier.carry(INTEGRATION, "anna")
    assert moved == desk.memory.known == Carriage(INTEGRATION, NOON_UTC_NS + 2 * NS, "anna")
    clock.advance(2)
    assert (await carrier.carry(MQTT, "otto")).by == "otto"
    assert desk.broker.told == [MOVING, INTEGRATION, MQTT]


async def test_it_is_remembered_over_restarts(desk: Desk) -> None:
    await desk.carrier.carry(MOVING, "anna")
    await desk.carrier.carry(INTEGRATION, "anna")
    again = desk.made()
    await again.load()
    assert again.carriage() == desk.carrier.carriage()
    assert desk.broker.told == [MOVING, INTEGRATION], "the broker asks when it connects"
    await again.stop()


async def test_nothing_is_taken_over_that_was_not_let_go(desk: Desk) -> None:
    with pytest.raises(LivecamError, match="announced over MQTT") as caught:
        await desk.carrier.carry(INTEGRATION, "anna")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert "moving" in caught.value.hint
    assert desk.carrier.carriage().carrier is MQTT
    assert desk.broker.told == []


async def test_the_same_again_is_told_again_and_changes_nothing(desk: Desk) -> None:
    first = await desk.carrier.carry(MOVING, "anna")
    desk.clock.advance(5)
    assert await desk.carrier.carry(MOVING, "otto") == first
    assert desk.broker.told == [MOVING, MOVING]


async def test_a_broker_that_is_away_is_told_later(desk: Desk) -> None:
    desk.broker.error = LivecamError(ErrorKind.UNAVAILABLE, "the broker is away")
    with pytest.raises(LivecamError, match="away"):
        await desk.carrier.carry(MOVING, "anna")
    assert desk.carrier.carriage().carrier is desk.memory.known.carrier is MOVING
    desk.broker.error = None
    assert (await desk.carrier.carry(INTEGRATION, "anna")).carrier is INTEGRATION


async def test_what_cannot_be_remembered_is_not_done(desk: Desk) -> None:
    desk.memory.error = LivecamError(ErrorKind.DISK, "the disk is full")
    with pytest.raises(LivecamError, match="full"):
        await desk.carrier.carry(MOVING, "anna")
    assert desk.carrier.carriage().carrier is MQTT
    assert desk.broker.told == []


async def test_whoever_leaves_does_not_break_it_off(desk: Desk) -> None:
    desk.broker.answers.clear()
    asking = asyncio.create_task(desk.carrier.carry(MOVING, "anna"))
    await until(lambda: bool(desk.broker.told))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    following = asyncio.create_task(desk.carrier.carry(INTEGRATION, "anna"))
    await asyncio.sleep(0)
    assert desk.broker.told == [MOVING], "one after the other"
    desk.broker.answers.set()
    assert (await following).carrier is INTEGRATION


async def test_a_stop_does_not_wait_for_the_broker(desk: Desk) -> None:
    desk.broker.answers.clear()
    asking = asyncio.create_task(desk.carrier.carry(MOVING, "anna"))
    await until(lambda: bool(desk.broker.told))
    await desk.carrier.stop()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await desk.carrier.stop()
    assert desk.memory.known.carrier is MOVING


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_move_that_nobody_ends_is_called_off(
    desk: Desk, restarted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if restarted:
        desk.memory.known = Carriage(MOVING, 1, "anna")
    carrier = desk.made(moving_s=0.05)
    await carrier.load()
    if not restarted:
        await carrier.carry(MOVING, "anna")
    await until(lambda: carrier.carriage().carrier is MQTT and desk.broker.told[-1:] == [MQTT])
    assert desk.memory.known.by == "livecam-nvr"
    assert "has not taken the entities over" in caplog.text
    await carrier.stop()


async def test_a_move_that_has_ended_is_not_called_off(desk: Desk) -> None:
    await desk.carrier.carry(MOVING, "anna")
    assert desk.carrier._move is not None
    await desk.carrier.carry(INTEGRATION, "anna")
    assert desk.carrier._move is None


async def test_a_move_that_ends_at_the_last_moment_is_not_called_off(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    carrier = desk.carrier
    await carrier.carry(MOVING, "anna")
    desk.broker.answers.clear()
    taking_over = asyncio.create_task(carrier.carry(INTEGRATION, "anna"))
    await until(lambda: desk.broker.told == [MOVING, INTEGRATION])
    carrier._call_off()  # the time was over while it was being written down
    desk.broker.answers.set()
    await taking_over
    await until(lambda: not carrier._tasks)
    assert carrier.carriage() == desk.memory.known == Carriage(INTEGRATION, NOON_UTC_NS, "anna")
    assert desk.broker.told == [MOVING, INTEGRATION]
    assert "has not taken the entities over" not in caplog.text
