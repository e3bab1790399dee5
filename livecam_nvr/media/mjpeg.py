"""One decoder per camera that makes JPEG pictures of the live stream, shared by all who watch, idle otherwise."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.runtime.backoff import Backoff
from livecam_nvr.runtime.process import ChildProcess, spawn

_log = logging.getLogger(__name__)

_FPS = 10
_MAX_HEIGHT = 720
_BACKLOG_BYTES = 4 << 20
_NO_PICTURE_S = 10.0


class SharedMjpeg:
    """Runs from the first viewer to the last."""

    def __init__(self, hub: MemoryHub) -> None:
        self._hub = hub
        self._viewers = 0
        self._task: asyncio.Task[None] | None = None
        self._picture = b""
        self._number = 0
        self._next: asyncio.Future[None] | None = None

    async def watch(self) -> AsyncIterator[bytes]:
        """Pictures as they come; a slow viewer gets the newest one, never a queue of old ones.

        Raises:
            LivecamError: UNAVAILABLE if no picture came for some seconds.
        """
        self._viewers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._decode_for_ever(), name=f"mjpeg:{self._hub.camera_id}")
        seen = self._number
        try:
            while True:
                await self._wait_newer(seen)
                seen = self._number
                yield self._picture
        finally:
            self._viewers -= 1
            if not self._viewers:
                await self.stop()

    async def stop(self) -> None:
        """Ends the decoder; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _wait_newer(self, seen: int) -> None:
        try:
            async with asyncio.timeout(_NO_PICTURE_S):
                while self._number <= seen:
                    if self._next is None or self._next.done():
                        self._next = asyncio.get_running_loop().create_future()
                    # Shielded: all viewers wait for the same future, and one that leaves must not cancel it.
                    await asyncio.shield(self._next)
        except TimeoutError:
            raise LivecamError(
                ErrorKind.UNAVAILABLE, f"{self._hub.camera_id} has no picture now", "see its state in /api/status"
            ) from None

    async def _decode_for_ever(self) -> None:
        backoff = Backoff(first_s=0.2, most_s=5.0)
        async with self._hub.subscribe() as stream:
            ahead: Fragment | None = None
            while True:
                first = ahead or await anext(stream, None)
                if first is None:
                    return
                before = self._number
                try:
                    ahead = await self._decode_run(first, stream)
                except LivecamError as error:
                    _log.warning("%s: MJPEG: %s", self._hub.camera_id, error.message)
                    ahead = None
                    await asyncio.sleep(backoff.next_s())
                if self._number > before:
                    backoff.reset()

    async def _decode_run(self, first: Fragment, stream: AsyncIterator[Fragment]) -> Fragment | None:
        """Decodes one run of the camera; returns the first fragment of the next run."""
        # Without this ffmpeg looks at 20 frames for their rate before it shows the first.
        source = ["-fpsprobesize", "0"]
        filters = f"fps={_FPS}:round=near,scale=-2:'min({_MAX_HEIGHT},ih)'"
        output = [
            "-vf",
            filters,
            "-pix_fmt",
            "yuvj420p",
            "-c:v",
            "mjpeg",
            "-q:v",
            "6",
            "-f",
            "mpjpeg",
            "-flush_packets",
            "1",
        ]
        argv = ["ffmpeg", "-v", "error", "-threads", "1", *source, "-f", "mp4", "-i", "pipe:0", *output, "pipe:1"]
        parts = MpjpegParts(self._show)
        child = await spawn(argv, name=f"mjpeg of {self._hub.camera_id}", stdin=True, on_stdout=parts.feed)
        try:
            child.write(first.init.data)
            return await self._pour(first, stream, child)
        finally:
            await child.stop(signal.SIGKILL)  # it holds nothing, and would first read its input to the end

    async def _pour(
        self, first: Fragment, stream: AsyncIterator[Fragment], child: ChildProcess
    ) -> Fragment | None:
        fragment: Fragment | None = first
        skipping = False
        while fragment is not None and fragment.init is first.init:
            if child.returncode is not None:
                said = child.last_lines[-1] if child.last_lines else f"status {child.returncode}"
                raise LivecamError(ErrorKind.MEDIA, f"the decoder ended: {said}", "it is started again")
            skipping = child.write_backlog() > _BACKLOG_BYTES or (skipping and not fragment.keyframe)
            if not skipping:
                child.write(fragment.data)
            fragment = await anext(stream, None)
        return fragment

    def _show(self, picture: bytes) -> None:
        self._picture = picture
        self._number += 1
        if self._next is not None and not self._next.done():
            self._next.set_result(None)


class MpjpegParts:
    """Splits ffmpeg's `mpjpeg` output (multipart, each part with its Content-length) into pictures."""

    def __init__(self, on_picture: Callable[[bytes], None]) -> None:
        self._on_picture = on_picture
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Takes bytes; calls `on_picture` for each whole picture."""
        self._buffer += chunk
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            at = head.find(b"content-length:")
            if at < 0:
                del self._buffer[: end + 4]
                continue
            size = int(head[at + 15 :].split(b"\r\n", 1)[0])
            begin = end + 4
            if len(self._buffer) < begin + size:
                return
            self._on_picture(bytes(self._buffer[begin : begin + size]))
            del self._buffer[: begin + size]
