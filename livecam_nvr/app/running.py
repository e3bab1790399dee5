"""Runs the service until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from livecam_nvr.app.service import Service
from livecam_nvr.config.models import Config
from livecam_nvr.domain.status import ServiceStatus

_log = logging.getLogger(__name__)


async def run(
    config: Config,
    *,
    demo: bool = False,
    file: Path | None = None,
    duration_s: float | None = None,
    started: Callable[[ServiceStatus, str | None], None] = lambda _status, _code: None,
) -> int:
    """Runs the service until SIGINT, SIGTERM or `duration_s`; returns the exit status. SIGHUP has it read `file`.

    Args:
        config: What to run.
        file: Where the config is from, or would be; None: the settings cannot be changed.
        demo: Whoever can reach it may watch and switch.
        duration_s: Stop by itself after so long.
        started: Called once, when everything has been started; with the code for the first password, while
            there is none.

    Raises:
        LivecamError: If it cannot run at all: the page's port is taken, another service has the archive, or the
            data folder cannot be made.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    service = Service(config, demo=demo, file=file)
    reloading = _OneAfterTheOther(service.reload)
    loop.add_signal_handler(signal.SIGHUP, reloading.again)
    try:
        if await _start(service, stop):
            started(service.board.status(), service.setup_code)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(duration_s):
                    await stop.wait()
        _log.info("stopping")
    finally:
        await reloading.stop()
        await service.stop()
    return 0


class _OneAfterTheOther:
    """Calls `deed` whenever somebody wants that; those who want it while it runs share the next time."""

    def __init__(self, deed: Callable[[], Awaitable[None]]) -> None:
        self._deed = deed
        self._wanted = False
        self._task: asyncio.Task[None] | None = None

    def again(self) -> None:
        self._wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="read the config anew")

    async def stop(self) -> None:
        self._wanted = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._wanted:
            self._wanted = False
            await self._deed()


async def _start(service: Service, stop: asyncio.Event) -> bool:
    """Whether the service was started; if it is told to stop before, it is not.

    A start may take long: a media server is downloaded, a lost index is read from the files.
    """
    starting = asyncio.create_task(service.start(), name="the service's start")
    told = asyncio.create_task(stop.wait(), name="told to stop")
    try:
        await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        if not starting.done():
            starting.cancel()
        await asyncio.gather(starting, told, return_exceptions=True)
    if starting.cancelled():
        return False
    starting.result()
    return True
