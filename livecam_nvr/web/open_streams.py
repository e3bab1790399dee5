"""Keeps account of answers without an end (live streams, WebSockets), so that a stop ends them at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from livecam_nvr.domain.errors import ErrorKind, LivecamError


class OpenStreams:
    """All answers that go on until the viewer leaves or the service stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._told: set[asyncio.Task[object]] = set()
        self._stopping = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Runs a block that `end_all` breaks off; what follows the block may then end the answer properly.

        Raises:
            LivecamError: UNAVAILABLE if the service is stopping already.
        """
        if self._stopping:
            raise LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("held() belongs into a task")
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            # As asyncio.timeout does it: only our own cancellation ends here.
            if task not in self._told or task.uncancel() > 0:
                raise
        finally:
            self._tasks.discard(task)
            self._told.discard(task)

    def end_all(self) -> None:
        """Breaks off all blocks; no further one begins."""
        self._stopping = True
        for task in self._tasks - self._told:
            self._told.add(task)
            task.cancel()
