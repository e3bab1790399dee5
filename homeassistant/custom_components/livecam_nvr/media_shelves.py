"""What there is of one camera's past, level by level. Each level asks the service only for what it shows."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta

from homeassistant.components.media_source import BrowseMediaSource
from homeassistant.util import dt as dt_util

from .client import ApiError, LivecamClient
from .media_ids import MOST_S, MediaId, Shelf
from .media_items import Footage, Items, utc
from .media_words import Words, day_range, moment, span

_LOGGER = logging.getLogger(__name__)

_HOUR_S, _PIECE_S = 3600, 600
_MOST_FILES = 200
_EVENT_DAYS = 30
"""So many newest days the events are asked for at once; months before are opened one by one. The service tells of
at most 31 days, and a day on which the clock is changed may have 25 hours."""
_MOST_EDGES = 8
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")

type _Level = tuple[str, list[BrowseMediaSource]]


class Shelves:
    """One camera's.

    Args:
        client: Asks the service.
        here: The camera, and which level of it.
        words: How things are called.
    """

    def __init__(self, client: LivecamClient, here: MediaId, words: Words) -> None:
        """See the class."""
        self._client = client
        self._here = here
        self._camera_id = here.camera_id
        self._words = words
        self._items = Items(here, words)

    async def open(self) -> _Level:
        """The title of the level, and what is in it.

        Raises:
            ApiError: The service does not tell.
            LookupError: Nothing is ever there.
            ValueError: That neither.
        """
        levels: Mapping[Shelf | None, Callable[[], Awaitable[_Level]]] = {
            None: self._all,
            Shelf.RECORDINGS: self._recordings,
            Shelf.HOUR: self._hour,
            Shelf.PIECE: self._piece,
            Shelf.EVENTS: self._events,
            Shelf.CLIPS: self._clips,
            Shelf.CLIP: self._clip,
        }
        return await levels[self._here.shelf]()

    async def find(self, text: str) -> list[BrowseMediaSource]:
        """Kept clips and events of the newest days in whose titles that text is. Raises ApiError."""
        wanted = text.casefold().strip()
        begin = day_range(self._words.today - timedelta(days=_EVENT_DAYS - 1))[0]
        clips = [item for item in (await self._clips())[1] if wanted in item.title.casefold()]
        events = [
            event
            for event in await self._client.events_of(self._camera_id, begin, dt_util.utcnow())
            if wanted in event.label.casefold() or wanted in self._words.label(event.label).casefold()
        ]
        return clips + [self._items.event(event, None) for event in reversed(events)]

    async def _all(self) -> _Level:
        """What kinds of things there are; asks nothing."""
        shelves = (Shelf.RECORDINGS, Shelf.EVENTS, Shelf.CLIPS)
        return "", [self._items.folder(self._here.at(shelf), self._words.of(shelf)) for shelf in shelves]

    async def _recordings(self) -> _Level:
        """The days with recordings, newest first; or a day's hours, newest first."""
        if not self._here.item:
            days = [self._items.day(Shelf.RECORDINGS, day) for day in await self._days()]
            return self._words.of(Shelf.RECORDINGS), days
        day = date.fromisoformat(self._here.item)
        begin, end = day_range(day)
        found = await self._client.timeline(self._camera_id, begin, end)
        hours = self._items.parts(Footage(found.spans), begin.timestamp(), end.timestamp(), _HOUR_S, Shelf.HOUR)
        return self._words.day(day), list(hours)[::-1]

    async def _hour(self) -> _Level:
        """All of an hour, then ten minutes each as time goes by; they play, and open into files."""
        begin_s, end_s = self._here.range
        found = await self._client.timeline(self._camera_id, utc(begin_s), utc(end_s))
        footage = Footage(found.spans)
        pieces = list(self._items.parts(footage, begin_s, end_s, _PIECE_S, Shelf.PIECE))
        if pieces:
            whole = self._here.between(Shelf.FILM, begin_s, end_s)
            pieces.insert(0, self._items.film(whole, self._words.of("whole_hour"), footage.within(begin_s, end_s)[1]))
        return span(begin_s, end_s), pieces

    async def _piece(self) -> _Level:
        """The files of some minutes, as they lie on the disk."""
        begin_s, end_s = self._here.range
        found = await self._client.segments(self._camera_id, utc(begin_s), utc(end_s), _MOST_FILES)
        return span(begin_s, end_s), [self._items.file(segment) for segment in found.segments]

    async def _events(self) -> _Level:
        """The newest days on which something happened, and the months before; or a month's days; or a day's events."""
        if not self._here.item:
            return self._words.of(Shelf.EVENTS), await self._event_days()
        if month := _MONTH.fullmatch(self._here.item):
            return self._here.item, await self._event_days_in(date(int(month[1]), int(month[2]), 1))
        day = date.fromisoformat(self._here.item)
        begin, end = day_range(day)
        found = await self._client.timeline(self._camera_id, begin, end)
        footage = Footage(found.spans)
        events = [self._items.event(event, footage) for event in reversed(found.events) if event.begin >= begin]
        return self._words.day(day), events

    async def _event_days(self) -> list[BrowseMediaSource]:
        first = self._words.today - timedelta(days=_EVENT_DAYS - 1)
        begin = day_range(first)[0]
        events, days = await asyncio.gather(
            self._client.events_of(self._camera_id, begin, dt_util.utcnow()), self._client.days(self._camera_id)
        )
        months = sorted({f"{one.day:%Y-%m}" for one in days if one.day < first}, reverse=True)
        return self._items.days_of(events, first) + [
            self._items.folder(self._here.at(Shelf.EVENTS, month), month) for month in months
        ]

    async def _event_days_in(self, first: date) -> list[BrowseMediaSource]:
        """Of a month, asked for in halves: see _EVENT_DAYS."""
        after = (first + timedelta(days=31)).replace(day=1)
        half = first + timedelta(days=15)
        ranges = (first, half), (half, min(after, self._words.today + timedelta(days=1)))
        found = [
            await self._client.events_of(self._camera_id, day_range(begin)[0], day_range(end)[0])
            for begin, end in ranges
            if begin < end
        ]
        # One that lasts over the middle of the month is in both.
        events = {event.id: event for some in found for event in some}
        return self._items.days_of(events.values(), first)

    async def _clips(self) -> _Level:
        """What is kept, newest first."""
        found = await self._client.clips(self._camera_id)
        return self._words.of(Shelf.CLIPS), [self._items.clip(clip) for clip in found]

    async def _clip(self) -> _Level:
        """What is too long to play at once, in days; asks nothing."""
        begin_s, end_s = self._here.range
        return span(begin_s, end_s), [
            self._items.film(self._here.between(Shelf.FILM, at, min(at + MOST_S, end_s)), moment(utc(at)), at)
            for at in range(begin_s, end_s, MOST_S)
        ]

    async def _days(self) -> list[date]:
        """Newest first, as days of Home Assistant's time zone.

        The service counts by its own. Where that is another one, there may be footage on a day before or after
        those that it names.
        """
        known = {one.day for one in await self._client.days(self._camera_id)}
        day = timedelta(days=1)
        beside = ({one - day for one in known} | {one + day for one in known}) - known
        edges = sorted((one for one in beside if one <= self._words.today), reverse=True)[:_MOST_EDGES]
        has = await asyncio.gather(*map(self._has_footage, edges))
        return sorted(known | {one for one, found in zip(edges, has, strict=True) if found}, reverse=True)

    async def _has_footage(self, day: date) -> bool:
        try:
            return bool((await self._client.segments(self._camera_id, *day_range(day), 1)).segments)
        except ApiError as error:
            _LOGGER.debug("%s: %s cannot be looked at: %s", self._camera_id, day, error.words)
            return False
