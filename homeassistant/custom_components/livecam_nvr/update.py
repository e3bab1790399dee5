"""Whether an upgrade of the service waits for its restart. Nobody asks the internet."""

from typing import override

from homeassistant.components.update import UpdateEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LivecamConfigEntry
from .entity import LivecamNodeEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds it."""
    del hass
    async_add_entities([Software(entry)])


class Software(LivecamNodeEntity, UpdateEntity):
    """The version that runs, and the one on the disk, which takes over at the next start."""

    _attr_title = "livecam-nvr"

    def __init__(self, entry: LivecamConfigEntry) -> None:
        """Of an entry."""
        super().__init__(entry, "update")

    @property
    @override
    def installed_version(self) -> str:
        return self.status.version

    @property
    @override
    def latest_version(self) -> str:
        return self.status.installed_version

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """A downgrade waits for the restart, too."""
        return latest_version != installed_version

    @override
    def shown(self) -> object:
        return (self.installed_version, self.latest_version)
