"""Days, hours, events, clips and files as things that the media browser shows: titles, pictures, and what plays."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from homeassistant.components.media_player import MediaClass, MediaType
from homeassistant.components.media_source import BrowseMediaSource
from homeassistant.util import dt as dt_util

from .client import Clip, ReportedEvent, Segment
from .const import DOMAIN
from .media_ids import MOST_S, MediaId, Shelf
from .media_words import Words, clock, day_range, joined, long, moment
from .views import thumbnail_path

_BEFORE_S, _AFTER_S = 5, 10
"""Of an event: what led to it, and what came of it. As much as the service records around one."""


class _Times(Protocol):
    @property
    def begin(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


class Footage:
    """Where there is some."""

    def __init__(self, spans: Iterable[_Times]) -> None:
        """Sorted, and apart from each other."""
        self._spans = [(span.begin.timestamp(), span.end.timestamp()) for span in spans]
        self._ends = [end for _, end in self._spans]

    def within(self, begin_s: float, end_s: float) -> tuple[float, float]:
        """How many seconds there are in a range, and when the first of them is (the begin, if there are none)."""
        found, first = 0.0, begin_s
        for at in range(bisect_right(self._ends, begin_s), len(self._spans)):
            begin, end = max(self._spans[at][0], begin_s), min(self._spans[at][1], end_s)
            if begin >= end_s:
                break
            first = first if found else begin
            found += end - begin
        return found, first


class Items:
    """Makes those of one camera."""

    def __init__(self, here: MediaId, words: Words) -> None:
        """`here` says which camera."""
        self._here = here
        self._words = words

    def folder(self, media_id: MediaId, title: str, *, opens: bool = True) -> BrowseMediaSource:
        """Something that does not play."""
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=str(media_id),
            media_class=MediaClass.DIRECTORY,
            media_content_type="",
            title=title,
            can_play=False,
            can_expand=opens,
        )

    def film(self, media_id: MediaId, title: str, at_s: float, *, opens: bool = False) -> BrowseMediaSource:
        """Something that plays. Its picture is the one at `at_s`, where something was recorded."""
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=str(media_id),
            media_class=MediaClass.VIDEO,
            media_content_type=MediaType.VIDEO,
            title=title,
            can_play=True,
            can_expand=opens,
            thumbnail=self._thumbnail(at_s),
        )

    def day(self, shelf: Shelf, day: date, *more: str) -> BrowseMediaSource:
        """A day, with its last picture."""
        # The service takes no moment that lies ahead; of today, a minute ago is soon enough.
        last = min(day_range(day)[1], dt_util.utcnow() - timedelta(minutes=1)) - timedelta(seconds=1)
        item = self.folder(self._here.at(shelf, day.isoformat()), self._words.day(day, *more))
        item.thumbnail = self._thumbnail(last.timestamp())
        return item

    def days_of(self, events: Iterable[ReportedEvent], first: date) -> list[BrowseMediaSource]:
        """The days on which they began, from `first` on, newest first, with their number."""
        counts = Counter(dt_util.as_local(event.begin).date() for event in events)
        days = sorted((day for day in counts if day >= first), reverse=True)
        return [self.day(Shelf.EVENTS, day, str(counts[day])) for day in days]

    def parts(
        self, footage: Footage, begin_s: float, end_s: float, each_s: int, shelf: Shelf
    ) -> Iterator[BrowseMediaSource]:
        """Those parts of a range in which something was recorded, as time goes by."""
        for begin in range(int(begin_s), int(end_s), each_s):
            end = min(begin + each_s, end_s)
            recorded_s, first_s = footage.within(begin, end)
            if recorded_s:
                whole = round(recorded_s) >= round(end - begin)
                title = joined(clock(utc(begin)), "" if whole else long(recorded_s))
                yield self.film(self._here.between(shelf, begin, end), title, first_s, opens=True)

    def event(self, event: ReportedEvent, footage: Footage | None) -> BrowseMediaSource:
        """An event; without footage to look at, with its day, and as if it was recorded."""
        begin_s = event.begin.timestamp()
        end_s = (event.end or dt_util.utcnow()).timestamp()
        range_s = begin_s - _BEFORE_S, min(end_s + _AFTER_S, begin_s - _BEFORE_S + MOST_S - 2)
        lasted = self._words.of("lasting") if event.end is None else long(end_s - begin_s) if end_s > begin_s else ""
        recorded_s, first_s = (1.0, begin_s) if footage is None else footage.within(*range_s)
        # Short: the frontend cuts off what is longer than some twenty letters.
        when = moment(event.begin) if footage is None else clock(event.begin)
        title = joined(f"{when} {self._words.label(event.label)}", lasted)
        media_id = self._here.between(Shelf.FILM, *range_s)
        if not recorded_s:
            return self.folder(media_id, joined(title, self._words.of("not_recorded")), opens=False)
        return self.film(media_id, title, max(first_s, begin_s))

    def clip(self, clip: Clip) -> BrowseMediaSource:
        """A clip; one that is too long to play at once opens."""
        begin_s, end_s = clip.begin.timestamp(), clip.end.timestamp()
        title = joined(clip.title, moment(clip.begin), long(end_s - begin_s))
        if end_s - begin_s < MOST_S - 1:
            return self.film(self._here.between(Shelf.FILM, begin_s, end_s), title, begin_s)
        item = self.folder(self._here.between(Shelf.CLIP, begin_s, end_s), title)
        item.thumbnail = self._thumbnail(begin_s)
        return item

    def file(self, segment: Segment) -> BrowseMediaSource:
        """A file of the archive."""
        title = joined(clock(segment.start, seconds=True), long(segment.duration_s))
        path = segment.path.removeprefix(f"{self._here.camera_id}/")
        return self.film(self._here.at(Shelf.FILE, path), title, segment.start.timestamp())

    def _thumbnail(self, at_s: float) -> str:
        # The next whole second: what begins at 9.3 s has no picture at 9.
        return thumbnail_path(self._here.entry_id, self._here.camera_id, int(at_s) + 1)


def utc(at_s: float) -> datetime:
    """Unix seconds as a moment."""
    return datetime.fromtimestamp(at_s, UTC)
