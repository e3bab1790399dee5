import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fakes.runtime_clock import FakeClock
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import ServerState
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.supervisor import Supervisor

AWAY = LivecamError(ErrorKind.UNAVAILABLE, "away")
STARTING, READY, BACKOFF = ServerState.STARTING, ServerState.READY, ServerState.BACKOFF
STOPPING, STOPPED = ServerState.STOPPING, ServerState.STOPPED

Make = Callable[..., Supervisor]


@pytest.fixture
async def supervise() -> AsyncIterator[Make]:
    made: list[Supervisor] = []

    def make(attempt: Callable[[], Awaitable[None]], **more: Any) -> Supervisor:
        more = {"backoff": Backoff(first_s=0.001, most_s=0.002), **more}
        made.append(Supervisor("thing", attempt, more.pop("clock", FakeClock()), **more))
        return made[-1]

    yield make
    for supervisor in made:
        await supervisor.stop()


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_states_of_a_thing_that_works_and_is_stopped(supervise: Make) -> None:
    states: list[ServerState] = []

    async def work() -> None:
        supervisor.ready()
        supervisor.ready()
        await for_ever()

    supervisor = supervise(work, on_change=states.append)
    assert supervisor.state is STOPPED
    supervisor.start()
    supervisor.start()
    assert await supervisor.wait_ready(PATIENCE_S)
    await supervisor.stop()
    await supervisor.stop()
    assert states == [STARTING, READY, STOPPING, STOPPED]
    assert supervisor.restarts == 0


async def test_a_failure_is_told_and_tried_again(supervise: Make) -> None:
    states: list[ServerState] = []
    failures: list[LivecamError] = []

    async def fail_twice() -> None:
        if len(failures) < 2:
            raise AWAY
        supervisor.ready()
        await for_ever()

    supervisor = supervise(fail_twice, on_change=states.append, on_failure=failures.append)
    supervisor.start()
    await until(lambda: supervisor.state is READY)
    assert states == [STARTING, BACKOFF, STARTING, BACKOFF, STARTING, READY]
    assert failures == [AWAY, AWAY]
    assert supervisor.last_error is AWAY
    assert supervisor.restarts == 2


async def test_a_clean_end_counts_as_a_death(supervise: Make) -> None:
    async def end() -> None:
        supervisor.ready()

    supervisor = supervise(end)
    supervisor.start()
    await until(lambda: supervisor.restarts >= 3)


async def test_an_unforeseen_failure_is_told_without_passwords_and_tried_again(
    supervise: Make, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[LivecamError] = []

    async def stumble() -> None:
        raise OSError("cannot open rtsp://me:secret@cam/x")

    supervisor = supervise(stumble, on_failure=failures.append)
    supervisor.start()
    await until(lambda: supervisor.restarts >= 2)
    assert failures[0].message == "thing failed: cannot open rtsp://me:***@cam/x"
    assert failures[0].kind is ErrorKind.UNAVAILABLE
    assert "thing failed in an unforeseen way" in caplog.text


async def test_pauses_grow_until_it_was_stable_for_a_minute(supervise: Make) -> None:
    clock, backoff = FakeClock(), Backoff(first_s=0.001, most_s=0.002)
    attempts: list[int] = []
    lasts_s = [0.0, 59.0, 59.9, 60.0, 1.0]

    async def live_a_while() -> None:
        attempts.append(backoff.attempts)
        if len(attempts) > len(lasts_s):
            await for_ever()
        supervisor.ready()
        clock.advance(lasts_s[len(attempts) - 1])
        raise AWAY

    supervisor = supervise(live_a_while, clock=clock, backoff=backoff)
    supervisor.start()
    await until(lambda: len(attempts) > len(lasts_s))
    assert attempts == [0, 1, 2, 3, 1, 2]


async def test_time_before_it_was_ready_does_not_count_as_stable(supervise: Make) -> None:
    clock, backoff = FakeClock(), Backoff(first_s=0.001, most_s=0.002)

    async def never_ready() -> None:
        clock.advance(600)
        raise AWAY

    supervisor = supervise(never_ready, clock=clock, backoff=backoff)
    supervisor.start()
    await until(lambda: backoff.attempts >= 4)


async def test_it_pauses_between_attempts(supervise: Make) -> None:
    attempts = 0

    async def fail() -> None:
        nonlocal attempts
        attempts += 1
        raise AWAY

    supervisor = supervise(fail, backoff=Backoff(first_s=600, most_s=600))
    supervisor.start()
    await until(lambda: supervisor.state is BACKOFF)
    for _ in range(20):
        await asyncio.sleep(0)
    assert attempts == 1
    await supervisor.stop()
    assert supervisor.state is STOPPED


async def test_not_ready_in_time_is_false(supervise: Make) -> None:
    supervisor = supervise(for_ever)
    supervisor.start()
    assert not await supervisor.wait_ready(0.01)
    assert supervisor.state is STARTING


async def test_ready_is_not_remembered_over_a_restart(supervise: Make) -> None:
    attempts = 0

    async def ready_once() -> None:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            await for_ever()
        supervisor.ready()
        raise AWAY

    supervisor = supervise(ready_once)
    supervisor.start()
    await until(lambda: attempts == 2)
    assert not await supervisor.wait_ready(0.01)


async def test_stopping_waits_until_the_attempt_has_cleaned_up(supervise: Make) -> None:
    cleaned = []

    async def work() -> None:
        try:
            supervisor.ready()
            await for_ever()
        finally:
            for _ in range(5):
                await asyncio.sleep(0.005)
            cleaned.append(True)

    supervisor = supervise(work)
    supervisor.start()
    await supervisor.wait_ready(PATIENCE_S)
    await supervisor.stop()
    assert cleaned == [True]


async def test_an_attempt_that_swallows_its_cancellation_does_not_go_on_for_ever(supervise: Make) -> None:
    attempts = 0

    async def deaf() -> None:
        nonlocal attempts
        attempts += 1
        supervisor.ready()
        try:
            await for_ever()
        except asyncio.CancelledError:
            return

    supervisor = supervise(deaf)
    supervisor.start()
    await supervisor.wait_ready(PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S):
        await supervisor.stop()
    assert attempts == 1
    assert supervisor.state is STOPPED


async def test_it_can_be_started_again(supervise: Make) -> None:
    async def work() -> None:
        supervisor.ready()
        await for_ever()

    supervisor = supervise(work)
    for _ in range(2):
        supervisor.start()
        assert await supervisor.wait_ready(PATIENCE_S)
        await supervisor.stop()
