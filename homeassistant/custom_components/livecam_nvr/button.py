"""What can be pressed of a camera: keep that, a new still, restart."""

from typing import ClassVar, override

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


class _CameraButton(LivecamCameraEntity, ButtonEntity):
    """One of a camera's."""

    called: ClassVar[str]
    """Its key, see LivecamEntity."""

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, self.called, camera_id)

    @override
    def shown(self) -> object:
        return None


class Keep(_CameraButton):
    """Keeps what was and will be seen around now."""

    called = "keep"

    @override
    async def async_press(self) -> None:
        with told(self.entry):
            await self.client.keep(self.camera_id)
        await self.coordinator.confirm()


class Snapshot(_CameraButton):
    """Has the camera entity show a new still now, and not when it is its turn."""

    called = "snapshot"
    needs_pictures = True

    @override
    async def async_press(self) -> None:
        async_dispatcher_send(self.hass, snapshot_signal(self.entry.entry_id, self.camera_id))


class Restart(_CameraButton):
    """Ends what runs of the camera and starts it anew."""

    called = "restart"
    _attr_device_class = ButtonDeviceClass.RESTART
    _attr_entity_category = EntityCategory.CONFIG

    @override
    async def async_press(self) -> None:
        with told(self.entry):
            await self.client.restart(self.camera_id)
        await self.coordinator.confirm()
