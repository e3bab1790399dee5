"""Calls whoever waits for a moment, when it has come."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)

NEVER_S = 3600.0
"""What a look returns that waits for nothing."""


class Ticker:
    """One task for all looks. A look does what is due and returns when it wants to be called next, in seconds."""

    def __init__(self) -> None:
        self._looks: list[Callable[[], float]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, look: Callable[[], float]) -> None:
        """Calls `look` from now on, when it is due and after each `wake`."""
        self._looks.append(look)
        self._wake.set()

    def remove(self, look: Callable[[], float]) -> None:
        """Does not call `look` any more; harmless if it never did."""
        self._looks = [other for other in self._looks if other != look]

    def wake(self) -> None:
        """Something changed: all looks are called, soon."""
        self._wake.set()

    def look(self) -> float:
        """Calls all looks now; returns when the first of them wants to be called next, in seconds."""
        return min((_called(look) for look in self._looks), default=NEVER_S)

    def start(self) -> None:
        """Begins; idempotent."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="ticker")

    async def stop(self) -> None:
        """Ends; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause = self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, pause)):
                    await self._wake.wait()


def _called(look: Callable[[], float]) -> float:
    try:
        return look()
    except Exception:
        # One camera's mistake must not end another one's recording at the wrong time.
        _log.exception("a look at the clock failed")
        return 1.0
