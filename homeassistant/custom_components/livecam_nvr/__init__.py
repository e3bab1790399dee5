"""livecam-nvr in Home Assistant: cameras, recordings and everything that is told of them, pushed by the service."""

import logging

from homeassistant.const import CONF_TOKEN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .client import ApiError, Forbidden, InvalidAuth
from .const import API_VERSION, DOMAIN
from .coordinator import CoverageCoordinator, LivecamConfigEntry, LivecamCoordinator, LivecamRuntime
from .devices import camera_of_device, keep_devices
from .handover import give_back, take_over
from .helpers import client_of
from .repairs import forget_issues, keep_issues, tell_version
from .services import async_setup_services
from .views import async_register_views

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """What is there once, whatever entries there are."""
    del config
    async_setup_services(hass)
    async_register_views(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: LivecamConfigEntry) -> bool:
    """One service.

    Raises:
        ConfigEntryAuthFailed: The token is not valid, or not an operator's of all cameras.
        ConfigEntryError: Another service answers, or one whose API is not the one that we know.
        ConfigEntryNotReady: It does not answer.
    """
    client = client_of(hass, entry, entry.data[CONF_TOKEN])
    try:
        info = await client.info()
        tell_version(hass, entry, info)
        if info.api != API_VERSION:
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="api_version",
                translation_placeholders={"theirs": str(info.api), "ours": str(API_VERSION)},
            )
        if info.install_id != entry.unique_id:
            raise ConfigEntryError(translation_domain=DOMAIN, translation_key="wrong_service")
        info = await take_over(hass, entry, client, info)
    except InvalidAuth as error:
        raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="invalid_auth") from error
    except Forbidden as error:
        raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="not_operator") from error
    except ApiError as error:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="cannot_connect", translation_placeholders={"words": error.words}
        ) from error
    coordinator = LivecamCoordinator(hass, entry, client)
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = LivecamRuntime(client, coordinator, info, CoverageCoordinator(hass, coordinator))
    await entry.runtime_data.coverage.async_refresh()
    keep_devices(hass, entry)
    keep_issues(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_create_background_task(hass, coordinator.listen(), f"{DOMAIN} {entry.title} events")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: LivecamConfigEntry) -> bool:
    """Ends it; what listens to the service is cancelled with the entry."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: LivecamConfigEntry) -> None:
    """Gives the entities back to MQTT discovery."""
    forget_issues(hass, entry)
    try:
        await give_back(hass, entry, client_of(hass, entry, entry.data[CONF_TOKEN]))
    except ApiError as error:
        _LOGGER.warning(
            "%s could not be told that MQTT discovery carries its entities again (%s). If you want them over MQTT,"
            " add the integration once more and remove it while the service runs",
            entry.title,
            error.words,
        )


async def async_remove_config_entry_device(hass: HomeAssistant, entry: LivecamConfigEntry, device: DeviceEntry) -> bool:
    """Whether somebody may delete a device: only one that the service does not have (any more)."""
    del hass
    return camera_of_device(entry, device) is None
