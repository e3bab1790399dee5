"""Reads ffmpeg's `-progress` lines from a pipe: how many frames it dropped, and at what speed it runs."""

import asyncio
import contextlib
import os


class Progress(asyncio.Protocol):
    """What one run of ffmpeg says of itself every two seconds."""

    def __init__(self) -> None:
        self.dropped = 0
        """Frames dropped by its own rate control, this run."""
        self._rest = b""
        self._transport: asyncio.ReadTransport | None = None

    async def read(self, fd: int) -> None:
        """Takes over the reading end of the pipe; it is closed with `close` or when ffmpeg ends."""
        pipe = os.fdopen(fd, "rb", buffering=0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: self, pipe)

    def close(self) -> None:
        """Ends reading; idempotent."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            key, _, value = line.partition(b"=")
            if key == b"drop_frames":
                with contextlib.suppress(ValueError):
                    self.dropped = int(value)
