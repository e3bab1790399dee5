"""Figures, days and moments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Self, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfDataRate, UnitOfInformation, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Camera, Coverage, Status
from .const import FIGURES_EVERY_S
from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, LivecamNodeEntity, add_for_cameras

PARALLEL_UPDATES = 0

_GB = 1e9
_MB = 1e6

type _Value = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class NodeFigure(SensorEntityDescription):
    """One of the service's."""

    value: Callable[[Status], _Value]
    more: Callable[[Status], Mapping[str, Any]] | None = None
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    seldom: bool = False
    """It changes all the time, and is told now and then only."""


@dataclass(frozen=True, kw_only=True)
class CameraFigure(SensorEntityDescription):
    """One of a camera's."""

    value: Callable[[Camera], _Value]
    more: Callable[[Camera], Mapping[str, Any]] | None = None
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    needs_pictures: bool = False
    seldom: bool = False


@dataclass(frozen=True, kw_only=True)
class CoverageFigure(SensorEntityDescription):
    """One of what was recorded."""

    value: Callable[[Coverage], float | None]
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _in(unit: float, value: float | None) -> float | None:
    return None if value is None else round(value / unit, 1)


def _percent_used(status: Status) -> float | None:
    total, free = status.disk.total_bytes, status.disk.free_bytes
    return round(100 * (total - free) / total, 1) if total else None


def _archive(status: Status) -> Mapping[str, Any]:
    kept = status.retention
    if kept is None:
        return {}
    return {
        "oldest": kept.oldest.isoformat() if kept.oldest else None,
        "gb": round(kept.bytes / _GB, 1),
        "gb_per_day": round(kept.bytes_per_day / _GB, 1),
    }


def _fault(camera: Camera) -> Mapping[str, Any]:
    """What is wrong now; a fault that has healed is none."""
    fault = None if camera.delivers else camera.fault
    return {"error": fault.message if fault else "", "hint": fault.hint if fault else ""}


def _last_segment_end(camera: Camera) -> datetime | None:
    segment = camera.recording.last_segment
    return segment.start + timedelta(seconds=segment.duration_s) if segment else None


_NODE = (
    NodeFigure(
        key="disk_free",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.GIGABYTES,
        suggested_display_precision=1,
        value=lambda status: round(status.disk.free_bytes / _GB, 1),
        seldom=True,
    ),
    NodeFigure(
        key="disk_used",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.GIGABYTES,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value=lambda status: round((status.disk.total_bytes - status.disk.free_bytes) / _GB, 1),
        seldom=True,
    ),
    NodeFigure(
        key="disk_percent",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        value=_percent_used,
        seldom=True,
    ),
    NodeFigure(
        key="days_held",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=1,
        value=lambda status: _rounded(status.retention.days_held) if status.retention else None,
        more=_archive,
        seldom=True,
    ),
    NodeFigure(
        key="days_until_full",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=1,
        value=lambda status: _rounded(status.retention.days_until_full) if status.retention else None,
        seldom=True,
    ),
    NodeFigure(
        key="uptime",
        # Not the class `uptime`: the moment must be the same over MQTT, where older versions do not know that one.
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value=lambda status: status.started,
    ),
    NodeFigure(
        key="cpu",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value=lambda status: _rounded(status.process.cpu_percent),
        seldom=True,
    ),
    NodeFigure(
        key="memory",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.MEGABYTES,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value=lambda status: _in(_MB, status.process.memory_bytes),
        seldom=True,
    ),
)

_CAMERA = (
    CameraFigure(
        key="status",
        device_class=SensorDeviceClass.ENUM,
        options=["live", "delay", "error", "offline"],
        value=lambda camera: camera.state.lower(),
        more=_fault,
    ),
    CameraFigure(
        key="last_segment",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,  # one line in the device's activity for each file
        value=_last_segment_end,
        more=lambda camera: {"file": camera.recording.last_segment.path if camera.recording.last_segment else ""},
    ),
    CameraFigure(
        key="fps",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement="fps",
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value=lambda camera: _rounded(camera.fps),
        needs_pictures=True,
        seldom=True,
    ),
    CameraFigure(
        key="bitrate",
        device_class=SensorDeviceClass.DATA_RATE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
        suggested_display_precision=2,
        entity_registry_enabled_default=False,
        value=lambda camera: round(camera.bitrate_bps / _MB, 2),
        needs_pictures=True,
        seldom=True,
    ),
    CameraFigure(
        key="dropped",
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement="frames",
        entity_registry_enabled_default=False,
        value=lambda camera: camera.dropped_frames,
        seldom=True,
    ),
)

_COVERAGE = (
    CoverageFigure(
        key="coverage_hour",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value=lambda coverage: coverage.last_hour.share,
    ),
    CoverageFigure(
        key="coverage_day",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        value=lambda coverage: coverage.last_day.share,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: LivecamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Adds them."""
    del hass
    async_add_entities(NodeSensor(entry, figure) for figure in _NODE)
    add_for_cameras(
        entry,
        async_add_entities,
        lambda camera: [
            *(CameraSensor(entry, camera.id, figure) for figure in _CAMERA),
            *(CoverageSensor(entry, camera.id, figure) for figure in _COVERAGE),
        ],
    )


class _Cadence:
    """Says when a figure that changes all the time is due again, whatever somebody does to the clock meanwhile."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next_s: float | None = None

    @classmethod
    def of(cls, *, seldom: bool) -> Self:
        """That of a figure."""
        return cls(FIGURES_EVERY_S if seldom else 0.0)

    def due(self) -> bool:
        """Whether; and if so, from now on it is not for a while."""
        now_s = monotonic()
        if self._next_s is not None and now_s < self._next_s:
            return False
        self._next_s = now_s + self._every_s
        return True


class _Figure(SensorEntity):
    """A figure that is told no more often than somebody wants to read it."""

    _cadence: _Cadence

    def _now(self) -> tuple[_Value, Mapping[str, Any]]:
        """The figure as it is now, and what else is told with it."""
        raise NotImplementedError

    @callback
    def _take(self) -> None:
        # What was unknown until now is news, whatever the cadence.
        if self._cadence.due() or self._attr_native_value is None:
            self._attr_native_value, more = self._now()
            self._attr_extra_state_attributes = dict(more)

    def shown(self) -> object:
        """See LivecamEntity."""
        self._take()
        return (self._attr_native_value, self._attr_extra_state_attributes)


class NodeSensor(_Figure, LivecamNodeEntity):
    """One of the service's figures."""

    entity_description: NodeFigure

    def __init__(self, entry: LivecamConfigEntry, description: NodeFigure) -> None:
        """Of an entry."""
        self.entity_description = description
        super().__init__(entry, description.key)
        self._cadence = _Cadence.of(seldom=description.seldom)
        self._take()

    @override
    def _now(self) -> tuple[_Value, Mapping[str, Any]]:
        figure = self.entity_description
        return figure.value(self.status), figure.more(self.status) if figure.more is not None else {}


class CameraSensor(_Figure, LivecamCameraEntity):
    """One of a camera's figures."""

    entity_description: CameraFigure

    def __init__(self, entry: LivecamConfigEntry, camera_id: str, description: CameraFigure) -> None:
        """Of an entry's camera."""
        self.entity_description = description
        self.needs_pictures = description.needs_pictures
        super().__init__(entry, description.key, camera_id)
        self._cadence = _Cadence.of(seldom=description.seldom)
        self._take()

    @override
    def _now(self) -> tuple[_Value, Mapping[str, Any]]:
        figure = self.entity_description
        return figure.value(self.camera), figure.more(self.camera) if figure.more is not None else {}


class CoverageSensor(LivecamCameraEntity, SensorEntity):
    """How much of a time was recorded."""

    entity_description: CoverageFigure

    def __init__(self, entry: LivecamConfigEntry, camera_id: str, description: CoverageFigure) -> None:
        """Of an entry's camera."""
        self.entity_description = description
        super().__init__(entry, description.key, camera_id)
        self._coverage = entry.runtime_data.coverage

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._coverage.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        return super().available and self._coverage.last_update_success

    @property
    @override
    def native_value(self) -> float | None:
        found = self._coverage.data.get(self.camera_id)
        share = self.entity_description.value(found) if found is not None else None
        return None if share is None else round(100 * share, 1)

    @override
    def shown(self) -> object:
        return self.native_value
