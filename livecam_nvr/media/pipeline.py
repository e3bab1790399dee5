"""One camera: its supervised ffmpeg, from opening the source to fragments in the hub, and the state it is in."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from typing import Any

from livecam_nvr.config.models import Camera, FileCamera, V4l2Camera
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, StreamStarted
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.status import CameraState, CameraStatus, Fault
from livecam_nvr.media import ffmpeg
from livecam_nvr.media.capture_clock import CaptureClock
from livecam_nvr.media.diagnose import diagnose
from livecam_nvr.media.figures import StreamFigures
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.parameter_sets import FormatWatch
from livecam_nvr.media.probe import video_codec
from livecam_nvr.media.progress import Progress
from livecam_nvr.media.sources import source
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.process import ChildProcess, spawn
from livecam_nvr.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)

COPYABLE = ("avc1", "avc3", "hvc1", "hev1")
_FIRST_FRAGMENT_S = 15.0  # a camera with a keyframe every 10 s is slow to begin, and is not stalled
_LATE_S = 1.0
_LOOK_EVERY_S = 0.5
_STOP_PATIENCE_S = 1.0
_REFUSED = "pipe:1': error writing header"


class CameraPipeline:
    """Keeps one camera running for ever; what it delivers is in `hub`, how it is in `state` and `fault`."""

    def __init__(
        self, camera: Camera, hub: MemoryHub, target: PublishTarget | None, bus: EventBus, clock: Clock
    ) -> None:
        self.camera = camera
        self.hub = hub
        self.figures = StreamFigures()
        self.state = CameraState.OFFLINE
        self.fault: Fault | None = None
        self._target = target
        self._bus = bus
        self._clock = clock
        self._dropped = 0
        self._run: _Run | None = None
        hub.attach(self.figures)
        self._supervisor = Supervisor(
            f"camera {camera.id}",
            self._attempt,
            clock,
            backoff=Backoff(first_s=0.3, most_s=30.0),
            on_failure=self._failed,
        )

    @property
    def restarts(self) -> int:
        """How often its ffmpeg had to be started again."""
        return self._supervisor.restarts

    @property
    def dropped_frames(self) -> int:
        """Frames that ffmpeg dropped, and those that the timestamps show to be missing."""
        return self._dropped + (self._run.progress.dropped if self._run else 0) + self.figures.missing_frames

    @property
    def pid(self) -> int | None:
        """Its ffmpeg's process id while that runs."""
        return self._run.child.pid if self._run else None

    def camera_status(self) -> CameraStatus:
        """See core.ports.CameraView."""
        now = self._clock.monotonic()
        fps, bitrate = self.figures.rates(now)
        last = self.figures.last_arrived_s
        video = self.hub.init.video if self.hub.init else None
        return CameraStatus(
            id=self.camera.id,
            name=self.camera.title,
            kind=self.camera.kind,
            state=self.state,
            codec=video.codec if video else "",
            width=video.width if video else 0,
            height=video.height if video else 0,
            fps=round(fps, 2),
            bitrate_bps=round(bitrate),
            frames=self.figures.frames,
            bytes=self.figures.bytes,
            dropped_frames=self.dropped_frames,
            restarts=self.restarts,
            last_frame_age_s=None if last is None else round(now - last, 3),
            viewers=self.hub.viewers,
            fault=self.fault,
        )

    def start(self) -> None:
        """Begins; returns at once."""
        self._supervisor.start()

    async def stop(self) -> None:
        """Ends its ffmpeg; idempotent. The last fragments are in the hub when it returns."""
        await self._supervisor.stop()

    async def _attempt(self) -> None:
        codec = await video_codec(self.camera.path) if isinstance(self.camera, FileCamera) else ""
        argv = ffmpeg.command(source(self.camera, file_codec=codec), self._target)
        run = _Run(self.hub, self._clock, _name_of(self.camera), self._stream_started)
        cause = EndCause.SERVICE
        try:
            await run.start(argv, f"ffmpeg of {self.camera.id}")
            self._run = run
            cause = EndCause.ENCODER
            await self._watch(run)
        except asyncio.CancelledError:
            cause = EndCause.SERVICE
            raise
        except LivecamError as error:
            cause = run.cause or (EndCause.CAMERA if error.kind is ErrorKind.UNAVAILABLE else EndCause.ENCODER)
            raise
        finally:
            await run.stop()
            self._dropped += run.progress.dropped
            self._run = None
            self.hub.end_run(cause)

    async def _watch(self, run: "_Run") -> None:
        """Returns never; raises when the run is over or counts as stalled."""
        began = self._clock.monotonic()
        exited = asyncio.create_task(run.child.wait(), name=f"wait:{self.camera.id}")
        try:
            while True:
                over: set[asyncio.Future[Any]] = {exited, run.broken}
                await asyncio.wait(over, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                if run.broken.done():
                    raise run.broken.result()
                if exited.done():
                    raise diagnose(run.child.last_lines, exited.result(), run.what)
                self._look(run, began)
        finally:
            exited.cancel()
            await asyncio.gather(exited, return_exceptions=True)

    def _look(self, run: "_Run", began_s: float) -> None:
        now = self._clock.monotonic()
        stall_s = self.camera.stall_seconds
        if run.last_s is None:
            if now - began_s > max(stall_s, _FIRST_FRAGMENT_S):
                raise LivecamError(
                    ErrorKind.UNAVAILABLE,
                    f"no video came within {max(stall_s, _FIRST_FRAGMENT_S):.0f} s",
                    "check that the camera sends a picture, with a keyframe at least every 10 s",
                )
            return
        silent = now - run.last_s
        if silent > stall_s:
            run.cause = EndCause.CAMERA
            raise LivecamError(
                ErrorKind.MEDIA,
                f"the camera stalled: no frame for {silent:.1f} s",
                "it is restarted; check its power and network if this comes often",
            )
        # A frame comes when the next one is taken: a camera with one frame a second is not late for that.
        late = max(silent - run.frame_s, run.capture.lag_s)
        self._set(CameraState.DELAY if late > _LATE_S else CameraState.LIVE)

    def _stream_started(self, run: "_Run") -> None:
        self._supervisor.ready()
        init = run.reader.init
        if init is not None:
            video = init.video
            self._bus.publish(StreamStarted(self.camera.id, video.codec, video.width, video.height))
        self._set(CameraState.LIVE)

    def _failed(self, error: LivecamError) -> None:
        fault = Fault(error.message, error.hint, self._clock.utc_ns())
        if self.fault is None or self.fault.message != fault.message or self.state is CameraState.LIVE:
            _log.warning("%s: %s; %s", self.camera.id, error.message, error.hint)
        self.fault = fault
        self._set(CameraState.OFFLINE if error.kind is ErrorKind.UNAVAILABLE else CameraState.ERROR)

    def _set(self, state: CameraState) -> None:
        if state is not self.state:
            _log.info("%s: %s -> %s", self.camera.id, self.state, state)
            self.state = state
            self._bus.publish(CameraStateChanged(self.camera.id, state, self.fault))


def _name_of(camera: Camera) -> str:
    """How messages call the source; an IP camera's address may hold a password and is not said."""
    match camera:
        case FileCamera():
            return str(camera.path)
        case V4l2Camera():
            return str(camera.device)
        case _:
            return "the camera"


class _Run:
    """One run of a camera's ffmpeg, from spawn to reaped."""

    child: ChildProcess

    def __init__(self, hub: MemoryHub, clock: Clock, what: str, on_started: Callable[["_Run"], None]) -> None:
        self.what = what
        self.capture = CaptureClock(clock)
        self.reader = FragmentReader(hub.numbers, self.capture.stamp)
        self.progress = Progress()
        self.last_s: float | None = None
        self.frame_s = 0.0
        self.cause: EndCause | None = None
        self.broken: asyncio.Future[LivecamError] = asyncio.get_running_loop().create_future()
        self._hub = hub
        self._on_started = on_started
        self._format = FormatWatch()
        self._started = False
        self._stopped = False

    async def start(self, argv: list[str], name: str) -> None:
        """Spawns it.

        Raises:
            LivecamError: UNAVAILABLE if ffmpeg is not installed.
        """
        read_fd, write_fd = os.pipe()
        try:
            # `-progress pipe:3`: the child finds the pipe under the number it has here.
            numbered = [f"pipe:{write_fd}" if a == f"pipe:{ffmpeg.PROGRESS_FD}" else a for a in argv]
            self.child = await spawn(
                numbered, name=name, on_stdout=self._take, on_line=self._heard, pass_fds=(write_fd,)
            )
        except BaseException:
            os.close(read_fd)
            self._stopped = True
            raise
        finally:
            os.close(write_fd)
        await self.progress.read(read_fd)

    async def stop(self) -> None:
        """Ends it and reaps it; idempotent."""
        if not self._stopped:
            self._stopped = True
            await self.child.stop(signal.SIGTERM, _STOP_PATIENCE_S)
        self.progress.close()
        if not self.broken.done():
            self.broken.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self.broken, return_exceptions=True)

    def _take(self, chunk: bytes) -> None:
        """Bytes from its stdout, on the loop."""
        if self.broken.done():
            return
        try:
            for fragment in self.reader.feed(chunk):
                self._accept(fragment)
        except LivecamError as error:
            self.broken.set_result(error)

    def _heard(self, line: str) -> None:
        """Ffmpeg does not always end when the MP4 leg refuses the stream while the other leg takes it."""
        if _REFUSED in line and not self.broken.done():
            self.broken.set_result(diagnose(self.child.last_lines, 1, self.what))

    def _accept(self, fragment: Fragment) -> None:
        if not self._started:
            self._begin()
        if fragment.keyframe and self._format.changed(fragment):
            self.cause = EndCause.FORMAT
            raise LivecamError(
                ErrorKind.MEDIA, "the camera changed its size or codec", "its stream is opened anew"
            )
        self.last_s = fragment.arrived_s
        self.frame_s = fragment.duration / fragment.init.video.timescale
        self._hub.publish(fragment)

    def _begin(self) -> None:
        """The first fragment is here: is it something that we can record and show?"""
        self._started = True
        init = self.reader.init
        if init is None or not init.video.codec.startswith(COPYABLE):
            codec = init.video.codec if init else "nothing"
            raise LivecamError(
                ErrorKind.MEDIA,
                f"its codec ({codec}) cannot be recorded without re-encoding",
                "set the camera to H.264 or H.265",
            )
        self._on_started(self)
