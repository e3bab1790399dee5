"""Asks the cameras that `discover` found about their streams."""

import asyncio
from collections.abc import Iterable

from livecam_nvr.cli.found_cameras import Seen
from livecam_nvr.core.ptz import FoundCamera
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.address import OnvifAddress, parse_address
from livecam_nvr.onvif.camera import OnvifCamera
from livecam_nvr.onvif.errors import NotLetIn

_AT_ONCE = 8
_MOST_TRIES = 3


def at_address(word: str) -> FoundCamera:
    """The camera that a person names: `HOST`, `HOST:PORT`, or the whole address of its device service.

    Raises:
        LivecamError: CONFIG if it is no address, or has a password in it: other users of the machine would see it.
    """
    try:
        address = parse_address(word)
    except LivecamError as error:
        raise LivecamError(
            ErrorKind.CONFIG, error.message, "write it like 192.168.1.20 or 192.168.1.20:8080"
        ) from None
    if address.user or address.password:
        raise LivecamError(
            ErrorKind.CONFIG, "--address has user or password in it", "use --user and --password-file"
        )
    return FoundCamera(host=address.host, addresses=(address.url,))


def check_credentials(user: str, password: str) -> None:
    """Before anything is searched for: raises LivecamError CONFIG for what no camera can take."""
    try:
        parse_address("camera").as_user(user, password)
    except LivecamError as error:
        raise LivecamError(ErrorKind.CONFIG, error.message, error.hint) from None


async def ask_all(found: Iterable[FoundCamera], user: str, password: str) -> list[Seen]:
    """Asks all of them, eight at a time, in their order; what is wrong with one stands in its `error`."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(camera: FoundCamera) -> Seen:
        async with gate:
            return await _ask(camera, user, password)

    return list(await asyncio.gather(*(ask(camera) for camera in found)))


async def _ask(found: FoundCamera, user: str, password: str) -> Seen:
    seen = Seen(found)
    for url in found.addresses[:_MOST_TRIES]:
        address: OnvifAddress | None = None
        try:
            address = parse_address(url).as_user(user, password)
            async with OnvifCamera(address) as camera:
                return Seen(found, address, await camera.describe())
        except NotLetIn as error:
            # The same password at another of its addresses would count as another wrong one.
            return Seen(found, address, error=error, wants_password=True)
        except LivecamError as error:
            seen = Seen(found, address, error=error)
    return seen
