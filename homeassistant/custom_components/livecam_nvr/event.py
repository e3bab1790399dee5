"""What happens: in front of a camera, and at the service's door."""

from datetime import datetime
from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, LivecamNodeEntity, add_for_cameras
from .happenings import BEGIN, END, MOMENT, Happenings

PARALLEL_UPDATES = 0

_BREAK_IN = "break_in_attempt"


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    del hass
    async_add_entities([BreakInAttempt(entry)])
    add_for_cameras(entry, async_add_entities, lambda camera: [CameraEvent(entry, camera.id)])


class CameraEvent(LivecamCameraEntity, EventEntity):
    """What was reported to happen in front of a camera."""

    _attr_event_types = [BEGIN, END, MOMENT]

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "event", camera_id)
        self._happenings = Happenings()
        self._happenings.take(self.status.started, self.camera, dt_util.utcnow())

    @override
    def shown(self) -> object:
        return None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self.available:
            for one in self._happenings.take(self.status.started, self.camera, dt_util.utcnow()):
                about = {"label": one.label, "source": one.source, "at": one.at.isoformat(), "lasted_s": one.lasted_s}
                self._trigger_event(one.kind, about)
                self.async_write_ha_state()
        super()._handle_coordinator_update()


class BreakInAttempt(LivecamNodeEntity, EventEntity):
    """Somebody has tried so many passwords that they are slowed down."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_event_types = [_BREAK_IN]

    def __init__(self, entry: LivecamConfigEntry) -> None:
        """Of an entry."""
        super().__init__(entry, "break_in")
        self._told = self._newest()

    @override
    def shown(self) -> object:
        return None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        attempt = self.status.break_in
        if self.available and attempt is not None and attempt.at != self._told:
            self._told = attempt.at
            about = {"address": attempt.address, "user": attempt.name, "failures": attempt.failures}
            self._trigger_event(_BREAK_IN, {**about, "door": attempt.door, "at": attempt.at.isoformat()})
            self.async_write_ha_state()
        super()._handle_coordinator_update()

    def _newest(self) -> datetime | None:
        attempt = self.status.break_in
        return None if attempt is None else attempt.at
