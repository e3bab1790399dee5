"""One Raspberry Pi camera's child process: started, ordered about, watched, and ended."""

import asyncio
import logging
import os
import re
import signal
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.picam.channel import ChildChannel, error_from, read_all
from livecam_nvr.media.picam.facts import Beat, CameraFacts, CaptureSettings, Recording
from livecam_nvr.media.picam.holders import holders
from livecam_nvr.media.picam.interpreter import INSTALL_HINT, python_with_picamera2
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.process import ChildProcess, enlarge, spawn

_log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("child")
_OPEN_S = 10.0
_ORDER_S = 8.0
_LOOK_EVERY_S = 0.5
_PATIENCE_S = 0.4
_CHATTER = re.compile(r"\[\d+:\d\d:\d\d\.\d+\] \[\d+\] +(DEBUG|INFO|WARN) ")
_CHECK_RIBBON = "check the ribbon at both ends with the power off; the camera is opened anew by itself"


class PicameraChild:
    """A camera in a process of its own, which can be killed when libcamera hangs. Owned by the camera's pipeline.

    `open()` once, `record()` as often as wanted, `stop()` in any case. When `failed` is done, this one is of no
    use any more: stop it and make another.
    """

    def __init__(
        self, camera_id: str, selector: int | str, tuning_file: Path | None, clock: Clock, *, stall_s: float = 5.0
    ) -> None:
        """Does nothing yet.

        Args:
            camera_id: For the log and for messages.
            selector: The camera's number in picamera2's list, its sensor's model, its id or a part of that.
            tuning_file: The sensor's tuning; a file, or the name of one that comes with libcamera.
            clock: Measures.
            stall_s: Without a sign of life, or without a frame while it records, for so long it has failed.
        """
        self.camera_id = camera_id
        self._selector = str(selector)
        self._tuning_file = tuning_file
        self._clock = clock
        self._stall_s = stall_s
        self._child: ChildProcess | None = None
        self._channel: ChildChannel | None = None
        self._opened: asyncio.Future[CameraFacts] | None = None
        self._failed: asyncio.Future[LivecamError] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopping = False
        self._heard_s = 0.0
        self._frame_s: float | None = None
        self.facts: CameraFacts | None = None
        self.beat = Beat()
        self.consumer_gone = False
        """True when nobody reads the present stream any more: its ffmpeg has died, so order a new one."""

    @property
    def failed(self) -> asyncio.Future[LivecamError]:
        """Done when the child died, froze or gave up, with why."""
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        return self._failed

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def open(self) -> CameraFacts:
        """Starts the process and opens the camera.

        Raises:
            LivecamError: UNAVAILABLE without picamera2 or if the camera does not answer; NOT_FOUND with those that
                are there; CONFLICT with the process that has it, if that can be told.
        """
        python = await python_with_picamera2()
        self._channel = ChildChannel(self._event)
        self._opened = asyncio.get_running_loop().create_future()
        argv = [python, str(CHILD), "run", str(self._channel.child_fd), self._selector]
        if self._tuning_file is not None:
            argv.append(str(self._tuning_file))
        try:
            self._child = await spawn(
                argv, name=f"picamera2 of {self.camera_id}", pass_fds=[self._channel.child_fd]
            )
            self._channel.started()
            self._heard_s = self._clock.monotonic()
            self._watcher = asyncio.create_task(self._watch(self._child), name=f"picamera2:{self.camera_id}")
            async with asyncio.timeout(_OPEN_S):
                over: set[asyncio.Future[Any]] = {self._opened, self.failed}
                await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self._fail(_silent(f"picamera2 did not open the camera within {_OPEN_S:.0f} s"))
        finally:
            if not self._opened.done():
                await self.stop()
        if not self._opened.done():
            raise await self._explained(self.failed.result())
        self.facts = self._opened.result()
        _log.info("%s: camera %d, %s, %s", self.camera_id, self.facts.number, self.facts.model, self.facts.id)
        return self.facts

    async def record(self, settings: CaptureSettings) -> Recording:
        """Sends the camera's stream, set up so, into a new pipe; the pipe before it ends.

        Where only the reader is new and the settings are those that run, the camera is not touched. If it fails
        with MEDIA, the camera is still open and may be ordered anew with other settings.

        Raises:
            LivecamError: MEDIA if the camera cannot be set up so or sends nothing; UNAVAILABLE if it is gone.
        """
        self._frame_s = None  # while it is set up, the order's own time limit counts
        read_fd, write_fd = os.pipe()
        enlarge(read_fd)
        try:
            told = await self._order({"do": "record", "settings": asdict(settings)}, write_fd)
        except BaseException:
            os.close(read_fd)
            raise
        self._frame_s = self._clock.monotonic()
        # What was said before the answer is about the stream before.
        self.beat = replace(self.beat, encoded=0, dropped=0)
        self.consumer_gone = False
        width, height = told["size"]
        recording = Recording(
            read_fd=read_fd,
            size=(width, height),
            fps=told["fps"],
            least_fps=told["least_fps"],
            format=told["format"],
            encoder=told["encoder"],
            wall_ns=told["wall_ns"],
            boot_ns=told["boot_ns"],
            warnings=tuple(told["warnings"]),
        )
        for warning in recording.warnings:
            _log.warning("%s: %s", self.camera_id, warning)
        return recording

    async def snapshot(self) -> bytes:
        """A JPEG of what the camera sees.

        Raises:
            LivecamError: As `record`.
        """
        read_fd, write_fd = os.pipe()
        with os.fdopen(read_fd, "rb", buffering=0) as pipe:
            reading = asyncio.create_task(read_all(pipe), name=f"snapshot:{self.camera_id}")
            try:
                await self._order({"do": "snapshot"}, write_fd)
                return await reading
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def stop(self) -> None:
        """Ends the process within a second, whatever it does; idempotent."""
        self._stopping = True
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        if self._channel is not None:
            self._channel.close()  # at which the child lets the camera go
        if self._child is not None:
            hopeless = self._failed is not None and self._failed.done()
            # Signal 0 only asks whether it is there: the closed socket is what asks it to end.
            await self._child.stop(signal.SIGKILL if hopeless else 0, _PATIENCE_S)

    async def _order(self, what: dict[str, Any], write_fd: int) -> dict[str, Any]:
        """Orders something and hands over `write_fd`; returns the answer."""
        try:
            if self._channel is None or self._stopping or self.failed.done():
                raise LivecamError(
                    ErrorKind.UNAVAILABLE, f"{self.camera_id} is not open", "it is opened by itself"
                )
            return await self._channel.order(what, write_fd, _ORDER_S)
        except TimeoutError:
            silent = _silent(f"picamera2 did not answer within {_ORDER_S:.0f} s")
            self._fail(silent)
            raise silent from None
        finally:
            os.close(write_fd)

    def _event(self, told: dict[str, Any]) -> None:
        now_s = self._clock.monotonic()
        self._heard_s = now_s
        match told["event"]:
            case "beat":
                beat = Beat.from_json(told)
                if beat.frames != self.beat.frames and self._frame_s is not None:
                    self._frame_s = now_s
                self.beat = beat
            case "opened" if self._opened is not None and not self._opened.done():
                self._opened.set_result(CameraFacts.from_json(told))
            case "consumer_gone":
                self.consumer_gone = True
            case "failed":
                self._fail(error_from(told))

    async def _watch(self, child: ChildProcess) -> None:
        """Ends, with `failed` done, when the child is of no use any more."""
        exited = asyncio.create_task(child.wait(), name=f"wait:{self.camera_id}")
        over: set[asyncio.Future[Any]] = {exited, self.failed}
        try:
            while not self.failed.done():
                await asyncio.wait(over, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                now_s = self._clock.monotonic()
                # While it opens the camera it does not beat yet; that has a time limit of its own.
                opening = self._opened is not None and not self._opened.done()
                if exited.done():
                    self._fail(_died(exited.result(), child.last_lines))
                elif not opening and now_s - self._heard_s > self._stall_s:
                    self._fail(_silent(f"picamera2 hangs: no sign of life for {now_s - self._heard_s:.1f} s"))
                elif self._frame_s is not None and now_s - self._frame_s > self._stall_s:
                    stalled = f"the camera sends no frames since {now_s - self._frame_s:.1f} s"
                    self._fail(LivecamError(ErrorKind.MEDIA, stalled, _CHECK_RIBBON))
        finally:
            exited.cancel()
            await asyncio.gather(exited, return_exceptions=True)

    def _fail(self, error: LivecamError) -> None:
        if not self._stopping and not self.failed.done():
            self.failed.set_result(error)
            if self._channel is not None:
                self._channel.give_up(error)

    async def _explained(self, error: LivecamError) -> LivecamError:
        if error.kind is not ErrorKind.CONFLICT:
            return error
        names = await asyncio.to_thread(holders)
        by = f" by {', '.join(names)}" if names else ""
        if any(name.startswith("this service ") for name in names):
            hint = "if two entries of `cameras` name it, take one out"
        else:
            hint = "end that process" if names else "end the other program that uses it"
        return LivecamError(ErrorKind.CONFLICT, f"{error.message}{by}", f"{hint}; it is tried again by itself")


def _silent(message: str) -> LivecamError:
    return LivecamError(ErrorKind.UNAVAILABLE, message, "its process is killed and started again")


def _died(code: int, lines: list[str]) -> LivecamError:
    # libcamera tells much that is no cause; and who is killed cannot say why: its last line is an old one.
    telling = [] if code == -signal.SIGKILL else [line for line in lines if not _CHATTER.match(line)]
    last = telling[-1] if telling else ""
    if "picamera2 cannot be used" in last:
        return LivecamError(ErrorKind.UNAVAILABLE, last, INSTALL_HINT)
    how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
    said = f": {last}" if last else ""
    return LivecamError(
        ErrorKind.UNAVAILABLE, f"the camera's process {how}{said}", "it is started again by itself"
    )
