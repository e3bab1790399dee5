"""Fragments without video in them, and a hub that remembers and hands on."""

from collections.abc import Sequence
from typing import Any

from fakes.runtime_clock import FakeClock

from livecam_nvr.core.ports import FragmentSink, Subscription
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment, Track, TrackFragment

SCALE = 1000
VIDEO = Track(1, "video", "avc1.42c01f", SCALE, 640, 360)
SOUND = Track(2, "audio", "mp4a.40.2", 48_000)


def make_init(*tracks: Track) -> InitSegment:
    return InitSegment(b"ftypmoov", tracks or (VIDEO,))


def make_fragment(init: InitSegment | None = None, number: int = 0, **more: Any) -> Fragment:
    """A fragment of one video frame; everything can be said."""
    time, duration = more.get("time", 0), more.get("duration", 40)
    values: dict[str, Any] = {
        "init": init or make_init(),
        "data": b"x" * 100,
        "number": number,
        "keyframe": False,
        "frames": 1,
        "time": time,
        "duration": duration,
        "tracks": (TrackFragment(1, 8, 8, time, duration, 1),),
        "arrived_s": 0.0,
        "utc_ns": 0,
    }
    return Fragment(**{**values, **more})


class FakeHub:
    """See livecam_nvr.core.ports.Hub; also makes the fragments that it publishes, at the clock's time."""

    def __init__(self, clock: FakeClock, *, most: int = 60) -> None:
        self.camera_id = "cam0"
        self.viewers = 0
        self.published: list[Fragment] = []
        self.sinks: list[FragmentSink] = []
        self._clock = clock
        self._most = most
        self._ring: list[Fragment] = []
        self._init: InitSegment | None = None
        self._run = make_init()
        self._number = 0

    @property
    def ring(self) -> Sequence[Fragment]:
        return tuple(self._ring)

    @property
    def init(self) -> InitSegment | None:
        return self._init

    def subscribe(self, *, max_bytes: int = 8_000_000) -> Subscription:
        raise NotImplementedError

    async def wait_fragment(self, after_number: int = -1) -> Fragment:
        raise NotImplementedError

    def frame(self, *, keyframe: bool = False, frames: int = 1) -> Fragment | None:
        """The camera's next fragment comes now; None if it is before the run's first keyframe."""
        fragment = make_fragment(
            self._run,
            self._number,
            keyframe=keyframe,
            frames=frames,
            arrived_s=self._clock.monotonic(),
            utc_ns=self._clock.utc_ns(),
        )
        self._number += 1
        if self._init is None and not keyframe:
            return None
        self._init = self._run
        self._ring.append(fragment)
        while len(self._ring) > self._most or not self._ring[0].keyframe:
            if len(self._ring) == 1:
                self._ring.clear()
                break
            del self._ring[0]
        self.published.append(fragment)
        for sink in self.sinks:
            sink.on_fragment(fragment)
        return fragment

    def gop(self, frames: int = 3, every_s: float = 0.5) -> list[Fragment]:
        """A keyframe and what follows it, `every_s` apart; time passes."""
        made = []
        for at in range(frames):
            fragment = self.frame(keyframe=at == 0)
            assert fragment is not None
            made.append(fragment)
            self._clock.advance(every_s)
        return made

    def end_run(self, cause: EndCause = EndCause.ENCODER) -> None:
        """The camera's ffmpeg ends; what comes next is of another run."""
        self._init = None
        self._run = make_init()
        for sink in self.sinks:
            sink.on_end(cause)
