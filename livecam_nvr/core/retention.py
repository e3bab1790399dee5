"""Retention as the rest of the service sees it: the config's limits, the ports, and what a setting would do."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from livecam_nvr.config.models import CameraBase
from livecam_nvr.config.recording import RecordingConfig, RetentionLimits
from livecam_nvr.config.schema import wanted
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.forecast import DAY_S, Inventory, Outlook, outlook
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Deletion, Limits, Plan, Recorded, Rules
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RetentionStatus

AHEAD_S = 600.0
"""Room for so much of every camera is made before it is needed."""
_MOST_FORECAST = 100_000


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What a deletion did."""

    gone: tuple[Recorded, ...]
    """Deleted, or found to be gone already; the others could not be deleted."""
    free_bytes: int


class Stocktaking(Protocol):
    """Looks at what the archive holds; changes nothing."""

    async def inventory(self, now_utc_ns: int, since_utc_ns: int | None) -> Inventory:
        """What the archive and its disk hold.

        Args:
            now_utc_ns: The time.
            since_utc_ns: The rate is that of what was recorded since; of the last day with recordings if None.

        Raises:
            LivecamError: UNAVAILABLE if there is no index, DISK if the disk can't be looked at.
        """

    async def deletions(
        self, rules: Rules, now_utc_ns: int, *, most: int | None, clips: Collection[Clip] = ()
    ) -> tuple[list[Deletion], bool]:
        """What would have to be deleted now, and whether that is all.

        Args:
            rules: The limits.
            now_utc_ns: The time.
            most: Files that are looked at, at most; None: all.
            clips: Protected besides those in the index.

        Raises:
            LivecamError: As `inventory`.
        """


class Shedding(Stocktaking, Protocol):
    """Deletes recordings, in threads."""

    async def plan(
        self,
        rules: Rules,
        now_utc_ns: int,
        *,
        by_age: bool,
        most: int,
        clips: Collection[Clip] = (),
        spare: Collection[str] = (),
    ) -> Plan:
        """What has to be deleted now, with room for what comes next.

        Args:
            rules: The limits.
            now_utc_ns: The time.
            by_age: False while the clock can't be trusted.
            most: Files at most.
            clips: Protected besides those in the index.
            spare: Paths that are left out.

        Raises:
            LivecamError: As `inventory`.
        """

    async def unlink(self, files: Sequence[Recorded]) -> Unlinked:
        """Deletes files. One that can't be deleted is logged seldom and left out of plans for a while.

        Raises:
            LivecamError: DISK if nothing can be deleted: the disk is missing or read-only.
        """

    async def settle(self) -> None:
        """Makes what was deleted durable, and then takes it out of the index."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What limits would do."""

    inventory: Inventory
    outlook: Outlook
    deletions: tuple[Deletion, ...]
    whole: bool
    """All that would be deleted; False if only the first part of it was looked at."""

    @property
    def status(self) -> RetentionStatus:
        """The short form of it."""
        return status_of(self.inventory, self.outlook)


class RetentionDesk(Protocol):
    """What other parts may ask about retention."""

    def status(self) -> RetentionStatus:
        """What the archive holds, and how long that goes on; cheap, a minute old."""

    async def forecast(
        self, changes: Mapping[str, str] | None = None, camera_id: str | None = None
    ) -> tuple[Rules, Forecast]:
        """What the limits would do now; deletes nothing.

        Args:
            changes: Limits in place of the configured ones, as the config has them (`max_age_days` …); an empty
                one sets no limit.
            camera_id: They are this camera's own; those of all if None.

        Raises:
            LivecamError: INVALID for a limit that is not right, NOT_FOUND for an unknown camera, UNAVAILABLE if
                there is no index.
        """


@dataclass(frozen=True, slots=True)
class Settings:
    """The part of the config that retention goes by."""

    recording: RecordingConfig
    cameras: Mapping[str, RetentionLimits]

    @classmethod
    def of(cls, recording: RecordingConfig, cameras: Iterable[CameraBase]) -> "Settings":
        """From the whole config's parts."""
        return cls(recording, {camera.id: camera.retention for camera in cameras})

    def changed(self, changes: Mapping[str, str], camera_id: str | None) -> "Settings":
        """With other limits; see `RetentionDesk.forecast`."""
        if camera_id is None:
            try:
                return Settings(_changed(self.recording, self.recording.retention, changes), self.cameras)
            except ValidationError as error:
                raise _mistake(error) from None
        if camera_id not in self.cameras:
            raise unknown_camera(camera_id, self.cameras)
        try:
            limits = RetentionLimits.model_validate(_values(self.cameras[camera_id], changes))
        except ValidationError as error:
            raise _mistake(error) from None
        return Settings(self.recording, {**self.cameras, camera_id: limits})

    def rules(self) -> Rules:
        """The same for the domain."""
        recording = self.recording
        return Rules(
            _limits(recording.retention, recording.keep_free),
            {camera_id: _limits(limits, int(limits.keep_free or 0)) for camera_id, limits in self.cameras.items()},
            event_before_ns=round(recording.event_pre_roll_seconds * NS),
            event_after_ns=round(recording.event_post_roll_seconds * NS),
            full_bytes=int(recording.min_free),
        )


async def forecast(
    stock: Stocktaking,
    rules: Rules,
    now_utc_ns: int,
    since_utc_ns: int | None = None,
    *,
    clips: Collection[Clip] = (),
    most: int | None = _MOST_FORECAST,
) -> Forecast:
    """What `rules` would do now; deletes nothing. Arguments and errors as those of Stocktaking."""
    inventory = await stock.inventory(now_utc_ns, since_utc_ns)
    deletions, whole = await stock.deletions(rules, now_utc_ns, most=most, clips=clips)
    return Forecast(inventory, outlook(inventory, rules), tuple(deletions), whole)


def status_of(inventory: Inventory, ahead: Outlook) -> RetentionStatus:
    """The status that everybody gets to see."""
    return RetentionStatus(
        bytes=inventory.bytes,
        oldest_utc_ns=inventory.oldest_utc_ns,
        bytes_per_day=inventory.bytes_per_day,
        days_held=ahead.days,
        days_until_full=ahead.days_until_full,
    )


def _changed(recording: RecordingConfig, limits: RetentionLimits, changes: Mapping[str, str]) -> RecordingConfig:
    # The whole section is checked again: its limits have to fit its levels of free space.
    own = {name: getattr(recording, name) for name in recording.model_fields_set}
    return RecordingConfig.model_validate({**own, "retention": _values(limits, changes)})


def _values(limits: RetentionLimits, changes: Mapping[str, str]) -> dict[str, Any]:
    own = {name: getattr(limits, name) for name in limits.model_fields_set}
    return {**own, **{name: text.strip() or None for name, text in changes.items()}}


def _mistake(error: ValidationError) -> LivecamError:
    first = error.errors()[0]
    name = next((str(part) for part in reversed(first["loc"])), "")
    field = RetentionLimits.model_fields.get(name)
    message = str(first["msg"]).removeprefix("Value error, ")
    if field is not None and first["type"] != "value_error":
        message = f"{str(first['input'])[:40]!r} is not {wanted(name, field)}"
    return LivecamError(
        ErrorKind.INVALID,
        f"{name}: {message}" if name else message,
        "limits are written as in the config: 14 for days, 200GB or 5GiB for sizes",
    )


def _limits(limits: RetentionLimits, keep_free: int) -> Limits:
    return Limits(
        max_age_ns=_days_ns(limits.max_age_days),
        event_max_age_ns=_days_ns(limits.event_max_age_days),
        max_bytes=None if limits.max_size is None else int(limits.max_size),
        keep_free_bytes=keep_free,
    )


def _days_ns(days: float | None) -> int | None:
    return None if days is None else round(days * DAY_S * NS)
