"""An ALSA microphone beside a camera: heard while it works, done without while it does not."""

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import Literal

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.probe import sound_codec
from livecam_nvr.media.sound import RATE, Audio
from livecam_nvr.media.sources import Source
from livecam_nvr.runtime.clock import Clock, SystemClock

_log = logging.getLogger(__name__)

_TRY_S = 4.0
_TRY_AGAIN_S = 30.0
_LOOK_AT_CLOCK_S = 0.5
_MOST_STEP_S = 0.02
_NS = 1_000_000_000


class Microphone:
    """One ALSA device; `join` before each run of the camera's ffmpeg, `close` at the end.

    ffmpeg stamps what it hears by the wall clock (libavdevice/alsa_dec.c), and a camera's driver its pictures by
    the monotonic clock, as a rule. Both are counted from the same moment. Only a step of the wall clock parts
    them, and then the stream has to be opened anew.

    Args:
        camera_id: For the log.
        device: As ALSA calls it: `default`, `hw:1,0`, …
        clock: The service's.
        try_again_s: Pause between attempts to hear a microphone that fails.
    """

    def __init__(
        self, camera_id: str, device: str, clock: Clock | None = None, try_again_s: float = _TRY_AGAIN_S
    ) -> None:
        self.broken: asyncio.Future[LivecamError] | None = None
        """Done when the stream should be opened anew, with why. A new one for each `join`."""
        self._camera_id = camera_id
        # hw takes only what the hardware has, often two channels or 44.1 kHz alone; plughw converts that.
        self._device = f"plug{device}" if device.startswith("hw:") else device
        self._clock = clock or SystemClock()
        self._try_again_s = try_again_s
        self._watch: asyncio.Task[None] | None = None
        self._fault = ""

    async def join(self, source: Source, clock: Literal["monotonic", "wall"]) -> Source:
        """`source` with what the microphone hears; as it is while that fails, which is logged once.

        Args:
            source: The pictures; the times of this input must be those of `clock`, absolute.
            clock: CLOCK_MONOTONIC, or CLOCK_REALTIME since 1970.
        """
        await self.close()
        self.broken = asyncio.get_running_loop().create_future()
        try:
            await self._hear()
        except LivecamError as error:
            if error.message != self._fault:
                _log.warning("%s: %s; %s", self._camera_id, error.message, error.hint)
            self._fault = error.message
            self._watch = asyncio.create_task(self._until_heard(), name=f"microphone:{self._camera_id}")
            return source
        if self._fault:
            _log.info("%s: its microphone works again", self._camera_id)
            self._fault = ""
        wall_s, monotonic_s = self._clock.utc_ns() / _NS, self._clock.monotonic()
        self._watch = asyncio.create_task(
            self._until_clock_steps(wall_s - monotonic_s), name=f"clock:{self._camera_id}"
        )
        begin_s = monotonic_s if clock == "monotonic" else wall_s
        pictures = {**source.options, "itsoffset": f"-{begin_s:.6f}", "thread_queue_size": "64"}
        heard = {**self._options(), "itsoffset": f"-{wall_s:.6f}", "thread_queue_size": "512"}
        return replace(source, options=pictures, audio=Audio("pcm_s16le", self._device, heard, absolute=True))

    async def close(self) -> None:
        """Ends waiting and watching; idempotent."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(watch, return_exceptions=True)
        if self.broken is not None and not self.broken.done():
            self.broken.cancel()

    def _options(self) -> dict[str, str | None]:
        return {"f": "alsa", "channels": "1", "sample_rate": str(RATE)}

    async def _hear(self) -> None:
        """Raises LivecamError UNAVAILABLE if nothing can be heard now."""
        what = f"the microphone {self._device}"
        try:
            await sound_codec(self._device, self._options(), what, patience_s=_TRY_S)
        except LivecamError as error:
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                f"no sound: {_reason(error.message, what)}",
                "the pictures go on without, and it is tried again; `arecord -L` lists what there is, and the"
                " service's user must be in the group audio",
            ) from error

    async def _until_heard(self) -> None:
        while True:
            await asyncio.sleep(self._try_again_s)
            try:
                await self._hear()
            except LivecamError:
                continue
            self._break("its microphone can be heard again", "the stream is opened anew with sound")
            return

    async def _until_clock_steps(self, offset_s: float) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_CLOCK_S)
            step_s = self._clock.utc_ns() / _NS - self._clock.monotonic() - offset_s
            if abs(step_s) > _MOST_STEP_S:
                self._break(
                    f"this machine's clock was set by {step_s:+.2f} s",
                    "the stream is opened anew, to keep sound and picture in step",
                )
                return

    def _break(self, message: str, hint: str) -> None:
        if self.broken is not None and not self.broken.done():
            self.broken.set_result(LivecamError(ErrorKind.MEDIA, message, hint))


def _reason(message: str, what: str) -> str:
    """The words of `diagnose`, without what it says of other devices."""
    return message if what in message else f"{what} cannot be opened: {message}"
