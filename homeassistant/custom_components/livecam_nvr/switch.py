"""The switches of a camera: recording, and the camera itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Camera, LivecamClient
from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, add_for_cameras
from .helpers import told

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class CameraSwitchDescription(SwitchEntityDescription):
    """One of them."""

    value: Callable[[Camera], bool]
    turn: Callable[[LivecamClient, str, bool], Awaitable[None]]
    entity_category: EntityCategory | None = EntityCategory.CONFIG


_SWITCHES = (
    CameraSwitchDescription(
        key="recording",
        # A camera that is always recorded has nothing to switch: the service says so if somebody tries.
        value=lambda camera: camera.recording.wanted or camera.recording.mode == "always",
        turn=lambda client, camera_id, on: client.set_recording(camera_id, on),
    ),
    CameraSwitchDescription(
        key="enabled",
        value=lambda camera: camera.enabled,
        turn=lambda client, camera_id, on: client.set_enabled(camera_id, on),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    del hass
    add_for_cameras(
        entry, async_add_entities, lambda camera: [CameraSwitch(entry, camera.id, one) for one in _SWITCHES]
    )


class CameraSwitch(LivecamCameraEntity, SwitchEntity):
    """One of a camera's switches."""

    entity_description: CameraSwitchDescription

    def __init__(self, entry: LivecamConfigEntry, camera_id: str, description: CameraSwitchDescription) -> None:
        """Of an entry's camera."""
        self.entity_description = description
        super().__init__(entry, description.key, camera_id)

    @property
    @override
    def is_on(self) -> bool:
        return self.entity_description.value(self.camera)

    @override
    def shown(self) -> object:
        return self.is_on

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._turn(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._turn(False)

    async def _turn(self, on: bool) -> None:
        with told(self.entry):
            await self.entity_description.turn(self.client, self.camera_id, on)
        await self.coordinator.confirm()
