"""Says in words and tables what the archive holds and what would be deleted. Pure."""

from datetime import datetime

from livecam_nvr.cli.tables import table
from livecam_nvr.core.retention import Forecast
from livecam_nvr.domain.forecast import DAY_S
from livecam_nvr.domain.segment import NS

_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))
_SOON_DAYS = 2
_FAR_DAYS = 3650
_LIMITS = {"age": "age", "size": "size", "space": "free space"}


def report(found: Forecast, now_utc_ns: int, path: str, *, deletions: object) -> list[str]:
    """The lines for a terminal.

    Args:
        found: What was found out.
        now_utc_ns: The time.
        path: The archive's folder.
        deletions: Whether what would be deleted is told, too.
    """
    inventory = found.inventory
    lines = [
        f"archive     {size(inventory.bytes)} of recordings in {path}",
        f"disk        {size(inventory.free_bytes)} of {size(inventory.disk_bytes)} free",
        f"rate        {size(inventory.bytes_per_day)} a day",
        f"it holds    {days(found.outlook.days)} at that rate, with these limits",
        f"full        {_full(found, now_utc_ns)}",
    ]
    if not inventory.complete:
        lines.append(
            "The index is not complete yet: there are more recordings than it knows, and none is deleted."
        )
    rows = [
        (
            holding.camera_id,
            str(holding.files),
            size(holding.bytes),
            size(holding.kept_bytes) if holding.kept_bytes else "-",
            moment(holding.oldest_utc_ns),
            size(holding.bytes_per_day),
            days(found.outlook.days_held.get(holding.camera_id)),
        )
        for _, holding in sorted(inventory.holdings.items())
    ]
    lines += ["", *table(("camera", "files", "size", "in clips", "since", "a day", "holds"), rows)]
    if deletions:
        lines += ["", *_deletions(found)]
    return lines


def _deletions(found: Forecast) -> list[str]:
    if not found.deletions:
        return ["Nothing would be deleted now."]
    rows = [
        (
            part.camera_id,
            _LIMITS[part.reason],
            str(part.files),
            size(part.bytes),
            moment(part.begin_utc_ns),
            moment(part.end_utc_ns),
        )
        for part in found.deletions
    ]
    return ["Would be deleted now:", *table(("camera", "limit", "files", "size", "from", "to"), rows)]


def _full(found: Forecast, now_utc_ns: int) -> str:
    until_full, until_deletion = found.outlook.days_until_full, found.outlook.days_until_deletion
    if until_full is not None:
        return f"{_when(now_utc_ns, until_full)}; recording pauses then: set a limit, such as keep_free"
    if until_deletion is None:
        return "never: that is not in sight"
    return f"never: {_when(now_utc_ns, until_deletion)} on, the oldest recordings make room"


def _when(now_utc_ns: int, in_days: float) -> str:
    if in_days > _FAR_DAYS:
        return "in more than ten years"
    if in_days <= 0:
        return "from now"
    date = moment(now_utc_ns + round(in_days * DAY_S * NS))
    return f"from {date} (in {days(in_days)})"


def size(count: float) -> str:
    """`12.3 GB`."""
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1000:.0f} kB"


def days(count: float | None) -> str:
    """`12.3 days`, `5.0 hours`."""
    if count is None:
        return "-"
    return f"{count:.1f} days" if count >= _SOON_DAYS else f"{count * 24:.1f} hours"


def moment(utc_ns: int | None) -> str:
    """`2026-11-21 09:30` in local time."""
    if utc_ns is None:
        return "-"
    return f"{datetime.fromtimestamp(utc_ns // NS).astimezone():%Y-%m-%d %H:%M}"
