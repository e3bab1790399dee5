"""Keeps footage from being deleted, and what happens now from being missed (core.past.ClipDesk)."""

import logging
from dataclasses import dataclass, replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.control import RecordingSwitches
from livecam_nvr.core.events import ClipChanged
from livecam_nvr.core.past import Ledger, no_such_clip
from livecam_nvr.core.ports import SegmentIndex
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Clip, Entry, EntryKind
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

MOST_S = 3600.0
"""So much before and so much after it was pressed *keep that* takes at most."""
LONGEST_S = 7 * 86_400.0
"""A clip is at most so long."""
_TITLE_LENGTH = 100
_NEWS_S = 5.0
_FAR_NS = 1 << 62


@dataclass(slots=True)
class _Running:
    """A clip whose end is still to come."""

    entry: Entry
    until_s: float


@dataclass(frozen=True, slots=True)
class _News:
    """A clip that was just put into the ledger, or taken out (None), which takes a moment until it finds that."""

    entry: Entry | None
    camera_id: str
    at_s: float


class KeptClips:
    """All cameras' clips.

    Args:
        switches: A camera of which something is kept is recorded meanwhile.
        ledger: Where clips are written down.
        index: Tells whether there is footage of a range.
        bus: ClipChanged is published there.
        clock: For their times.
        before_s: What *keep that* takes from before it was pressed, where nothing else is asked for.
        after_s: And what from after it.
    """

    def __init__(
        self,
        switches: RecordingSwitches,
        ledger: Ledger,
        index: SegmentIndex,
        *,
        bus: EventBus,
        clock: Clock,
        before_s: float,
        after_s: float,
    ) -> None:
        self._switches = switches
        self._ledger = ledger
        self._index = index
        self._bus = bus
        self._clock = clock
        self._before_s = before_s
        self._after_s = after_s
        self._running: dict[str, _Running] = {}
        self._news: dict[str, _News] = {}

    def configure(self, *, before_s: float, after_s: float) -> None:
        """What *keep that* takes from now on."""
        self._before_s, self._after_s = before_s, after_s

    def keep(
        self,
        camera_id: str,
        *,
        by: str,
        before_s: float | None = None,
        after_s: float | None = None,
        title: str = "",
    ) -> Clip:
        """See core.past.ClipDesk. Asked again while a clip of this title still grows, that goes on longer."""
        self._switches.recording(camera_id)
        before_s = _seconds(self._before_s if before_s is None else before_s)
        after_s = _seconds(self._after_s if after_s is None else after_s)
        if before_s + after_s <= 0:
            raise LivecamError(
                ErrorKind.INVALID, "the clip would be empty", "give seconds before, or after, or both"
            )
        _demand_good(title)
        now_ns, now_s = self._clock.utc_ns(), self._clock.monotonic()
        begin_ns, end_ns = now_ns - round(before_s * NS), now_ns + round(after_s * NS)
        entry = Entry(camera_id, EntryKind.CLIP, begin_ns, end_ns, {"title": title, "by": by})
        running = self._running.get(camera_id)
        if running is not None and now_s < running.until_s and running.entry.data["title"] == title:
            earlier = running.entry
            begin_ns, end_ns = min(begin_ns, earlier.begin_utc_ns), max(end_ns, earlier.end_utc_ns or 0)
            if end_ns - begin_ns <= 2 * MOST_S * NS:
                entry = replace(earlier, begin_utc_ns=begin_ns, end_utc_ns=end_ns)
        self._running[camera_id] = _Running(entry, now_s + after_s)
        clip = self._put(entry)
        _log.info("%s: a clip is kept by %s", camera_id, by)
        self._switches.keep(camera_id, before_s, after_s)
        return clip

    async def keep_range(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, *, by: str, title: str = ""
    ) -> Clip:
        """See core.past.ClipDesk."""
        recording = self._switches.recording(camera_id)
        _demand_good(title)
        end_utc_ns = min(end_utc_ns, self._clock.utc_ns())
        if begin_utc_ns >= end_utc_ns:
            raise LivecamError(
                ErrorKind.INVALID,
                "the range ends before it begins, or lies in the future",
                "the earlier moment comes first, and only what was recorded can be kept",
            )
        if end_utc_ns - begin_utc_ns > LONGEST_S * NS:
            raise LivecamError(
                ErrorKind.INVALID, "the range is too long", f"a clip is at most {LONGEST_S / 86_400:g} days long"
            )
        growing = recording.since_utc_ns  # the file being written is not in the index yet
        if (growing is None or growing >= end_utc_ns) and not await self._index.between(
            camera_id, begin_utc_ns, end_utc_ns, 1
        ):
            raise LivecamError(
                ErrorKind.NOT_FOUND,
                f"nothing of {camera_id} was recorded in that time",
                "the timeline shows what there is",
            )
        data = {"title": title, "by": by}
        return self._put(Entry(camera_id, EntryKind.CLIP, begin_utc_ns, end_utc_ns, data))

    async def clips(self, camera_id: str | None = None) -> list[Clip]:
        """See core.past.ClipDesk. Raises LivecamError NOT_FOUND for an unknown camera, too."""
        if camera_id is None:
            # Also those of cameras that are no longer in the config: they go on protecting what they keep.
            entries = await self._ledger.all_of(EntryKind.CLIP)
        else:
            self._switches.recording(camera_id)
            entries = await self._ledger.find(camera_id, {EntryKind.CLIP}, 0, _FAR_NS)
        found: dict[str, Entry | None] = {entry.id: entry for entry in entries}
        found |= {key: new.entry for key, new in self._fresh().items() if camera_id in (None, new.camera_id)}
        kept = [clip_of(entry) for entry in found.values() if entry is not None]
        return sorted(kept, key=lambda clip: (clip.begin_utc_ns, clip.id), reverse=True)

    async def release(self, clip_id: str, by: str) -> Clip:
        """See core.past.ClipDesk. A recording that began for its sake goes on to the clip's end."""
        news = self._fresh().get(clip_id)
        entry = await self._ledger.get(clip_id) if news is None else news.entry
        if entry is None or entry.kind is not EntryKind.CLIP:
            raise no_such_clip()
        for camera_id, running in list(self._running.items()):
            if running.entry.id == clip_id:
                del self._running[camera_id]
        self._ledger.remove(entry)
        clip = clip_of(entry)
        self._news[clip_id] = _News(None, clip.camera_id, self._clock.monotonic())
        _log.info("%s: the clip %s is given up by %s", clip.camera_id, clip_id, by)
        self._bus.publish(ClipChanged(clip, removed=True))
        return clip

    def _put(self, entry: Entry) -> Clip:
        self._fresh()[entry.id] = _News(entry, entry.camera_id, self._clock.monotonic())
        self._ledger.put(entry)
        clip = clip_of(entry)
        self._bus.publish(ClipChanged(clip))
        return clip

    def _fresh(self) -> dict[str, _News]:
        """The news, without the old ones."""
        since_s = self._clock.monotonic() - _NEWS_S
        self._news = {key: new for key, new in self._news.items() if new.at_s > since_s}
        return self._news


def clip_of(entry: Entry) -> Clip:
    """A CLIP entry as a value."""
    return Clip(
        entry.id,
        entry.camera_id,
        str(entry.data.get("title", "")),
        str(entry.data.get("by", "")),
        entry.begin_utc_ns,
        entry.begin_utc_ns if entry.end_utc_ns is None else entry.end_utc_ns,
    )


def _seconds(value: float) -> float:
    if 0 <= value <= MOST_S:
        return value
    raise LivecamError(
        ErrorKind.INVALID, "that many seconds cannot be kept", f"0 to {MOST_S:g} seconds before, and as many after"
    )


def _demand_good(title: str) -> None:
    if len(title) > _TITLE_LENGTH or not title.isprintable():
        raise LivecamError(
            ErrorKind.INVALID,
            "the title is not right",
            f"at most {_TITLE_LENGTH} printable characters",
        )
