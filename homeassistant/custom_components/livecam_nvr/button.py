"""What can be pressed of a camera: keep that, a new still, restart."""

from typing import override

from homeassistant.components.button import ButtonDeviceClass, ButtonEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, add_for_cameras, snapshot_signal
from .helpers import told

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    del hass
    add_for_cameras(
        entry,
        async_add_entities,
        lambda camera: [Keep(entry, camera.id), Snapshot(entry, camera.id), Restart(entry, camera.id)],
    )


class Keep(LivecamCameraEntity, ButtonEntity):
    """Keeps what was and will be seen around now."""

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "keep", camera_id)

    @override
    def shown(self) -> object:
        return None

    @override
    async def async_press(self) -> None:
        with told(self.entry):
            await self.client.keep(self.camera_id)
        await self.coordinator.confirm()


class Snapshot(LivecamCameraEntity, ButtonEntity):
    """Has the camera entity show a new still now, and not when it is its turn."""

    needs_pictures = True

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "snapshot", camera_id)

    @override
    def shown(self) -> object:
        return None

    @override
    async def async_press(self) -> None:
        async_dispatcher_send(self.hass, snapshot_signal(self.entry.entry_id, self.camera_id))


class Restart(LivecamCameraEntity, ButtonEntity):
    """Ends what runs of the camera and starts it anew."""

    _attr_device_class = ButtonDeviceClass.RESTART
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "restart", camera_id)

    @override
    def shown(self) -> object:
        return None

    @override
    async def async_press(self) -> None:
        with told(self.entry):
            await self.client.restart(self.camera_id)
        await self.coordinator.confirm()
