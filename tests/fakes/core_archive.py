"""An archive in memory whose disk finishes and fails when told to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment, segment_path


@dataclass(eq=False)
class FakeWriter:
    """See livecam_nvr.core.ports.SegmentWriter."""

    path: str
    start: SegmentStart
    on_finished: Callable[[Segment], None]
    on_failed: Callable[[str], None]
    fragments: list[Fragment] = field(default_factory=list)
    cause: EndCause | None = None
    failed: bool = False
    settled: bool = False
    kept: int | None = None
    """How many fragments survived, once that is known."""

    def append(self, fragment: Fragment) -> None:
        assert self.cause is None, "appended to a file that was finished"
        self.fragments.append(fragment)

    def finish(self, cause: EndCause) -> None:
        assert self.cause is None, "finished twice"
        assert not self.failed, "finished after it failed"
        self.cause = cause

    @property
    def numbers(self) -> list[int]:
        return [fragment.number for fragment in self.fragments]

    def fail(self, reason: str = "No space left on device", keep: int | None = None) -> None:
        """The disk refuses; `keep` fragments are on it, and if there are any the file is finished with them."""
        self.failed = True
        self.on_failed(reason)
        self.kept = len(self.fragments) if keep is None else min(keep, len(self.fragments))
        self.settled = True
        if self.kept:
            self.on_finished(self.segment())

    def settle(self) -> None:
        """The disk has done its work."""
        if self.cause is not None and not self.settled:
            self.settled, self.kept = True, len(self.fragments)
            self.on_finished(self.segment())

    def segment(self) -> Segment:
        kept = self.fragments[: self.kept]
        start = self.start
        return Segment(
            camera_id=start.camera_id,
            path=self.path,
            start_utc_ns=start.start_utc_ns,
            duration_ns=1,
            utc_offset_s=start.utc_offset_s,
            frames=sum(f.frames for f in kept),
            bytes=sum(len(f.data) for f in kept),
            run_id=start.run_id,
            sequence=start.sequence,
            cause=self.cause or EndCause.DISK,
            codec="avc1.42c01f",
            width=640,
            height=360,
        )


class FakeArchive:
    """See livecam_nvr.core.ports.Archive."""

    def __init__(self) -> None:
        self.files: list[FakeWriter] = []

    def begin(
        self,
        start: SegmentStart,
        on_finished: Callable[[Segment], None],
        on_failed: Callable[[str], None],
    ) -> FakeWriter:
        path = str(segment_path(start.camera_id, start.start_utc_ns, start.utc_offset_s, len(self.files)))
        self.files.append(FakeWriter(path, start, on_finished, on_failed))
        return self.files[-1]

    async def flush(self) -> None:
        self.settle()

    def settle(self) -> None:
        for file in self.files:
            file.settle()
