"""Events, clips and coverage without recordings (core.past)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from livecam_nvr.core.past import DayTotal
from livecam_nvr.domain.coverage import Coverage, Gap, Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.ledger import Clip, Event
from livecam_nvr.domain.segment import NS


@dataclass
class FakeEvents:
    """See core.past.EventDesk; takes down what was reported."""

    camera_ids: Iterable[str]
    told: list[tuple[str, ...]] = field(default_factory=list)

    def begin_event(self, camera_id: str, label: str, source: str) -> Event:
        return self._take("begin", camera_id, label, source)

    def end_event(self, camera_id: str, label: str, source: str) -> Event | None:
        return self._take("end", camera_id, label, source)

    def report_event(self, camera_id: str, label: str, source: str, *, lasted_s: float = 0.0) -> Event:
        return self._take("moment", camera_id, label, source, f"{lasted_s:g}")

    def _take(self, what: str, camera_id: str, label: str, source: str, *more: str) -> Event:
        if camera_id not in self.camera_ids:
            raise unknown_camera(camera_id, self.camera_ids)
        self.told.append((what, camera_id, label, source, *more))
        return Event("1", camera_id, label, source, 0, None)


@dataclass
class FakeClips:
    """See core.past.ClipDesk; keeps in a list."""

    camera_ids: Iterable[str]
    kept: list[Clip] = field(default_factory=list)

    def keep(
        self,
        camera_id: str,
        *,
        by: str,
        before_s: float | None = None,
        after_s: float | None = None,
        title: str = "",
    ) -> Clip:
        if camera_id not in self.camera_ids:
            raise unknown_camera(camera_id, self.camera_ids)
        begin, end = round(-NS * (before_s or 30)), round(NS * (after_s or 30))
        self.kept.append(Clip(str(len(self.kept)), camera_id, title, by, begin, end))
        return self.kept[-1]

    async def keep_range(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, *, by: str, title: str = ""
    ) -> Clip:
        self.kept.append(Clip(str(len(self.kept)), camera_id, title, by, begin_utc_ns, end_utc_ns))
        return self.kept[-1]

    async def clips(self, camera_id: str | None = None) -> list[Clip]:
        return [clip for clip in reversed(self.kept) if camera_id in (None, clip.camera_id)]

    async def release(self, clip_id: str, by: str) -> Clip:
        for clip in self.kept:
            if clip.id == clip_id:
                self.kept.remove(clip)
                return clip
        raise LivecamError(ErrorKind.NOT_FOUND, f"there is no clip {clip_id!r}", by)


@dataclass
class FakePast:
    """See core.past.Past: all was recorded but `gaps`; or there is no index."""

    gaps: tuple[Gap, ...] = ()
    has_index: bool = True

    async def coverage(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        if not self.has_index:
            raise LivecamError(ErrorKind.UNAVAILABLE, "there is no index of the recordings", "wait")
        asked = Span(begin_utc_ns, end_utc_ns)
        spans, at = [], begin_utc_ns
        gaps = [gap for gap in self.gaps if begin_utc_ns <= gap.begin_utc_ns and gap.end_utc_ns <= end_utc_ns]
        for gap in gaps:
            spans.append(Span(at, gap.begin_utc_ns))
            at = gap.end_utc_ns
        return Coverage(camera_id, asked, (*spans, Span(at, end_utc_ns)), tuple(gaps), 0)

    async def days(self, camera_id: str) -> list[DayTotal]:
        return []
