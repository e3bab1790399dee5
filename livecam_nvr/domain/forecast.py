"""How many days of recordings the limits and the disk allow, and when it will be full. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from livecam_nvr.domain.retention import Rules
from livecam_nvr.domain.segment import NS

DAY_S = 86_400
_DAY_NS = DAY_S * NS
_INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Holding:
    """What the archive holds of one camera."""

    camera_id: str
    files: int
    bytes: int
    kept_bytes: int = 0
    """Of these in clips, which are never deleted."""
    oldest_utc_ns: int | None = None
    newest_utc_ns: int | None = None
    """Where its newest recording ends."""
    recording_bytes_per_s: float = 0.0
    """While it is recorded, by its newest files."""
    bytes_per_day: float = 0.0
    """On an average of the last day."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the archive and its disk hold."""

    holdings: Mapping[str, Holding]
    free_bytes: int
    disk_bytes: int
    """All that the disk can hold."""
    complete: bool
    """Whether the index knows the whole archive."""

    @property
    def bytes(self) -> int:
        """Of all cameras."""
        return sum(holding.bytes for holding in self.holdings.values())

    @property
    def oldest_utc_ns(self) -> int | None:
        """When the oldest recording begins."""
        return min((h.oldest_utc_ns for h in self.holdings.values() if h.oldest_utc_ns is not None), default=None)

    @property
    def bytes_per_day(self) -> float:
        """Of all cameras."""
        return sum(holding.bytes_per_day for holding in self.holdings.values())


@dataclass(frozen=True, slots=True)
class Outlook:
    """How it goes on at the present rate."""

    days_held: Mapping[str, float | None]
    """By camera: days of recordings that its limits, those of all and the disk allow; None if not known."""
    days_until_deletion: float | None
    """Until the first ordinary recording has to go for want of room; None if that is not in sight."""
    days_until_full: float | None
    """Until recording pauses for want of space; None if deletion prevents that, or nothing is recorded."""

    @property
    def days(self) -> float | None:
        """What the camera that is held for the shortest time has."""
        return min((days for days in self.days_held.values() if days is not None), default=None)


def bytes_per_day(recorded_bytes: int, began_utc_ns: int, now_utc_ns: int) -> float:
    """The rate at which `recorded_bytes` came since `began_utc_ns`, at most scaled up from a minute."""
    return recorded_bytes * _DAY_NS / max(now_utc_ns - began_utc_ns, 60 * NS)


def outlook(inventory: Inventory, rules: Rules) -> Outlook:
    """How it goes on if every camera goes on as on the last day."""
    rates = {h.camera_id: h.bytes_per_day for h in inventory.holdings.values() if h.bytes_per_day > 0}
    if not rates:
        return Outlook(dict.fromkeys(inventory.holdings), None, None)
    own = {camera_id: _own_days(rules, camera_id, rate) for camera_id, rate in rates.items()}
    kept = sum(holding.kept_bytes for holding in inventory.holdings.values())
    room = _room(inventory, rules)
    shared = shared_days(room - kept, [(rates[camera_id], own[camera_id]) for camera_id in rates])
    days = {camera_id: min(own[camera_id], shared) for camera_id in rates}
    rate = sum(rates.values())
    in_sight = shared < _INFINITE
    until_deletion = max(0.0, (room - inventory.bytes) / rate) if in_sight else None
    return Outlook(
        {camera_id: _finite(days.get(camera_id, _INFINITE)) for camera_id in inventory.holdings},
        until_deletion,
        _until_full(inventory, rules, rates, own),
    )


def shared_days(room_bytes: float, cameras: Iterable[tuple[float, float]]) -> float:
    """So many days of all cameras fit into `room_bytes`; infinite if all that they may have fits.

    Args:
        room_bytes: For all of them.
        cameras: Of each, its bytes a day and the days that its own limits allow.
    """
    days = 0.0
    left = max(0.0, room_bytes)
    growing = sorted(cameras, key=lambda camera: camera[1])
    while growing:
        rate = sum(camera[0] for camera in growing)
        step = growing[0][1] - days
        if left <= rate * step or step == _INFINITE:
            return days + left / rate
        left -= rate * step
        days = growing.pop(0)[1]
    return _INFINITE


def _own_days(rules: Rules, camera_id: str, rate: float) -> float:
    age_ns, _ = rules.ages(camera_id)
    size = rules.own(camera_id).max_bytes
    by_age = _INFINITE if age_ns is None else age_ns / _DAY_NS
    return min(by_age, _INFINITE if size is None else size / rate)


def _room(inventory: Inventory, rules: Rules) -> float:
    """Bytes that all recordings together may take."""
    floor = rules.whole.keep_free_bytes or rules.full_bytes
    by_space = inventory.bytes + inventory.free_bytes - floor
    size = rules.whole.max_bytes
    return min(by_space, _INFINITE if size is None else size)


def _until_full(
    inventory: Inventory, rules: Rules, rates: Mapping[str, float], own: Mapping[str, float]
) -> float | None:
    if rules.whole.keep_free_bytes:
        return None
    size = rules.whole.max_bytes
    in_the_end = sum(rate * own[camera_id] for camera_id, rate in rates.items())
    if size is not None:
        in_the_end = min(in_the_end, size)
    room = inventory.free_bytes - rules.full_bytes
    if in_the_end - inventory.bytes <= room:
        return None
    return max(0.0, room / sum(rates.values()))


def _finite(days: float) -> float | None:
    return days if days < _INFINITE else None
