"""core.ptz.OnvifPort without cameras."""

from livecam_nvr.core.ptz import FoundCamera, Preset, PtzAbilities
from livecam_nvr.domain.errors import ErrorKind, LivecamError


class FakeOnvif:
    """`cam0` can be moved, nothing else."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []

    async def discover(self) -> list[FoundCamera]:
        return [FoundCamera("10.0.0.1", ("http://10.0.0.1/x",), "Door", "Eye 3", "Home", "urn:uuid:1")]

    async def abilities(self, camera_id: str) -> PtzAbilities:
        self._check(camera_id)
        return PtzAbilities(pan_tilt=True, zoom=False, home=True, presets=(Preset("1", "Door"),))

    async def move(self, camera_id: str, *, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        self._do(camera_id, "move", pan, tilt, zoom, seconds)

    async def stop_moving(self, camera_id: str) -> None:
        self._do(camera_id, "stop")

    async def goto_preset(self, camera_id: str, token: str) -> None:
        self._do(camera_id, "preset", token)

    async def goto_home(self, camera_id: str) -> None:
        self._do(camera_id, "home")

    def _do(self, camera_id: str, *what: object) -> None:
        self._check(camera_id)
        self.done.append(what)

    def _check(self, camera_id: str) -> None:
        if camera_id != "cam0":
            raise LivecamError(
                ErrorKind.CONFLICT, f"the camera {camera_id!r} has no ONVIF address", "set onvif_url"
            )
