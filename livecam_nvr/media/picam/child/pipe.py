"""Where the encoder's frames go: a Matroska stream into a pipe, with the sensor's times, never waiting."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from picamera2.outputs import Output  # type: ignore[import-not-found] # the system's Python has it

from . import matroska

if TYPE_CHECKING:
    from collections.abc import Callable

_F_SETPIPE_SZ = 1031  # Linux fcntl(2); Python has the name since 3.10
_PIPE_BYTES = 1 << 20
# Less is no sleep, but the time between looking at one clock and at the other.
_SLEPT_NS = 1_000_000


class FirstFrame:
    """When the first frame was taken, on both clocks: what other streams are aligned with."""

    def __init__(self, sensor_ns: int) -> None:
        monotonic_ns, boot_ns = time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall_ns = time.time_ns()
        slept_ns = boot_ns - monotonic_ns
        # libcamera says that sensors' times are CLOCK_BOOTTIME; drivers that take V4L2's own have CLOCK_MONOTONIC,
        # which stands still while the machine sleeps. A frame from the future tells which it is.
        if slept_ns < _SLEPT_NS or sensor_ns > monotonic_ns:
            self.boot_ns = sensor_ns
        else:
            self.boot_ns = sensor_ns + slept_ns
        self.wall_ns = self.boot_ns + wall_ns - boot_ns


class PipeOutput(Output):  # type: ignore[misc] # picamera2 has no types
    """Writes what the reader takes. A reader who is slow misses frames up to a keyframe; a dead one is told once.

    The times in the stream are microseconds of CLOCK_REALTIME as it stood at the first frame; from there on they
    follow the sensor's clock alone.
    """

    def __init__(
        self,
        fd: int,
        encoder: Any,
        size: tuple[int, int],
        fps: float,
        *,
        on_frame: Callable[[int], None],
        on_gone: Callable[[], None],
    ) -> None:
        super().__init__()
        self._fd = fd
        self._encoder = encoder
        self._size = size
        self._fps = fps
        self._on_frame = on_frame
        self._on_gone = on_gone
        self._rest = b""
        self._header_written = False
        self._waits_for_keyframe = True
        self._origin_us = 0
        self.first: FirstFrame | None = None
        self.began = threading.Event()
        self.gone = False
        self.frames = 0
        self.dropped = 0
        os.set_blocking(fd, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: object = None,  # noqa: ARG002 - picamera2's signature
        audio: bool = False,
    ) -> None:
        """See picamera2's Output. Called in the camera's thread."""
        if audio or timestamp is None or self._fd < 0:
            return
        if self.first is None:
            self.first = FirstFrame((self._encoder.firsttimestamp + timestamp) * 1000)
            # picamera2's encoders count from the first frame that they were given.
            self._origin_us = self.first.wall_ns // 1000 - timestamp
        self._on_frame(self._encoder.firsttimestamp + timestamp)
        if self.gone:
            return
        try:
            self._frame(frame, keyframe, self._origin_us + timestamp)
        except BrokenPipeError:
            self.gone = True
            self._on_gone()

    def stop(self) -> None:
        """Ends the stream: the reader comes to its end."""
        super().stop()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _frame(self, frame: bytes, keyframe: bool, time_us: int) -> None:
        self._push(b"")
        if self._rest or (self._waits_for_keyframe and not keyframe):
            self.dropped += 1
            self._waits_for_keyframe = True
            return
        units = matroska.nal_units(bytes(frame))
        data = matroska.cluster(time_us, units, keyframe=keyframe)
        if not self._header_written:
            configuration = matroska.decoder_configuration(units)
            if configuration is None:
                return
            data = matroska.header(self._size, self._fps, configuration) + data
            self._header_written = True
        self._waits_for_keyframe = False
        self._push(data)
        self.frames += 1
        self.began.set()

    def _push(self, data: bytes) -> None:
        """Writes what fits; a rest means that the reader is slow, and no frame is begun before that is gone."""
        data = self._rest + data
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                break
        self._rest = data
