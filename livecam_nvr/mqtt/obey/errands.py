"""Orders that take their time: one after the other for each thing they are about, the newest next."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from livecam_nvr.domain.errors import LivecamError


class _Errand(NamedTuple):
    run: Callable[[], Awaitable[object]]
    ended: Callable[[LivecamError | None], None]


class Errands:
    """Runs them in tasks of its own, which `stop` ends."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, _Errand]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(
        self,
        lane: str,
        what: str,
        run: Callable[[], Awaitable[object]],
        ended: Callable[[LivecamError | None], None],
    ) -> None:
        """Begins at once, or when those before it in its lane are done; replaces one about the same that waits.

        Args:
            lane: Errands of one lane never run at the same time.
            what: What it is about, e.g. a camera.
            run: Does it; may raise LivecamError.
            ended: Told why it failed; None if it did not. Never told of one that was replaced or stopped.
        """
        self._waiting.setdefault(lane, {})[what] = _Errand(run, ended)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._serve(lane), name=f"MQTT {lane}")

    async def stop(self) -> None:
        """Forgets what waits and no longer watches what is under way; idempotent."""
        self._waiting.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()  # one that was cancelled before its first step could not do that itself

    async def _serve(self, lane: str) -> None:
        try:
            while waiting := self._waiting.get(lane):
                errand = waiting.pop(next(iter(waiting)))
                try:
                    await errand.run()
                except LivecamError as error:
                    errand.ended(error)
                else:
                    errand.ended(None)
        finally:
            self._waiting.pop(lane, None)
            self._tasks.pop(lane, None)
