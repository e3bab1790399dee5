"""Waits for conditions instead of for time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

# So long anything may take on a machine that is busy with other things; after that, something is wrong.
PATIENCE_S = 60.0


async def until(
    condition: Callable[[], object | Awaitable[object]], what: str = "", *, within_s: float = PATIENCE_S
) -> object:
    """Returns the condition's first true value; fails with `what` if there is none in time.

    Args:
        condition: Asked again and again.
        what: Is awaited.
        within_s: Shorter only where somebody was promised that.
    """
    end = time.monotonic() + within_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s} s: {what or condition}")
        await asyncio.sleep(0.02)
