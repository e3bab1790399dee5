"""What all our entities have in common: device, ids, availability, and that they are written only when they changed."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .client import Camera, Status
from .const import DOMAIN
from .coordinator import LivecamConfigEntry, LivecamCoordinator


def device_key(install_id: str, camera_id: str = "") -> tuple[str, str]:
    """A device's identifier; without a camera, that of the service itself."""
    return (DOMAIN, f"{install_id}_{camera_id}" if camera_id else install_id)


def unique_id(install_id: str, key: str, camera_id: str = "") -> str:
    """An entity's unique id."""
    return f"{install_id}_{camera_id}_{key}" if camera_id else f"{install_id}_{key}"


def snapshot_signal(entry_id: str, camera_id: str) -> str:
    """The dispatcher's signal that somebody wants a new still of a camera now."""
    return f"{DOMAIN}_{entry_id}_{camera_id}_snapshot"


class LivecamEntity(CoordinatorEntity[LivecamCoordinator]):
    """Something of the service."""

    _attr_has_entity_name = True
    _shown: object = None

    def __init__(self, entry: LivecamConfigEntry, key: str, camera_id: str = "") -> None:
        """`key` is the entity's own, the same as over MQTT; it is the translation key, too."""
        super().__init__(entry.runtime_data.coordinator)
        self.entry = entry
        self.key = key
        self.camera_id = camera_id
        self.client = entry.runtime_data.client
        install_id = entry.runtime_data.info.install_id
        self._attr_unique_id = unique_id(install_id, key, camera_id)
        self._attr_translation_key = key
        # Everything else about the devices is said in one place: devices.py.
        self._attr_device_info = DeviceInfo(identifiers={device_key(install_id, camera_id)})

    @property
    def status(self) -> Status:
        """How the whole service is."""
        return self.coordinator.data

    def shown(self) -> object:
        """What the state is made of: it is written only when this has changed."""
        return self.status

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._shown = (self.available, self.shown() if self.available else None)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        shown = (self.available, self.shown() if self.available else None)
        if shown != self._shown:
            self._shown = shown
            self.async_write_ha_state()


class LivecamNodeEntity(LivecamEntity):
    """Something of the service itself; available while it is connected."""


class LivecamCameraEntity(LivecamEntity):
    """Something of a camera; available while the service is connected and has the camera."""

    needs_pictures = False
    """True: unavailable while the camera delivers nothing."""

    def __init__(self, entry: LivecamConfigEntry, key: str, camera_id: str) -> None:
        """As LivecamEntity, of a camera that there is.

        Raises:
            LookupError: There is none.
        """
        super().__init__(entry, key, camera_id)
        camera = self.coordinator.camera(camera_id)
        if camera is None:
            raise LookupError(f"there is no camera {camera_id!r}")
        self._camera = camera

    @property
    def camera(self) -> Camera:
        """The camera as it is, or was when there was one: some is asked of an entity that is about to go."""
        self._camera = self.coordinator.camera(self.camera_id) or self._camera
        return self._camera

    @property
    @override
    def available(self) -> bool:
        if not super().available:
            return False
        camera = self.coordinator.camera(self.camera_id)
        return camera is not None and (camera.delivers or not self.needs_pictures)

    @override
    def shown(self) -> object:
        return self.camera


@callback
def add_for_cameras(
    entry: LivecamConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    make: Callable[[Camera], Iterable[Entity]],
) -> None:
    """Adds the entities of all cameras, and of those that come later. `make` is called once for each camera."""
    coordinator = entry.runtime_data.coordinator
    known: set[str] = set()

    @callback
    def look() -> None:
        cameras = coordinator.data.cameras
        new = [camera for camera in cameras if camera.id not in known]
        known.clear()
        known.update(camera.id for camera in cameras)
        if new:
            add(entity for camera in new for entity in make(camera))

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))


@callback
def add_for_changeable(
    hass: HomeAssistant,
    entry: LivecamConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    *,
    platform: Platform,
    key: str,
    make: Callable[[str], Entity],
) -> None:
    """Adds an entity for each camera whose quality can be changed, and removes it from those where it cannot (now)."""
    coordinator = entry.runtime_data.coordinator
    registry = er.async_get(hass)
    known: set[str] = set()

    @callback
    def look() -> None:
        cameras = coordinator.data.cameras
        now = {camera.id for camera in cameras if camera.quality.changeable}
        for camera in cameras:
            one = unique_id(entry.runtime_data.info.install_id, key, camera.id)
            if camera.id not in now and (found := registry.async_get_entity_id(platform, DOMAIN, one)):
                registry.async_remove(found)
        new = now - known
        known.clear()
        known.update(now)
        if new:
            add(make(camera_id) for camera_id in sorted(new))

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))
