"""One run of a camera's ffmpeg, from spawn to reaped: its bytes become fragments in the hub."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Sequence

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment
from livecam_nvr.media import ffmpeg
from livecam_nvr.media.capture_clock import Beginning, CaptureClock
from livecam_nvr.media.diagnose import diagnose
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.progress import Progress
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.process import ChildProcess, spawn

COPYABLE = ("avc1", "avc3", "hvc1", "hev1")
_STOP_PATIENCE_S = 1.0
_REFUSED = "pipe:1': error writing header"
_MICROPHONE_LOST = re.compile(r"ALSA read error: (.+)")


class FfmpegRun:
    """Made for each run; `start` it, watch `broken` and `child`, and `stop` it in any case."""

    child: ChildProcess

    def __init__(
        self,
        hub: MemoryHub,
        clock: Clock,
        what: str,
        on_started: Callable[["FfmpegRun"], None],
        *,
        remote: bool = False,
    ) -> None:
        self.what = what
        self.capture = CaptureClock(clock, remote=remote)
        self.reader = FragmentReader(hub.numbers, self.capture.stamp, clock.monotonic)
        self.progress = Progress()
        self.last_s: float | None = None
        self.frame_s = 0.0
        self.stream_s = 0.0
        """The stream's clock at its newest frame."""
        self.cause: EndCause | None = None
        self.broken: asyncio.Future[LivecamError] = asyncio.get_running_loop().create_future()
        self._hub = hub
        self._on_started = on_started
        self._beginning = Beginning(self.capture)
        self._init: InitSegment | None = None
        self._spawned = False

    async def start(self, argv: list[str], name: str, fds: Sequence[int] = ()) -> None:
        """Spawns it; it inherits `fds` under their own numbers, and they are closed here.

        Raises:
            LivecamError: UNAVAILABLE if ffmpeg is not installed.
        """
        read_fd, write_fd = os.pipe()
        try:
            # `-progress pipe:3`: the child finds the pipe under the number it has here.
            numbered = [f"pipe:{write_fd}" if a == f"pipe:{ffmpeg.PROGRESS_FD}" else a for a in argv]
            self.child = await spawn(
                numbered, name=name, on_stdout=self._take, on_line=self._heard, pass_fds=(write_fd, *fds)
            )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            for fd in (write_fd, *fds):
                os.close(fd)
        self._spawned = True
        await self.progress.read(read_fd)

    async def stop(self) -> None:
        """Ends it and reaps it; idempotent, and harmless if it was never started."""
        if self._spawned:
            self._spawned = False
            await self.child.stop(signal.SIGTERM, _STOP_PATIENCE_S)
            self._take_rest()
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
            for fragment in self._beginning.take(self.reader.feed(chunk)):
                self._accept(fragment)
        except LivecamError as error:
            self.broken.set_result(error)

    def _take_rest(self) -> None:
        """What was held back at the beginning of a run that ended there."""
        if not self.broken.done():
            with contextlib.suppress(LivecamError):
                for fragment in self._beginning.rest():
                    self._accept(fragment)

    def _heard(self, line: str) -> None:
        """Ffmpeg does not always end when the MP4 leg refuses the stream while the other leg takes it.

        Nor when the microphone is pulled out: the pictures go on then, but whoever listens waits for its sound.
        """
        if self.broken.done():
            return
        if _REFUSED in line:
            self.broken.set_result(diagnose(self.child.last_lines, 1, self.what))
        elif found := _MICROPHONE_LOST.search(line):
            reason = f"its microphone stopped: {found[1]}"
            self.broken.set_result(LivecamError(ErrorKind.MEDIA, reason, "the pictures go on without sound"))

    def _accept(self, fragment: Fragment) -> None:
        if not fragment.frames:  # sound alone does not prove that there are pictures
            self._hub.publish(fragment)
            return
        if fragment.init is not self._init:
            self._begin(fragment.init)
        self.last_s = fragment.arrived_s
        scale = fragment.init.video.timescale
        self.frame_s, self.stream_s = fragment.duration / scale, fragment.time / scale
        self._hub.publish(fragment)

    def _begin(self, init: InitSegment) -> None:
        """The first fragment of a format is here: is it something that we can record and show?"""
        if not init.video.codec.startswith(COPYABLE):
            raise LivecamError(
                ErrorKind.MEDIA,
                f"its codec ({init.video.codec}) cannot be recorded without re-encoding",
                "set the camera to H.264 or H.265",
            )
        if self._init is not None:  # its size changed in mid-stream: files end here, and no frame is lost
            self._hub.end_run(EndCause.FORMAT)
        self._init = init
        self._on_started(self)
