"""What can be chosen of a camera: what recording depends on, and the picture's height."""

from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, add_for_cameras, add_for_changeable
from .helpers import told

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    add_for_cameras(entry, async_add_entities, lambda camera: [RecordingMode(entry, camera.id)])
    add_for_changeable(
        hass,
        entry,
        async_add_entities,
        platform=Platform.SELECT,
        key="resolution",
        make=lambda camera_id: Resolution(entry, camera_id),
    )


class RecordingMode(LivecamCameraEntity, SelectEntity):
    """What recording depends on."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "recording_mode", camera_id)

    @property
    @override
    def options(self) -> list[str]:
        return list(self.camera.recording.modes)

    @property
    @override
    def current_option(self) -> str | None:
        mode = self.camera.recording.mode
        return mode if mode in self.options else None

    @override
    def shown(self) -> object:
        return (self.current_option, self.options)

    @override
    async def async_select_option(self, option: str) -> None:
        with told(self.entry):
            await self.client.set_mode(self.camera_id, option)
        await self.coordinator.confirm()


class Resolution(LivecamCameraEntity, SelectEntity):
    """The picture's height, where the service encodes it."""

    _attr_entity_category = EntityCategory.CONFIG
    needs_pictures = True

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "resolution", camera_id)

    @property
    @override
    def options(self) -> list[str]:
        return [f"{height}p" for height in self.camera.quality.heights]

    @property
    @override
    def current_option(self) -> str | None:
        running = f"{self.camera.height}p"
        return running if running in self.options else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str]:
        return {"size": f"{self.camera.width}x{self.camera.height}"} if self.available else {}

    @override
    def shown(self) -> object:
        return (self.current_option, self.options, self.extra_state_attributes)

    @override
    async def async_select_option(self, option: str) -> None:
        with told(self.entry):
            await self.client.set_quality(self.camera_id, height=int(option.removesuffix("p")))
        await self.coordinator.confirm()
