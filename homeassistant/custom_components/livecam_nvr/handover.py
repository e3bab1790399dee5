"""Takes the entities over from MQTT discovery, and gives them back: ids, history and everything that people set stay.

An entity is carried by MQTT discovery or by this integration, never by both. The service is told who it is. Home
Assistant can hand a registry entry from one integration to another only while no entity of it is loaded, and deletes
the entries of a device that leaves their config entry; hence the order here: unload, move the entities, then the
devices. Moving is all or nothing between two awaits, so a restart in the middle just goes on.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import entity_sources

from .client import Carrier, LivecamClient, MqttNames, ServiceInfo, Unavailable
from .const import DOMAIN, MQTT_DOMAIN
from .entity import device_key, unique_id

_LOGGER = logging.getLogger(__name__)

_MQTT_ONLY = frozenset({"refused"})
"""What only MQTT discovery has: of what is published to topics."""
_UNLOADED_IN_S = 5.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class _Side:
    """How one of the two calls everything."""

    platform: str
    entry_id: str
    unique_ids: Mapping[tuple[str, str], str]
    """(camera, key) to unique id."""
    devices: Mapping[str, tuple[str, str]]
    """Camera to identifier."""


async def take_over(hass: HomeAssistant, entry: ConfigEntry, client: LivecamClient, info: ServiceInfo) -> ServiceInfo:
    """From now on this integration carries the entities. To be called before any of its entities are added.

    Raises:
        ApiError: The service cannot be told.
        ConfigEntryNotReady: Home Assistant's MQTT still holds on to the entities.
    """
    mqtt = _mqtt_side(hass, info.mqtt)
    if info.carrier is Carrier.INTEGRATION and not _entries(hass, mqtt):
        return info
    if info.carrier is Carrier.MQTT:
        info = await _tell(client, Carrier.MOVING, info)
    if mqtt is not None and info.mqtt is not None:
        await _unloaded(hass, mqtt)
        _move(hass, mqtt, _our_side(entry, info))
    return await _tell(client, Carrier.INTEGRATION, info)


async def give_back(hass: HomeAssistant, entry: ConfigEntry, client: LivecamClient) -> None:
    """From now on MQTT discovery carries the entities. To be called when ours are unloaded, before they are removed.

    Raises:
        ApiError: The service cannot be told, so that it stays silent.
    """
    info = await client.info()
    if (mqtt := _mqtt_side(hass, info.mqtt)) is not None:
        _move(hass, _our_side(entry, info), mqtt)
    await _tell(client, Carrier.MQTT, info)


async def _tell(client: LivecamClient, carrier: Carrier, before: ServiceInfo) -> ServiceInfo:
    try:
        return await client.carry(carrier)
    except Unavailable as error:
        # Without a broker nobody carries anything else; it is told as soon as it is back.
        _LOGGER.debug("The broker has not been told that the carrier is %s: %s", carrier, error.words)
        return before


def _mqtt_side(hass: HomeAssistant, names: MqttNames | None) -> _Side | None:
    """None where one of both has no MQTT."""
    entries = hass.config_entries.async_entries(MQTT_DOMAIN)
    if names is None or not entries:
        return None
    unique_ids = {(camera, key): names.unique_ids[camera][key] for camera, key in _keys(names)}
    devices = {camera: (MQTT_DOMAIN, identifier) for camera, identifier in names.devices.items()}
    return _Side(MQTT_DOMAIN, entries[0].entry_id, unique_ids, devices)


def _our_side(entry: ConfigEntry, info: ServiceInfo) -> _Side:
    """Ours of what there is over MQTT."""
    names = info.mqtt or MqttNames(connected=False, devices={}, unique_ids={})
    unique_ids = {(camera, key): unique_id(info.install_id, key, camera) for camera, key in _keys(names)}
    devices = {camera: device_key(info.install_id, camera) for camera in names.devices}
    return _Side(DOMAIN, entry.entry_id, unique_ids, devices)


def _keys(names: MqttNames) -> list[tuple[str, str]]:
    """(camera, key) of what both sides have."""
    return [(camera, key) for camera, ids in names.unique_ids.items() for key in ids if key not in _MQTT_ONLY]


@callback
def _entries(hass: HomeAssistant, side: _Side | None) -> list[er.RegistryEntry]:
    """Its entities, also disabled ones."""
    if side is None:
        return []
    ids = set(side.unique_ids.values())
    known = er.async_entries_for_config_entry(er.async_get(hass), side.entry_id)
    return [one for one in known if one.platform == side.platform and one.unique_id in ids]


async def _unloaded(hass: HomeAssistant, side: _Side) -> None:
    """Waits until none of its entities is loaded."""
    try:
        async with asyncio.timeout(_UNLOADED_IN_S):
            # Nobody tells when an entity has been forgotten by the helper that guards the move.
            while any(one.entity_id in entity_sources(hass) for one in _entries(hass, side)):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="mqtt_holds_on") from None


@callback
def _move(hass: HomeAssistant, source: _Side, target: _Side) -> None:
    """All entities first, then the devices, without letting go in between."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    keys = {one: key for key, one in source.unique_ids.items()}
    for one in _entries(hass, source):
        new = target.unique_ids[keys[one.unique_id]]
        if entities.async_get_entity_id(one.domain, target.platform, new):
            continue  # there is one already: the other goes with its device
        entities.async_update_entity_platform(
            one.entity_id, target.platform, new_config_entry_id=target.entry_id, new_unique_id=new
        )
    theirs = dr.async_entries_for_config_entry(devices, target.entry_id)
    taken = {identifier for device in theirs for identifier in device.identifiers}
    cameras = {identifier: camera for camera, identifier in source.devices.items()}
    for device in dr.async_entries_for_config_entry(devices, source.entry_id):
        for identifier in device.identifiers & cameras.keys():
            new_identifier = target.devices[cameras[identifier]]
            if new_identifier in taken:
                devices.async_remove_device(device.id)
            else:
                devices.async_update_device(
                    device.id, new_config_entry_id=target.entry_id, new_identifiers={new_identifier}
                )
