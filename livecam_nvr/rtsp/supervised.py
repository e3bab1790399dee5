"""What both media servers have in common: a supervised child that must answer, and a status that tells of it."""

import asyncio
import logging
import signal
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import MediaServerChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import Fault, MediaServerStatus, ServerState, StreamAddresses
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.process import ChildProcess
from livecam_nvr.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)

WATCH_EVERY_S = 3.0
_ANSWER_S = 2.0
_MISSES = 2
"""A busy machine may make one answer late; a hung server stays silent."""
_BECOMES_READY_S = 10.0
_ASK_EVERY_S = 0.01
_LAST_WORDS = 3
_STOP_PATIENCE_S = 1.0


class SupervisedServer(ABC):
    """Base of a media server: supervision, watchdog, status; see core.ports.MediaServer for the contract."""

    name: str
    title: str

    def __init__(self, config: Config, bus: EventBus, clock: Clock, watch_every_s: float = WATCH_EVERY_S) -> None:
        self._config = config
        self._bus = bus
        self._clock = clock
        self._watch_every_s = watch_every_s
        self._version = ""
        self._fault: Fault | None = None
        self._failing = False
        self._child: ChildProcess | None = None
        self._supervisor = Supervisor(
            self.title,
            self._attempt,
            clock,
            backoff=Backoff(first_s=0.2, most_s=30.0),
            on_change=self._changed,
            on_failure=self._failed,
        )

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child else None

    async def start(self, ready_within_s: float) -> bool:
        """See core.ports.MediaServer."""
        self._supervisor.start()
        return await self._supervisor.wait_ready(ready_within_s)

    async def stop(self) -> None:
        """See core.ports.MediaServer."""
        await self._supervisor.stop()

    def status(self) -> MediaServerStatus:
        """See core.ports.MediaServer. The fault is the last one; it stays after it healed, for the record."""
        supervisor = self._supervisor
        return MediaServerStatus(self.name, supervisor.state, self._version, supervisor.restarts, self._fault)

    @abstractmethod
    async def _attempt(self) -> None:
        """One run of the server, from its start until it is over; always raises."""

    async def _attend(self, child: ChildProcess, ask: Callable[[], Awaitable[object]]) -> None:
        """Stays with a running child; raises LivecamError when it has died or no longer answers.

        `ask` returns when the server answered and raises LivecamError or OSError if not. The child is gone when
        this returns, however it does.
        """
        self._child = child
        farewell: int = signal.SIGTERM
        exited = asyncio.create_task(child.wait(), name=f"wait:{self.name}")
        try:
            await self._until_ready(child, exited, ask)
            self._supervisor.ready()
            await self._watch(child, exited, ask)
        except LivecamError:
            farewell = signal.SIGKILL  # a child that is given up is not asked: it may be hung
            raise
        finally:
            await child.stop(farewell, _STOP_PATIENCE_S)
            exited.cancel()
            await asyncio.gather(exited, return_exceptions=True)
            self._child = None

    async def _until_ready(
        self, child: ChildProcess, exited: asyncio.Future[int], ask: Callable[[], Awaitable[object]]
    ) -> None:
        end = self._clock.monotonic() + _BECOMES_READY_S
        while not await _answers(ask):
            if self._clock.monotonic() > end:
                raise LivecamError(
                    ErrorKind.UNAVAILABLE,
                    f"{self.title} did not answer within {_BECOMES_READY_S:.0f} s of its start{_words(child)}",
                    "it is started again by itself",
                )
            await asyncio.wait({exited}, timeout=_ASK_EVERY_S)
            self._must_live(child, exited)

    async def _watch(
        self, child: ChildProcess, exited: asyncio.Future[int], ask: Callable[[], Awaitable[object]]
    ) -> None:
        misses = 0
        while misses < _MISSES:
            await asyncio.wait({exited}, timeout=self._watch_every_s)
            self._must_live(child, exited)
            misses = 0 if await _answers(ask) else misses + 1
        self._must_live(child, exited)
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"{self.title} hung: it runs, but did not answer {misses} times in a row{_words(child)}",
            "it is started again by itself",
        )

    def _must_live(self, child: ChildProcess, exited: asyncio.Future[int]) -> None:
        if exited.done():
            code = exited.result()
            how = f"ended with status {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
            raise LivecamError(ErrorKind.UNAVAILABLE, f"{self.title} {how}{_words(child)}", self._mend(child))

    def _mend(self, child: ChildProcess) -> str:  # noqa: ARG002 - for those who can tell from its words
        """What to do about a child that has died."""
        return "it is started again by itself"

    def _changed(self, state: ServerState) -> None:
        if state is ServerState.READY:
            self._failing = False
        # What fails for hours, such as a taken port, was told once: every attempt would be two lines more.
        _log.log(logging.DEBUG if self._failing else logging.INFO, "%s: %s", self.title, state)
        self._bus.publish(MediaServerChanged(self.status()))

    def _failed(self, error: LivecamError) -> None:
        if not self._failing or self._fault is None or self._fault.message != error.message:
            _log.warning("%s; %s", error.message, error.hint)
        self._failing = True
        self._fault = Fault(error.message, error.hint, self._clock.utc_ns())


def rtsp_addresses(config: Config, camera_id: str) -> StreamAddresses:
    """Where a camera can be watched over RTSP; where only loopback gets it unencrypted, that is not told."""
    plain = f"rtsp://{{host}}:{config.listen.rtsp_port}/{camera_id}"
    if not config.tls.enabled:
        return StreamAddresses(rtsp=plain)
    rtsps = f"rtsps://{{host}}:{config.listen.rtsps_port}/{camera_id}"
    return StreamAddresses(rtsp=rtsps if config.tls.only else plain, rtsps=rtsps)


async def _answers(ask: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_S):
            await ask()
    except (LivecamError, OSError, TimeoutError):
        return False
    return True


def _words(child: ChildProcess) -> str:
    lines = child.last_lines[-_LAST_WORDS:]
    return ": " + " | ".join(lines) if lines else ""
