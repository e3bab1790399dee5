"""Puts another config into force while the service runs; whatever fails, all is as it was before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from livecam_nvr.app.changes import Changes, changes
from livecam_nvr.app.fleet import Fleet
from livecam_nvr.app.recordings import Recordings
from livecam_nvr.config.models import Config
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import CameraState

_log = logging.getLogger(__name__)

T = TypeVar("T")

TRIAL_S = 15.0
"""A camera that shows no picture for so long has failed."""
_LOOK_EVERY_S = 0.1
# What it sends cannot be used, or its settings cannot be: more attempts change nothing about that.
_HOPELESS = 3
_RUNS = {CameraState.LIVE, CameraState.DELAY}


class Application:
    """Knows the config that is in force.

    Args:
        config: What the service has begun with.
        fleet: The cameras.
        recordings: What records them.
        trial_s: So long a camera has time for its first picture.
    """

    def __init__(self, config: Config, fleet: Fleet, recordings: Recordings, trial_s: float = TRIAL_S) -> None:
        self.config = config
        self.on_change: Callable[[Changes], Awaitable[None]] = _nothing
        """Told what has been put into force, for the parts that are neither cameras nor recordings."""
        self._fleet = fleet
        self._recordings = recordings
        self._trial_s = trial_s
        self._stopping = False
        self._task: asyncio.Task[Any] | None = None

    async def apply(self, new: Config, keep: Callable[[], Awaitable[None]]) -> Changes:
        """Puts `new` into force; whoever leaves while it waits does not break it off.

        First the cameras that come, go or change; each has to show a picture. Then `keep` writes down that it is
        to stay so. Then everything else, which cannot fail.

        Raises:
            LivecamError: CONFLICT if a change is under way, or a camera shows no picture; whatever `keep` raises.
                All is as it was before.
        """
        return await self._alone(self._apply(new, keep))

    async def _apply(self, new: Config, keep: Callable[[], Awaitable[None]]) -> Changes:
        wanted = changes(self.config, new)
        try:
            await self._try(await self._change(wanted))
            await keep()
        except BaseException as error:
            if not self._stopping:
                _log.warning("the settings are taken back: %s", error)
                await self._undo(wanted)
            raise
        for camera_id in wanted.removed:
            await self._fleet.remove(camera_id)
        self.config = wanted.config
        self._fleet.settle(wanted.config)
        self._recordings.configure(wanted.config)
        await self.on_change(wanted)
        return wanted

    async def set_enabled(self, camera_id: str, on: bool, by: str) -> bool:
        """See core.settings.CameraSwitch."""
        self._fleet.camera(camera_id)
        return await self._alone(self._switch(camera_id, on, by))

    async def stop(self) -> None:
        """The service stops: a change that is under way is given up where it is; idempotent."""
        self._stopping = True
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _alone(self, change: Coroutine[Any, Any, T]) -> T:
        """Does one change at a time, in a task of its own: nobody breaks it off by leaving."""
        if self._task is not None and not self._task.done():
            change.close()
            raise LivecamError(
                ErrorKind.CONFLICT, "another change of the settings is under way", "wait for its end"
            )
        task = self._task = asyncio.create_task(change, name="change of the settings")
        return await asyncio.shield(task)

    async def _switch(self, camera_id: str, on: bool, by: str) -> bool:
        await self._fleet.switch(camera_id, on, by)
        return self._fleet.is_on(camera_id)

    async def _change(self, wanted: Changes) -> list[str]:
        """Returns the streams that were opened."""
        # First whoever gives up a device, which another one may be waiting for.
        await asyncio.gather(*(self._fleet.halt(camera_id) for camera_id in wanted.removed))
        opened = []
        for camera in wanted.changed:
            opened += await self._fleet.replace(camera)
        for camera in wanted.added:
            opened += await self._fleet.add(camera)
        return opened

    async def _try(self, opened: Sequence[str]) -> None:
        waiting = set(opened)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._trial_s
        while waiting:
            if self._stopping:
                raise LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")
            for stream_id in tuple(waiting):
                pipeline = self._fleet.pipelines[stream_id]
                hopeless = pipeline.state is CameraState.ERROR and pipeline.failures >= _HOPELESS
                if pipeline.state in _RUNS:
                    waiting.discard(stream_id)
                elif hopeless or loop.time() > end:
                    fault = pipeline.fault
                    said = fault.message if fault else f"no picture came within {self._trial_s:.0f} s"
                    raise LivecamError(
                        ErrorKind.CONFLICT,
                        f"{stream_id} does not run with these settings: {said}; everything is as it was before",
                        fault.hint if fault else "check that the camera is on, and its address",
                    )
            await asyncio.sleep(_LOOK_EVERY_S if waiting else 0)

    async def _undo(self, wanted: Changes) -> None:
        before = {camera.id: camera for camera in self.config.cameras}
        for camera in wanted.added:
            if camera.id in self._fleet.recorders:
                await self._fleet.remove(camera.id)
        for camera_id in (*(camera.id for camera in wanted.changed), *wanted.removed):
            if self._fleet.camera(camera_id) != before[camera_id] or self._fleet.pipelines[camera_id].halted:
                await self._fleet.replace(before[camera_id])


async def _nothing(_changes: Changes) -> None:
    """Until somebody wants to know."""
