"""One camera that is asked by ONVIF: what it is, its streams, a picture, and its movements."""

from dataclasses import replace
from typing import Self

from livecam_nvr.core.ptz import Preset, PtzAbilities
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.address import OnvifAddress, at_own_host, parse_address, stream_address
from livecam_nvr.onvif.link import Link
from livecam_nvr.onvif.profiles import CameraDescription, Profile, choose
from livecam_nvr.onvif.ptz import Steering
from livecam_nvr.onvif.reading import at, read_profiles
from livecam_nvr.onvif.text import tidy
from livecam_nvr.runtime.clock import Clock, SystemClock

_MOST_PICTURE_BYTES = 16_000_000
_JPEG = b"\xff\xd8"
_HTTP_OK = 200
_UNICAST_RTSP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


class OnvifCamera:
    """Made on the event loop; connects when first asked. `close` it, or use `async with`.

    `address` is `http://[user:password@]host[:port][/path]` or a parsed one. Each request may take `timeout_s`.
    The camera's clock may be wrong: its offset is taken into account.

    Every method raises LivecamError: UNAVAILABLE if the camera cannot be reached or does not let us in (NotLetIn),
    MEDIA if it refuses, or if what answers is no ONVIF camera; CONFLICT if it cannot do what is asked.
    """

    def __init__(self, address: str | OnvifAddress, *, timeout_s: float = 5.0, clock: Clock | None = None) -> None:
        self.address = parse_address(address) if isinstance(address, str) else address
        self._link = Link(self.address, timeout_s, clock or SystemClock())
        self._steering = Steering(self._link)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def describe(self) -> CameraDescription:
        """Maker, model, and all streams with their addresses."""
        information = await self._link.call("devicemgmt", "GetDeviceInformation")
        profiles = read_profiles(await self._link.call("media", "GetProfiles"))
        profiles = [await self._located(profile) for profile in profiles]
        movable = any(profile.has_ptz for profile in profiles) and await self._link.offers("ptz")
        return CameraDescription(
            manufacturer=tidy(at(information, "Manufacturer"), 64),
            model=tidy(at(information, "Model"), 64),
            firmware=tidy(at(information, "FirmwareVersion"), 64),
            profiles=tuple(profiles),
            has_ptz=movable,
            clock_offset_s=self._link.clock_offset_s,
        )

    async def snapshot(self) -> bytes:
        """A JPEG picture that the camera makes itself, of the stream that would be recorded."""
        profiles = read_profiles(await self._link.call("media", "GetProfiles"))
        if not profiles:
            raise self._no_picture("it has no stream")
        # Which one is the largest does not depend on where it is.
        chosen = choose(replace(profile, stream_uri=profile.token) for profile in profiles)
        token = chosen[0].main.token if chosen else profiles[0].token
        uri = await self._snapshot_uri(token)
        if uri is None:
            raise LivecamError(ErrorKind.CONFLICT, f"the camera at {self.address.place} offers no snapshots")
        picture = await self._link.get(uri, _MOST_PICTURE_BYTES)
        if picture.status != _HTTP_OK:
            raise self._no_picture(f"it answers HTTP {picture.status}")
        if not picture.body.startswith(_JPEG):
            raise self._no_picture("what it sends is no JPEG")
        return picture.body

    async def abilities(self) -> PtzAbilities:
        """How it can be moved, with its presets as they are now."""
        return await self._steering.abilities()

    async def move(self, *, pan: float = 0, tilt: float = 0, zoom: float = 0, seconds: float) -> None:
        """See core.ptz.OnvifPort.move."""
        await self._steering.move(pan, tilt, zoom, seconds)

    async def stop(self) -> None:
        """Stops it now; if that fails, it is tried again in the background."""
        await self._steering.stop()

    async def presets(self) -> tuple[Preset, ...]:
        """The positions that it remembers."""
        return await self._steering.presets()

    async def goto_preset(self, token: str) -> None:
        """Sends it there; also raises LivecamError NOT_FOUND."""
        await self._steering.goto_preset(token)

    async def home(self) -> None:
        """Sends it to its home position."""
        await self._steering.home()

    async def close(self) -> None:
        """Stops it if it moves, and disconnects; at most 2 s."""
        try:
            await self._steering.close()
        finally:
            await self._link.close()

    async def _located(self, profile: Profile) -> Profile:
        try:
            told = await self._link.call(
                "media", "GetStreamUri", {"StreamSetup": _UNICAST_RTSP, "ProfileToken": profile.token}
            )
        except LivecamError as error:
            if not _of_one_answer(error):
                raise
            return profile
        uri = at(told, "Uri")
        return replace(
            profile,
            stream_uri=stream_address(uri, self.address) if uri else None,
            snapshot_uri=await self._snapshot_uri(profile.token),
        )

    async def _snapshot_uri(self, token: str) -> str | None:
        try:
            told = await self._link.call("media", "GetSnapshotUri", {"ProfileToken": token})
        except LivecamError as error:
            # Optional in the standard.
            if not _of_one_answer(error):
                raise
            return None
        uri = at(told, "Uri")
        return at_own_host(uri, self.address) if uri else None

    def _no_picture(self, why: str) -> LivecamError:
        return LivecamError(ErrorKind.MEDIA, f"the camera at {self.address.place} gave no snapshot: {why}")


def _of_one_answer(error: LivecamError) -> bool:
    """Whether the camera may well answer something else: one that is away or does not let us in will not."""
    return error.kind is ErrorKind.MEDIA
