"""One camera: its supervised ffmpeg, from opening the source to fragments in the hub, and the state it is in."""

import asyncio
import logging
from typing import Any

from livecam_nvr.config.models import Camera, FileCamera, RtspCamera, V4l2Camera
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, ComplaintsChanged, QualityChanged, StreamStarted
from livecam_nvr.core.ports import PublishTarget, QualityMemory
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.quality import Quality, QualityStatus
from livecam_nvr.domain.status import CameraState, CameraStatus, Complaint, Fault
from livecam_nvr.media import ffmpeg
from livecam_nvr.media.diagnose import diagnose
from livecam_nvr.media.encoding import X264, Encoder
from livecam_nvr.media.feeds import Feed
from livecam_nvr.media.figures import StreamFigures
from livecam_nvr.media.health import CameraHealth, PaceMark
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.picture_check import PictureCheck
from livecam_nvr.media.quality import TRIAL_S, QualityDesk
from livecam_nvr.media.run import FfmpegRun
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)

_FIRST_FRAGMENT_S = 15.0  # a camera with a keyframe every 10 s is slow to begin, and is not stalled
_LATE_S = 1.0
_EXPLAINED_S = 1.0
_AWAY = {ErrorKind.UNAVAILABLE, ErrorKind.NOT_FOUND, ErrorKind.CONFLICT}  # not there, or in another's hands
_LOOK_EVERY_S = 0.5
_PAUSE_S = 1.5


class CameraPipeline:
    """Keeps one camera running for ever; what it delivers is in `hub`, how it is in `state` and `fault`.

    Args:
        camera: As configured.
        feed: What stands in front of its ffmpeg.
        hub: Takes its stream.
        target: The media server; None: the hub alone.
        bus: Events about it are published there.
        clock: The service's.
        encoder: What encodes it where that is needed.
        memory: Remembers a changed quality.
        quality: What was remembered; None: as configured.
        before: The pipeline in whose place it comes: its figures go on.
    """

    def __init__(
        self,
        camera: Camera,
        feed: Feed,
        hub: MemoryHub,
        *,
        target: PublishTarget | None,
        bus: EventBus,
        clock: Clock,
        encoder: Encoder = X264,
        memory: QualityMemory | None = None,
        quality: Quality | None = None,
        before: "CameraPipeline | None" = None,
    ) -> None:
        self.camera = camera
        self.hub = hub
        self.figures: StreamFigures = before.figures if before else StreamFigures()
        self.state = CameraState.OFFLINE
        self.fault: Fault | None = None
        self.off = False
        """Stopped by somebody, and not to be started before they say so."""
        self.halted = False
        """`stop` was called: another pipeline is needed to open the camera again."""
        self._end = EndCause.SERVICE
        self._feed = feed
        self._target = target
        self._bus = bus
        self._clock = clock
        self._encoder = encoder
        self._encodes = False
        self._restarted = before.restarts if before else 0
        self._dropped = before.dropped_frames - before.figures.missing_frames if before else 0
        self._run: FfmpegRun | None = None
        self._opened_for: Quality | None = None
        """What the newest run was opened with: a change may be asked for while that run is ending."""
        self._reopen = asyncio.Event()
        self._complained: set[str] = set()
        self._waiting: asyncio.Task[None] | None = None
        self._quality = QualityDesk(camera, quality, memory, self._quality_changed)
        hub.attach(self.figures)
        self._health = CameraHealth(clock, self._complaints_changed)
        self._check = PictureCheck(hub, self._health, clock) if camera.picture_check else None
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
        return self._restarted + self._supervisor.restarts

    @property
    def failures(self) -> int:
        """How often it has failed since `start`."""
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
        init = self.hub.init
        video = init.video if init else None
        camera = self.camera
        return CameraStatus(
            id=camera.id,
            name=camera.title,
            kind=camera.kind,
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
            latency_s=round(self._run.capture.lag_s, 3) if self._run and init else None,
            audio_codec=next((track.codec for track in init.tracks if track.kind == "audio"), "") if init else "",
            encoder=self._encoder.name if self._encodes else self._feed.encoder,
            phase_ms=self._feed.phase_ms,
            quality=self._quality.status,
            sub_stream=camera.sub_id if isinstance(camera, RtspCamera) and camera.sub_url else "",
            complaints=self._health.complaints,
            fault=self.fault,
            enabled=not self.off,
        )

    def start(self) -> None:
        """Begins; returns at once."""
        self._supervisor.start()
        if self._check is not None:
            self._check.start()

    async def stop(self, cause: EndCause = EndCause.SERVICE) -> None:
        """Ends its ffmpeg; idempotent. The last fragments are in the hub when it returns, and it is not started
        again: another pipeline may take its place.
        """
        self._end = cause
        self.halted = True
        self._quality.stop()
        await self._supervisor.stop()
        await self._stop_waiting()
        if self._check is not None:
            await self._check.stop()
        await self._feed.close()
        self.hub.detach(self.figures)
        if cause is not EndCause.SERVICE:
            self._health.clear()
            self._set(CameraState.OFFLINE)

    def say_off(self, fault: Fault) -> None:
        """It was stopped by somebody: that is what its state tells."""
        self.off, self.fault = True, fault
        if self.state is CameraState.OFFLINE:  # it may have been away before: that it is off now is news, too
            self._bus.publish(CameraStateChanged(self.camera.id, self.state, fault))
        self._set(CameraState.OFFLINE)

    async def set_quality(self, height: int | None, fps: float | None) -> QualityStatus:
        """See core.ports.CameraControl."""
        if self._run is None or self.hub.init is None:
            self._quality.refuse_if_fixed_or_busy()
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                f"{self.camera.id} does not run now, so a new quality could not be tried",
                "ask again when the camera is back",
            )
        trial = self._quality.propose(height, fps)
        if trial is not None:
            self._reopen.set()
            await asyncio.shield(trial)
        return self._quality.status

    def restart(self) -> None:
        """See core.ports.CameraControl."""
        if self._run is not None:
            self._reopen.set()
        else:
            self._supervisor.hurry()

    @property
    def quality(self) -> QualityStatus:
        """What was asked for, and what can be."""
        return self._quality.status

    async def _attempt(self) -> None:
        await self._stop_waiting()
        while True:
            self._reopen.clear()
            try:
                await self._once()
            except LivecamError as error:
                newer = self._quality.asked != self._opened_for  # it was not this run's, and is still to be tried
                if not newer and not self._quality.failed(error):
                    raise

    async def _once(self) -> None:
        """One run. Returns when it has to be opened anew at once, raises when it failed."""
        run = FfmpegRun(
            self.hub,
            self._clock,
            _name_of(self.camera),
            self._stream_started,
            remote=isinstance(self.camera, RtspCamera),
        )
        cause = EndCause.SERVICE
        try:
            self._opened_for = self._quality.asked
            source = await self._feed.open(self._opened_for)
            self._encodes = source.encoding is not None
            argv = ffmpeg.command(source, self._target, self._encoder)
            await run.start(argv, f"ffmpeg of {self.camera.id}", source.fds)
            self._run = run
            cause = EndCause.ENCODER
            await self._watch(run)
            cause = EndCause.RECONFIGURED
        except asyncio.CancelledError:
            cause = self._end
            raise
        except LivecamError as error:
            cause = run.cause or (EndCause.CAMERA if error.kind in _AWAY else EndCause.ENCODER)
            raise
        finally:
            await run.stop()
            self._dropped += run.progress.dropped
            self._run = None
            self._health.ended()
            self.hub.end_run(cause)

    async def _watch(self, run: FfmpegRun) -> None:
        """Returns when the camera is to be opened anew; raises when the run is over or counts as stalled."""
        looked_s = since_s = self._clock.monotonic()
        exited = asyncio.create_task(run.child.wait(), name=f"wait:{self.camera.id}")
        asked = asyncio.create_task(self._reopen.wait(), name=f"reopen:{self.camera.id}")
        over: set[asyncio.Future[Any]] = {exited, asked, run.broken}
        broken = self._feed.broken
        if broken is not None:
            over.add(broken)
        try:
            while True:
                await asyncio.wait(over, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                if broken is not None and broken.done():
                    raise broken.result()
                try:
                    if run.broken.done():
                        raise run.broken.result()
                    if exited.done():
                        raise diagnose(run.child.last_lines, exited.result(), run.what)
                    if asked.done():
                        return
                    # After a pause of this machine nobody can know yet that the camera is silent.
                    before_s, looked_s = looked_s, self._clock.monotonic()
                    since_s = looked_s if looked_s - before_s > _PAUSE_S else since_s
                    self._look(run, since_s)
                except LivecamError:
                    # What stands in front of ffmpeg tells a moment later, and knows better why nothing comes.
                    if broken is not None:
                        await asyncio.wait({broken}, timeout=_EXPLAINED_S)
                        if broken.done():
                            raise broken.result() from None
                    raise
        finally:
            exited.cancel()
            asked.cancel()
            await asyncio.gather(exited, asked, return_exceptions=True)

    def _look(self, run: FfmpegRun, since_s: float) -> None:
        """Judges a run that was looked at all the time `since_s`."""
        now = self._clock.monotonic()
        stall_s = self.camera.stall_seconds
        if run.last_s is None:
            patience_s = TRIAL_S if self._quality.on_trial else max(stall_s, _FIRST_FRAGMENT_S)
            if now - since_s > patience_s:
                raise LivecamError(
                    ErrorKind.UNAVAILABLE,
                    f"no video came within {patience_s:.0f} s",
                    "check that the camera sends a picture, with a keyframe at least every 10 s",
                )
            return
        silent = now - run.last_s
        if now - max(run.last_s, since_s) > stall_s:
            run.cause = EndCause.CAMERA
            raise LivecamError(
                ErrorKind.MEDIA,
                f"the camera stalled: no frame for {silent:.1f} s",
                "it is restarted; check its power and network if this comes often",
            )
        asked = self._quality.asked
        progress = PaceMark(run.last_s, run.stream_s, self.figures.frames)
        self._health.look(progress, asked.fps if asked else None)
        # A frame comes when the next one is taken: a camera with one frame a second is not late for that.
        late = max(silent - run.frame_s, run.capture.lag_s)
        self._set(CameraState.DELAY if late > _LATE_S else CameraState.LIVE)

    def _stream_started(self, run: FfmpegRun) -> None:
        self._supervisor.ready()
        init = run.reader.init
        if init is not None:
            video = init.video
            self._bus.publish(StreamStarted(self.camera.id, video.codec, video.width, video.height))
        last = self.figures.last_arrived_s
        self._quality.proved(None if last is None else round(self._clock.monotonic() - last, 3))
        self._health.began()
        self._set(CameraState.LIVE)

    def _failed(self, error: LivecamError) -> None:
        fault = Fault(error.message, error.hint, self._clock.utc_ns())
        is_other = self.fault is None or self.fault.message != fault.message
        if is_other or self.state is CameraState.LIVE:
            _log.warning("%s: %s; %s", self.camera.id, error.message, error.hint)
        self.fault = fault
        self._health.failed(error)
        state = CameraState.OFFLINE if error.kind in _AWAY else CameraState.ERROR
        if is_other and state is self.state:  # a camera that was away from the very start is news, too
            self._bus.publish(CameraStateChanged(self.camera.id, state, fault))
        self._set(state)
        self._waiting = asyncio.create_task(self._hurry_when_back(), name=f"returns:{self.camera.id}")

    async def _hurry_when_back(self) -> None:
        await self._feed.returns()
        self._supervisor.hurry()

    async def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def _quality_changed(self, status: QualityStatus) -> None:
        self._bus.publish(QualityChanged(self.camera.id, status))

    def _complaints_changed(self, complaints: tuple[Complaint, ...]) -> None:
        for complaint in complaints:
            if complaint.kind not in self._complained:
                _log.warning("%s: %s; %s", self.camera.id, complaint.message, complaint.hint)
        self._complained = {complaint.kind for complaint in complaints}
        self._bus.publish(ComplaintsChanged(self.camera.id, complaints))

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
