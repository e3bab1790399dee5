"""A wire between a browser and a service, which can be cut so that neither is told, as when a computer sleeps."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.ports import free_port


class Relay:
    """Hands on what comes, byte by byte."""

    def __init__(self, upstream: int) -> None:
        self.port = free_port()
        self._upstream = upstream
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        """So many have been made."""

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """From now on nothing passes on the connections that there are; new ones work."""
        self._whole.clear()
        self._whole = asyncio.Event()
        self._whole.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        whole = self._whole
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_carry(reader, behind_writer, whole))
                    group.create_task(_carry(behind_reader, writer, whole))
            except* ConnectionError:
                pass
            finally:
                behind_writer.close()
        writer.close()
        self._tasks.discard(task)

    async def close(self) -> None:
        """Ends all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, whole: asyncio.Event) -> None:
    while data := await source.read(1 << 16):
        await whole.wait()
        target.write(data)
        await target.drain()
    await whole.wait()
    if target.can_write_eof():
        target.write_eof()


@asynccontextmanager
async def relay(upstream: int) -> AsyncIterator[Relay]:
    """One in front of a port on loopback."""
    made = Relay(upstream)
    server = await asyncio.start_server(made.take, "127.0.0.1", made.port)
    try:
        yield made
    finally:
        server.close()
        await made.close()
