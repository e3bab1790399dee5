"""Orders to the service: its refusals become Home Assistant's errors, in the service's own words."""

from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.const import CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .client import ApiError, CannotConnect, InvalidAuth, LivecamClient, Refused
from .const import DOMAIN
from .coordinator import LivecamConfigEntry


def client_for(hass: HomeAssistant, url: str, token: str, verify_ssl: bool) -> LivecamClient:
    """A client with Home Assistant's own session."""
    return LivecamClient(async_get_clientsession(hass, verify_ssl=verify_ssl), url, token, ssl=verify_ssl)


def client_of(hass: HomeAssistant, entry: LivecamConfigEntry, token: str) -> LivecamClient:
    """A client of an entry's service."""
    return client_for(hass, entry.data[CONF_URL], token, entry.data[CONF_VERIFY_SSL])


@contextmanager
def told(entry: LivecamConfigEntry) -> Iterator[None]:
    """Around what is asked of the service because somebody wants it.

    Raises:
        ServiceValidationError: What they want is not possible.
        HomeAssistantError: It could not be asked, or failed.
    """
    try:
        yield
    except Refused as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="refused", translation_placeholders={"words": error.words}
        ) from error
    except InvalidAuth as error:
        entry.async_start_reauth(entry.runtime_data.coordinator.hass)
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="invalid_auth") from error
    except CannotConnect as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="cannot_connect", translation_placeholders={"words": error.words}
        ) from error
    except ApiError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="failed", translation_placeholders={"words": error.words}
        ) from error
