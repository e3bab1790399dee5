"""A camera's frames a second, where the service encodes its picture."""

from typing import override

from homeassistant.components.number import NumberEntity, NumberMode
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, add_for_changeable
from .helpers import told

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    add_for_changeable(
        hass,
        entry,
        async_add_entities,
        platform=Platform.NUMBER,
        key="frame_rate",
        make=lambda camera_id: FrameRate(entry, camera_id),
    )


class FrameRate(LivecamCameraEntity, NumberEntity):
    """As it was asked for; what really comes is a sensor."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_native_unit_of_measurement = "fps"
    _attr_native_min_value = 1
    _attr_native_step = 1
    _attr_mode = NumberMode.BOX
    needs_pictures = True

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "frame_rate", camera_id)

    @property
    @override
    def native_max_value(self) -> float:
        return self.camera.quality.most_fps

    @property
    @override
    def native_value(self) -> float:
        fps = self.camera.quality.fps
        return int(fps) if fps == int(fps) else fps  # 15, as it was typed, and not 15.0

    @override
    def shown(self) -> object:
        return (self.native_value, self.native_max_value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        with told(self.entry):
            await self.client.set_quality(self.camera_id, fps=value)
        await self.coordinator.confirm()
