"""Which recordings are deleted, and for which limit. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from livecam_nvr.domain.ledger import Clip

_EVENT_WEIGHT = 4.0
# What is full counts as full until there is a tenth more room.
_ROOM_AGAIN_TENTHS = 11
# Of a limit by size, room for what is being written takes at most this part.
_MOST_AHEAD = 10


class Reason(StrEnum):
    """The limit for which a recording is deleted."""

    AGE = "age"
    SIZE = "size"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one camera or for all together; None sets none."""

    max_age_ns: int | None = None
    event_max_age_ns: int | None = None
    """In place of `max_age_ns`, for recordings of events."""
    max_bytes: int | None = None
    keep_free_bytes: int = 0
    """Recordings go as soon as the disk has less free space than this."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All limits, and what belongs to an event."""

    whole: Limits = Limits()
    """For all cameras together."""
    cameras: Mapping[str, Limits] = field(default_factory=dict)
    """For the recordings of one camera, besides those for all."""
    event_before_ns: int = 0
    event_after_ns: int = 0
    full_bytes: int = 0
    """With less free space than this, recording pauses."""

    def own(self, camera_id: str) -> Limits:
        """The camera's own limits; a camera that is no longer configured has none."""
        return self.cameras.get(camera_id, Limits())

    def ages(self, camera_id: str) -> tuple[int | None, int | None]:
        """How old a camera's recordings may become: ordinary ones, and those of events.

        A camera's own age takes the place of the one for all: a person who gives one camera more days than the
        others wants it to have them.
        """
        own = self.own(camera_id)
        ordinary = self.whole.max_age_ns if own.max_age_ns is None else own.max_age_ns
        event = self.whole.event_max_age_ns if own.event_max_age_ns is None else own.event_max_age_ns
        return ordinary, ordinary if event is None else event

    def event_weight(self, camera_id: str) -> float:
        """Where size or space decide, a recording of an event counts as so many times younger than it is.

        A rate, and not "events last of all", so that years of events can never leave room for the last minutes
        of ordinary recordings only. Where both ages are set, they say how much longer an event is worth keeping.
        """
        ordinary, event = self.ages(camera_id)
        return _EVENT_WEIGHT if ordinary is None or event is None or event == ordinary else event / ordinary


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that may be deleted."""

    camera_id: str
    path: str
    begin_utc_ns: int
    end_utc_ns: int
    bytes: int
    event: bool = False


@dataclass(frozen=True, slots=True)
class Doomed:
    """A recording that is to be deleted."""

    file: Recorded
    reason: Reason


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is of one camera. Files come oldest first, without protected ones; read only as far as needed."""

    bytes: int
    """Of all its recordings, protected ones included."""
    ordinary: Iterator[Recorded]
    events: Iterator[Recorded]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be deleted, in order."""

    doomed: tuple[Doomed, ...]
    whole: bool
    """All that the limits ask for; False if there was more than the plan may hold."""
    clips: tuple[Clip, ...] = ()
    """The clips that the index knows."""
    free_bytes: int = 0
    """On the disk, when it was made."""
    complete: bool = True
    """Whether the index knew the whole archive."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A part of a plan: one camera, one limit."""

    camera_id: str
    reason: Reason
    files: int
    bytes: int
    begin_utc_ns: int
    end_utc_ns: int

    def with_file(self, file: Recorded) -> "Deletion":
        """And one more."""
        return Deletion(
            self.camera_id,
            self.reason,
            self.files + 1,
            self.bytes + file.bytes,
            min(self.begin_utc_ns, file.begin_utc_ns),
            max(self.end_utc_ns, file.end_utc_ns),
        )

    @classmethod
    def of(cls, doomed: Doomed) -> "Deletion":
        """Of one file."""
        file = doomed.file
        return cls(file.camera_id, doomed.reason, 1, file.bytes, file.begin_utc_ns, file.end_utc_ns)


def summary(doomed: Iterable[Doomed]) -> list[Deletion]:
    """The plan by camera and limit."""
    found: dict[tuple[str, Reason], Deletion] = {}
    for item in doomed:
        key = (item.file.camera_id, item.reason)
        found[key] = found[key].with_file(item.file) if key in found else Deletion.of(item)
    return [found[key] for key in sorted(found)]


def choose(
    stocks: Mapping[str, Stock],
    rules: Rules,
    *,
    now_utc_ns: int,
    free_bytes: int,
    ahead_bytes: Mapping[str, int] | None = None,
    by_age: bool = True,
) -> Iterator[Doomed]:
    """Yields what has to be deleted so that every limit holds; no file more. Read it as far as wanted.

    First what is too old. Then for size: each camera's oldest for its own limit, then the oldest of all for that
    of all. Then for space, the highest limit first. Recordings of events count as younger there
    (`Rules.event_weight`).

    Args:
        stocks: By camera.
        rules: The limits.
        now_utc_ns: The time.
        free_bytes: On the disk.
        ahead_bytes: By camera, what it will record next: room for that is made beforehand.
        by_age: False while the clock can't be trusted.
    """
    chooser = _Chooser(stocks, rules, now_utc_ns, free_bytes)
    ahead = ahead_bytes or {}
    ids = tuple(stocks)
    whole_ahead = sum(ahead.values())
    if by_age:
        for camera_id in ids:
            yield from chooser.too_old(camera_id)
    for camera_id in ids:
        yield from chooser.too_large((camera_id,), rules.own(camera_id).max_bytes, ahead.get(camera_id, 0))
    yield from chooser.too_large(ids, rules.whole.max_bytes, whole_ahead)
    # Whoever has to leave more free goes first: what that frees counts for the others.
    groups: dict[int, tuple[str, ...]] = {}
    for camera_id in ids:
        level = rules.own(camera_id).keep_free_bytes
        groups[level] = (*groups.get(level, ()), camera_id)
    wishes = [(level, group, False) for level, group in groups.items()]
    if rules.whole.keep_free_bytes:
        wishes.append((rules.whole.keep_free_bytes + whole_ahead, ids, True))
    for level, group, of_all in sorted(wishes, key=lambda wish: wish[0], reverse=True):
        yield from chooser.too_little_space(group, chooser.within_reach(level) if of_all else level)


class _Chooser:
    def __init__(self, stocks: Mapping[str, Stock], rules: Rules, now_utc_ns: int, free_bytes: int) -> None:
        self._rules = rules
        self._now_utc_ns = now_utc_ns
        self._free = free_bytes
        self._bytes = {camera_id: stock.bytes for camera_id, stock in stocks.items()}
        self._queues = {
            camera_id: _Queue(stock, now_utc_ns, rules.event_weight(camera_id))
            for camera_id, stock in stocks.items()
        }

    def too_old(self, camera_id: str) -> Iterator[Doomed]:
        queue = self._queues[camera_id]
        for files, age in zip((queue.ordinary, queue.events), self._rules.ages(camera_id), strict=True):
            while age is not None and (file := files.head) is not None:
                if file.end_utc_ns > self._now_utc_ns - age:
                    break
                yield self._doom(files, file, Reason.AGE)

    def too_large(self, ids: tuple[str, ...], limit: int | None, ahead: int) -> Iterator[Doomed]:
        if limit is None:
            return
        limit -= min(ahead, limit // _MOST_AHEAD)
        while sum(self._bytes[camera_id] for camera_id in ids) > limit:
            if (doomed := self._next(ids, Reason.SIZE)) is None:
                return
            yield doomed

    def within_reach(self, limit: int) -> int:
        """So much free space, or as much as recording needs, or none: where others fill the disk, deleting all
        there is would be for nothing.
        """
        most = self._free + sum(self._bytes.values())
        enough = self._rules.full_bytes * _ROOM_AGAIN_TENTHS // 10
        wishes = (limit, self._rules.whole.keep_free_bytes, enough)
        return next((wish for wish in wishes if most >= wish), 0)

    def too_little_space(self, ids: tuple[str, ...], limit: int) -> Iterator[Doomed]:
        while self._free < limit:
            if (doomed := self._next(ids, Reason.SPACE)) is None:
                return
            yield doomed

    def _next(self, ids: tuple[str, ...], reason: Reason) -> Doomed | None:
        """The file of some cameras that goes next; None if they have none."""
        found = [first for camera_id in ids if (first := self._queues[camera_id].first()) is not None]
        if not found:
            return None
        _, files, file = min(found, key=lambda first: first[0])
        return self._doom(files, file, reason)

    def _doom(self, files: "_Files", file: Recorded, reason: Reason) -> Doomed:
        files.drop()
        self._bytes[file.camera_id] -= file.bytes
        self._free += file.bytes
        return Doomed(file, reason)


class _Files:
    """An iterator that can be looked at before it is taken from."""

    def __init__(self, files: Iterator[Recorded]) -> None:
        self._files = files
        self._read = False
        self._head: Recorded | None = None

    @property
    def head(self) -> Recorded | None:
        if not self._read:
            self._head = next(self._files, None)
            self._read = True
        return self._head

    def drop(self) -> None:
        self._read = False


class _Queue:
    """A camera's recordings in the order in which size and space take them."""

    def __init__(self, stock: Stock, now_utc_ns: int, event_weight: float) -> None:
        self.ordinary = _Files(stock.ordinary)
        self.events = _Files(stock.events)
        self._now_utc_ns = now_utc_ns
        self._event_weight = event_weight

    def first(self) -> tuple[float, _Files, Recorded] | None:
        """What goes next, after the moment from which it counts; None if there is nothing."""
        found = [
            (self._counts_from(file), files, file)
            for files in (self.ordinary, self.events)
            if (file := files.head) is not None
        ]
        return min(found, key=lambda first: first[0], default=None)

    def _counts_from(self, file: Recorded) -> float:
        weight = self._event_weight if file.event else 1.0
        return self._now_utc_ns - (self._now_utc_ns - file.begin_utc_ns) / weight
