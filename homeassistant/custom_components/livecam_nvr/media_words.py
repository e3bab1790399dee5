"""How things are called in the media source: in Home Assistant's language, and its time zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MINUTE_S, _HOUR_S = 60, 3600
_BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class Words:
    """What there is to say."""

    found: Mapping[str, str]
    today: date

    def of(self, key: str) -> str:
        """A text of the translations; the key itself if there is none."""
        return self.found.get(f"component.{DOMAIN}.common.media_{key}", key)

    def day(self, day: date, *more: str) -> str:
        """`Today 2026-11-21`, `Wed 2026-11-18`; the frontend cuts off what is longer than some twenty letters."""
        ago = (self.today - day).days
        name = {0: "today", 1: "yesterday"}.get(ago, _WEEKDAYS[day.weekday()])
        return joined(f"{self.of(name)} {day.isoformat()}", *more)

    def label(self, label: str) -> str:
        """An event's, in the local language where that is known, else as it was reported."""
        key = f"label_{label}"
        return label.capitalize() if (known := self.of(key)) == key else known


async def words_of(hass: HomeAssistant) -> Words:
    """The words of this Home Assistant."""
    found = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    return Words(found, dt_util.now().date())


def joined(*parts: str) -> str:
    """Parts of a title; empty ones are left out."""
    return _BETWEEN.join(part for part in parts if part)


def long(seconds: float) -> str:
    """`12 s`, `4 min`, `1 h 30 min`, whichever is telling."""
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{max(1, whole)} s"
    minutes = round(whole / _MINUTE_S)
    if minutes < _HOUR_S // _MINUTE_S:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def clock(at: datetime, *, seconds: bool = False) -> str:
    """`14:00`, in local time; with the zone's name on days on which the clock is changed, as some times come twice."""
    local = dt_util.as_local(at)
    text = local.strftime("%H:%M:%S" if seconds else "%H:%M")
    begin, end = day_range(local.date())
    changes = dt_util.as_local(begin).utcoffset() != dt_util.as_local(end).utcoffset()
    return f"{text} {local.tzname()}" if changes else text


def moment(at: datetime) -> str:
    """`2026-11-21 14:00:00`."""
    return f"{dt_util.as_local(at).date().isoformat()} {clock(at, seconds=True)}"


def span(begin_s: float, end_s: float) -> str:
    """`2026-11-21 14:00 – 15:00`."""
    begin, end = (dt_util.utc_from_timestamp(at) for at in (begin_s, end_s))
    return f"{dt_util.as_local(begin).date().isoformat()} {clock(begin)} – {clock(end)}"


def day_range(day: date) -> tuple[datetime, datetime]:
    """When a local day begins and ends, UTC. One on which the clock is changed has 23 or 25 hours."""
    return _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return dt_util.as_utc(dt_util.start_of_local_day(day))
