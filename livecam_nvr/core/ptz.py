"""What the service knows of cameras through ONVIF, and how they are moved; `onvif/` fulfils it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that answered a search, as it describes itself without a password."""

    host: str
    """Where it can be reached: an IP address as a rule."""
    addresses: tuple[str, ...] = ()
    """Its ONVIF addresses, the one to try first in front; without credentials."""
    name: str = ""
    hardware: str = ""
    location: str = ""
    endpoint: str = ""
    """An id of its own that stays, such as `urn:uuid:...`."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A position that the camera remembers."""

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class PtzAbilities:
    """How a camera can be moved."""

    pan_tilt: bool
    zoom: bool
    home: bool
    presets: tuple[Preset, ...] = ()


class OnvifPort(Protocol):
    """Finds cameras in the network, and moves those of the config.

    All but `discover` raise LivecamError CONFLICT if the camera has no ONVIF address or cannot be moved,
    UNAVAILABLE if it cannot be reached or does not let us in, MEDIA if it refuses or its answer makes no sense.
    """

    async def discover(self) -> list[FoundCamera]:
        """Searches for a few seconds. Whoever asks while a search is under way gets its result.

        Raises:
            LivecamError: UNAVAILABLE if this machine has no network to search.
        """

    async def abilities(self, camera_id: str) -> PtzAbilities:
        """How it can be moved, and its presets as they are now."""

    async def move(self, camera_id: str, *, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """Begins to move, each speed from -1 to 1 (right, up and in are positive); returns when it moves.

        It is stopped after `seconds`, whatever happens to the caller; a further move takes over at once.

        Raises:
            LivecamError: also INVALID for speeds or seconds out of bounds.
        """

    async def stop_moving(self, camera_id: str) -> None:
        """Stops it now."""

    async def goto_preset(self, camera_id: str, token: str) -> None:
        """Sends it to a preset; also raises LivecamError NOT_FOUND if there is none with this token."""

    async def goto_home(self, camera_id: str) -> None:
        """Sends it to its home position."""
