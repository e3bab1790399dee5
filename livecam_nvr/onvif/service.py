"""The cameras of the config that have ONVIF, and searches for others (core.ptz.OnvifPort)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from pydantic import SecretStr

from livecam_nvr.core.ptz import FoundCamera, PtzAbilities
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.camera import OnvifCamera
from livecam_nvr.onvif.discovery import discover


class OnvifCameras:
    """`cameras`: id to address with credentials. Nothing is loaded or connected before somebody asks.

    A camera's address is read when it is first used: one that is wrong costs only that camera its movements.
    """

    def __init__(
        self,
        cameras: Mapping[str, SecretStr],
        *,
        search: Callable[[], Awaitable[list[FoundCamera]]] = discover,
    ) -> None:
        self._addresses = dict(cameras)
        self._search = search
        self._cameras: dict[str, OnvifCamera] = {}
        self._searching: asyncio.Task[list[FoundCamera]] | None = None
        self._stopped = False

    async def discover(self) -> list[FoundCamera]:
        """See core.ptz.OnvifPort."""
        self._refuse_when_stopped()
        if self._searching is None or self._searching.done():
            self._searching = asyncio.create_task(self._searched(), name="search for cameras")
            self._searching.add_done_callback(_heard)
        searching = self._searching
        # One who leaves does not end it for the others.
        await asyncio.wait([searching])
        if searching.cancelled():
            raise _stopping()
        return searching.result()

    async def abilities(self, camera_id: str) -> PtzAbilities:
        """See core.ptz.OnvifPort."""
        return await self._camera(camera_id).abilities()

    async def move(self, camera_id: str, *, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """See core.ptz.OnvifPort."""
        await self._camera(camera_id).move(pan=pan, tilt=tilt, zoom=zoom, seconds=seconds)

    async def stop_moving(self, camera_id: str) -> None:
        """See core.ptz.OnvifPort."""
        await self._camera(camera_id).stop()

    async def goto_preset(self, camera_id: str, token: str) -> None:
        """See core.ptz.OnvifPort."""
        await self._camera(camera_id).goto_preset(token)

    async def goto_home(self, camera_id: str) -> None:
        """See core.ptz.OnvifPort."""
        await self._camera(camera_id).home()

    async def configure(self, cameras: Mapping[str, SecretStr]) -> None:
        """These are the addresses from now on; the others, and those that have changed, are disconnected."""
        before, self._addresses = self._addresses, dict(cameras)
        changed = [key for key in self._cameras if before.get(key) != self._addresses.get(key)]
        await asyncio.gather(*(self._cameras.pop(key).close() for key in changed))

    async def stop(self) -> None:
        """Ends a search, stops all cameras that move and disconnects; at most 2 s; idempotent."""
        self._stopped = True
        searching, self._searching = self._searching, None
        if searching is not None:
            searching.cancel()
            await asyncio.wait([searching])
        cameras, self._cameras = self._cameras, {}
        await asyncio.gather(*(camera.close() for camera in cameras.values()))

    async def _searched(self) -> list[FoundCamera]:
        return await self._search()

    def _camera(self, camera_id: str) -> OnvifCamera:
        self._refuse_when_stopped()
        if camera_id not in self._addresses:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"the camera {camera_id!r} has no ONVIF address",
                "set its onvif_url in config.yaml; `livecam-nvr discover` finds it",
            )
        if camera_id not in self._cameras:
            self._cameras[camera_id] = OnvifCamera(self._addresses[camera_id].get_secret_value())
        return self._cameras[camera_id]

    def _refuse_when_stopped(self) -> None:
        if self._stopped:
            raise _stopping()


def _stopping() -> LivecamError:
    return LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")


def _heard(task: asyncio.Task[list[FoundCamera]]) -> None:
    """Its failure is told to whoever waits; if nobody does any more, it is nobody's."""
    if not task.cancelled():
        task.exception()
