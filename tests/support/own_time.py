"""How long something takes of the time in which this process is let run at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_TICK_S = 0.02


@asynccontextmanager
async def within_own_time(limit_s: float, what: str) -> AsyncIterator[None]:
    """Fails if the block takes longer than `limit_s`, as told by a clock that ticks only when the event loop runs.

    For promises that rest on timers of the same loop: a machine that is busy with other things, or stands still
    for some seconds, makes such a clock late and never fast, while a timer that is too long shows on it.
    """
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
    assert ticks * _TICK_S < limit_s, f"{what} took {ticks * _TICK_S:.2f} s instead of {limit_s} s"
