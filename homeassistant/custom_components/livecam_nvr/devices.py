"""The devices: one of the service and one of each camera, as the status names them; those of gone cameras go, too."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .client import Camera, Status
from .const import DOMAIN, MANUFACTURER
from .coordinator import LivecamConfigEntry
from .entity import device_key

_MODELS = {
    "test": "Test picture",
    "rtsp": "IP camera",
    "file": "Video file",
    "v4l2": "USB camera",
    "picamera2": "Raspberry Pi camera",
}


@callback
def keep_devices(hass: HomeAssistant, entry: LivecamConfigEntry) -> None:
    """Registers the devices, and follows names, versions and cameras from now on."""
    coordinator = entry.runtime_data.coordinator
    said: object = None

    @callback
    def look() -> None:
        nonlocal said
        status = coordinator.data
        says = (status.name, status.version, [(camera.id, camera.name, camera.kind) for camera in status.cameras])
        if says != said:
            said = says
            _register(hass, entry, status)

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))


@callback
def camera_of_device(entry: LivecamConfigEntry, device: dr.DeviceEntry) -> str | None:
    """Which camera a device is, of those there are; `""` for the service itself, None for one that is gone."""
    install_id = entry.runtime_data.info.install_id
    cameras = entry.runtime_data.coordinator.data.cameras
    for camera_id in ("", *(camera.id for camera in cameras)):
        if device_key(install_id, camera_id) in device.identifiers:
            return camera_id
    return None


def _register(hass: HomeAssistant, entry: LivecamConfigEntry, status: Status) -> None:
    registry = dr.async_get(hass)
    install_id = entry.runtime_data.info.install_id
    node = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={device_key(install_id)},
        name=status.name,
        manufacturer=MANUFACTURER,
        model="Camera service",
        sw_version=status.version,
        configuration_url=str(entry.runtime_data.client.url),
        entry_type=dr.DeviceEntryType.SERVICE,
    )
    for camera in status.cameras:
        registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={device_key(install_id, camera.id)},
            name=camera.name,
            manufacturer=MANUFACTURER,
            model=_model(camera),
            sw_version=status.version,
            configuration_url=f"{entry.runtime_data.client.url}#{camera.id}",
            via_device_id=node.id,
        )
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        ours = any(domain == DOMAIN for domain, _ in device.identifiers)
        if ours and camera_of_device(entry, device) is None:
            registry.async_remove_device(device.id)


def _model(camera: Camera) -> str:
    return _MODELS.get(camera.kind, camera.kind)
