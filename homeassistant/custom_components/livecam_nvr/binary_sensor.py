"""What is either so or not: connected, recording, motion, problems."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .client import Camera
from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, LivecamNodeEntity, add_for_cameras
from .happenings import MOMENT, Happenings

PARALLEL_UPDATES = 0

_MOTION = "motion"
_MOMENT = timedelta(seconds=5)
"""So long something is shown that was over when it was told."""

_IDLE = {
    "switched_off": "switched off",
    "schedule": "the schedule has this time off",
    "no_event": "nothing happens",
}


@dataclass(frozen=True, kw_only=True)
class CameraFlag(BinarySensorEntityDescription):
    """One of a camera's."""

    value: Callable[[Camera], bool]
    more: Callable[[Camera], Mapping[str, Any]] | None = None


_FLAGS = (
    CameraFlag(
        key="online",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda camera: camera.delivers,
    ),
    CameraFlag(
        key="recording_active",
        device_class=BinarySensorDeviceClass.RUNNING,
        value=lambda camera: camera.recording.active,
        more=lambda camera: {"reason": _why_not(camera)},
    ),
    CameraFlag(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda camera: bool(camera.complaints),
        more=lambda camera: {
            "complaints": [{"kind": one.kind, "message": one.message, "hint": one.hint} for one in camera.complaints]
        },
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    del hass
    async_add_entities([Connected(entry), DiskProblem(entry)])
    add_for_cameras(
        entry,
        async_add_entities,
        lambda camera: [Motion(entry, camera.id), *(CameraBinarySensor(entry, camera.id, flag) for flag in _FLAGS)],
    )


class Connected(LivecamNodeEntity, BinarySensorEntity):
    """Whether the service is there; the one thing that can always be told."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, entry: LivecamConfigEntry) -> None:
        """Of an entry."""
        super().__init__(entry, "connected")

    @property
    @override
    def available(self) -> bool:
        return True

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.last_update_success

    @override
    def shown(self) -> object:
        return self.is_on


class DiskProblem(LivecamNodeEntity, BinarySensorEntity):
    """Whether something is wrong with the disk of the recordings."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, entry: LivecamConfigEntry) -> None:
        """Of an entry."""
        super().__init__(entry, "disk_problem")

    @property
    @override
    def is_on(self) -> bool:
        return self.status.disk.problem

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        disk = self.status.disk
        return {"reason": disk.reason, "hint": disk.hint, "level": disk.level, "trouble": disk.trouble}

    @override
    def shown(self) -> object:
        return (self.is_on, self.extra_state_attributes)


class CameraBinarySensor(LivecamCameraEntity, BinarySensorEntity):
    """One of a camera's flags."""

    entity_description: CameraFlag

    def __init__(self, entry: LivecamConfigEntry, camera_id: str, description: CameraFlag) -> None:
        """Of an entry's camera."""
        self.entity_description = description
        super().__init__(entry, description.key, camera_id)

    @property
    @override
    def is_on(self) -> bool:
        return self.entity_description.value(self.camera)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        more = self.entity_description.more
        return more(self.camera) if more is not None and self.available else None

    @override
    def shown(self) -> object:
        return (self.is_on, self.extra_state_attributes)


class Motion(LivecamCameraEntity, BinarySensorEntity):
    """Whether something moves, as it was reported; unknown until it was for the first time since the start."""

    _attr_device_class = BinarySensorDeviceClass.MOTION
    _attr_is_on: bool | None = None

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of an entry's camera."""
        super().__init__(entry, "motion", camera_id)
        self._happenings = Happenings()
        self._started = self.status.started
        self._moment: CALLBACK_TYPE | None = None
        """Cancels the end of a moment; None if there is none."""

    @override
    async def async_added_to_hass(self) -> None:
        last = self.camera.last_event
        if last is not None and last.label == _MOTION:
            self._attr_is_on = False  # it was looked for since the start
        self._take()
        await super().async_added_to_hass()

    @override
    async def async_will_remove_from_hass(self) -> None:
        self._end_moment()
        await super().async_will_remove_from_hass()

    @override
    def shown(self) -> object:
        return self._attr_is_on

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self.available:
            self._take()
        super()._handle_coordinator_update()

    @callback
    def _take(self) -> None:
        started, camera = self.status.started, self.camera
        if started != self._started:
            # Nobody knows whether a service that was started anew will look for motion.
            self._started, self._attr_is_on = started, None
            self._end_moment()
        found = self._happenings.take(started, camera, dt_util.utcnow())
        if any(one.kind == MOMENT and one.label == _MOTION for one in found):
            self._end_moment()
            self._moment = async_call_later(self.hass, _MOMENT, HassJob(self._over, cancel_on_shutdown=True))
        if _MOTION in camera.lasting or self._moment is not None:
            self._attr_is_on = True
        elif self._attr_is_on:
            self._attr_is_on = False

    @callback
    def _over(self, _now: datetime) -> None:
        self._moment = None
        self._handle_coordinator_update()

    @callback
    def _end_moment(self) -> None:
        if self._moment is not None:
            self._moment()
            self._moment = None


def _why_not(camera: Camera) -> str:
    """Why nothing is recorded, as far as it is known; also what failed although something is."""
    recording = camera.recording
    if recording.fault is not None:
        return recording.fault.message
    if recording.active:
        return ""
    if recording.idle is None:
        return "waiting for the camera" if recording.wanted else ""
    idle = _IDLE.get(recording.idle, recording.idle)
    return f"{idle} by {recording.idle_by}" if recording.idle_by else idle
