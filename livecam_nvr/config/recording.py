"""The part of `config.yaml` about recordings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field, field_validator, model_validator

from livecam_nvr.config.section import Section

Days = Annotated[float, Field(gt=0, le=36_500)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class RetentionLimits(Section):
    """When footage is deleted, oldest first; what is empty sets no limit."""

    max_age_days: Days | None = None
    max_size: ByteSize | None = Field(None, ge=1)
    """All footage together is kept below this."""
    keep_free: ByteSize | None = Field(None, ge=0)
    """The oldest footage goes as soon as the disk has less free space than this."""
    event_max_age_days: Days | None = None
    """Instead of `max_age_days`, for footage of events."""


class ScheduleRule(Section):
    """A time of the week, in local time."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS
    """Those that it begins on."""
    begin: TimeOfDay = "00:00"
    end: TimeOfDay = "24:00"
    """Not later than `begin`: it ends on the day after."""


class RecordingConfig(Section):
    """The archive."""

    path: Path = Path("recordings")
    segment_seconds: int = Field(30, ge=10, le=3600)
    pre_roll_seconds: float = Field(0, ge=0, le=60)
    """How far back, from memory, a file begins that is switched on."""
    durability_seconds: float = Field(5, ge=0.5, le=300)
    """At most so much is lost in a power cut; how often the file being written is synced to disk."""
    min_free: ByteSize = Field(ByteSize(1 << 30), ge=0)
    """With less free space than this, recording pauses and says so, so that the disk never fills up."""
    warning_free: ByteSize | None = Field(None, ge=0)
    """With less free space than this there is a warning; half as much again as `min_free` if empty."""
    critical_free: ByteSize | None = Field(None, ge=0)
    """With less free space than this it is critical; a quarter more than `min_free` if empty."""
    retention: RetentionLimits = RetentionLimits()
    """Of all cameras together. `keep_free` is twice `min_free` if empty; 0 deletes nothing for want of space."""
    event_pre_roll_seconds: float = Field(5, ge=0, le=60)
    """With `record_mode: events`, so much from before an event is recorded, from memory."""
    event_post_roll_seconds: float = Field(10, ge=0, le=600)
    """And so much from after its end."""
    keep_before_seconds: float = Field(30, ge=0, le=3600)
    """The *keep that* button keeps so much from before it was pressed …"""
    keep_after_seconds: float = Field(30, ge=0, le=3600)
    """… and so much from after it."""
    archive_minutes: int = Field(0, ge=0, le=60)
    """Files of so many minutes are merged from the finished ones and take their place; 0: none."""

    @property
    def free_levels(self) -> tuple[int, int, int]:
        """Free bytes below which there is a warning, it is critical, it is full."""
        full = int(self.min_free)
        critical = full * 5 // 4 if self.critical_free is None else int(self.critical_free)
        warning = full * 3 // 2 if self.warning_free is None else int(self.warning_free)
        return warning, critical, full

    @property
    def keep_free(self) -> int:
        """Free bytes that deletion keeps up; 0: none."""
        own = self.retention.keep_free
        return 2 * int(self.min_free) if own is None else int(own)

    @field_validator("archive_minutes")
    @classmethod
    def _fits_the_hour(cls, value: int) -> int:
        if value and 60 % value:
            raise ValueError(
                "a number of minutes that an hour can be divided by is needed, such as 5, 10, 15 or 30"
            )
        return value

    @model_validator(mode="after")
    def _levels_are_in_order(self) -> "RecordingConfig":
        warning, critical, full = self.free_levels
        if not full <= critical <= warning:
            raise ValueError("min_free, critical_free and warning_free have to be in this order, smallest first")
        # A warning ends a tenth above the space that it begins below.
        if self.keep_free and self.keep_free * 10 < warning * 11:
            raise ValueError(
                "retention.keep_free has to be at least a tenth above warning_free (or 0): else there is a warning"
                " for ever"
            )
        return self
