"""A camera with its real ffmpeg, and what came out of it."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, StreamStarted
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.status import CameraState
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.runtime.clock import SystemClock


class LiveCamera:
    """A pipeline that runs, with everything that came out of it."""

    def __init__(self, camera: models.Camera, target: PublishTarget | None) -> None:
        bus = EventBus()
        self.hub = MemoryHub(camera.id, keep_s=10)
        self.pipeline = CameraPipeline(
            camera, feed_for(camera), self.hub, target=target, bus=bus, clock=SystemClock()
        )
        self.states: list[CameraState] = []
        self.started: list[StreamStarted] = []
        self.fragments: list[Fragment] = []
        self.ends: list[EndCause] = []
        bus.subscribe(CameraStateChanged, lambda event: self.states.append(event.state))
        bus.subscribe(StreamStarted, self.started.append)
        self.hub.attach(self)

    def on_fragment(self, fragment: Fragment) -> None:
        """See core.ports.FragmentSink."""
        self.fragments.append(fragment)

    def on_end(self, cause: EndCause) -> None:
        """See core.ports.FragmentSink."""
        self.ends.append(cause)

    @property
    def course(self) -> list[CameraState]:
        """Its states in turn, but for DELAY: that a machine which is busy with other things adds anywhere."""
        return [state for state, _ in groupby(s for s in self.states if s is not CameraState.DELAY)]

    @property
    def fault(self) -> str:
        return self.pipeline.fault.message if self.pipeline.fault else ""

    async def until_state(self, state: CameraState) -> None:
        await until(lambda: self.pipeline.state is state, f"{state}; it is {self.states}: {self.fault}")

    async def until_fragments(self, number: int) -> list[Fragment]:
        await until(lambda: len(self.fragments) >= number, f"{number} fragments; {self.fault}")
        return self.fragments[:number]

    async def kill(self, signal_number: int) -> None:
        """Signals its ffmpeg."""
        assert self.pipeline._run is not None
        self.pipeline._run.child.send_signal(signal_number)


MakeCamera = Callable[..., LiveCamera]


def small_test_camera(**more: Any) -> models.TestCamera:
    values = {"id": "cam0", "kind": "test", "size": "640x360", "fps": 30, "bitrate_kbps": 500, **more}
    return models.TestCamera(**values)
