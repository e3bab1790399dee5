"""Keeps something that may die running: attempt, back off, attempt again; for ever, or until it is hopeless."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.redact import redact
from livecam_nvr.domain.status import ServerState
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)


class Supervisor:
    """Runs `attempt` again and again.

    An attempt starts the thing, calls `self.ready()` when it really works, and returns or raises when it is over
    (a clean return counts as having died, too). It must clean up after itself when cancelled. Pauses grow with
    each failure and begin anew after the thing was ready for `stable_s`.
    """

    def __init__(
        self,
        name: str,
        attempt: Callable[[], Awaitable[None]],
        clock: Clock,
        *,
        backoff: Backoff | None = None,
        stable_s: float = 60.0,
        on_change: Callable[[ServerState], None] = lambda _state: None,
        on_failure: Callable[[LivecamError], None] = lambda _error: None,
    ) -> None:
        self.name = name
        self.state = ServerState.STOPPED
        self.restarts = 0
        self.last_error: LivecamError | None = None
        self._attempt = attempt
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._stable_s = stable_s
        self._on_change = on_change
        self._on_failure = on_failure
        self._ready_at: float | None = None
        self._stopping = False
        self._became_ready = asyncio.Event()
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; the first attempt runs at once."""
        if self._task is None or self._task.done():
            self._stopping = False
            self._became_ready.clear()
            self._task = asyncio.create_task(self._run(), name=f"supervisor:{self.name}")

    def ready(self) -> None:
        """Called by the attempt: it works."""
        if self.state is not ServerState.READY:
            self._ready_at = self._clock.monotonic()
            self._became_ready.set()
            self._set(ServerState.READY)

    def hurry(self) -> None:
        """Ends the pause that it is in, if any: there is a reason to believe that it works now."""
        self._backoff.reset()
        self._hurry.set()

    async def wait_ready(self, timeout_s: float) -> bool:
        """True as soon as it is ready, False if it is not within `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._became_ready.wait()
        return self.state is ServerState.READY

    async def stop(self) -> None:
        """Ends the running attempt and waits for it; idempotent."""
        self._stopping = True
        if self._task is not None:
            if not self._task.done():
                self._set(ServerState.STOPPING)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._set(ServerState.STOPPED)

    async def _run(self) -> None:
        while True:
            self._ready_at = None
            self._became_ready.clear()
            self._set(ServerState.STARTING)
            pause = await self._once()
            if self._stopping:  # an attempt may have swallowed its cancellation
                return
            self.restarts += 1
            self._set(ServerState.BACKOFF)
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurry.wait()

    async def _once(self) -> float:
        """One attempt; returns how long to pause after it."""
        try:
            await self._attempt()
        except LivecamError as error:
            self._fail(error)
        except Exception as error:
            # Supervision is where an unforeseen failure must end as a restart and not as a dead camera.
            _log.exception("%s failed in an unforeseen way", self.name)
            said = redact(str(error)) or type(error).__name__
            self._fail(
                LivecamError(
                    ErrorKind.UNAVAILABLE, f"{self.name} failed: {said}", "it is tried again; see the log"
                )
            )
        if self._ready_at is not None and self._clock.monotonic() - self._ready_at >= self._stable_s:
            self._backoff.reset()
        return self._backoff.next_s()

    def _fail(self, error: LivecamError) -> None:
        self.last_error = error
        self._on_failure(error)

    def _set(self, state: ServerState) -> None:
        if state is not self.state:
            self.state = state
            self._on_change(state)
