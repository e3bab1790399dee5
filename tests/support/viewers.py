"""People and programs that watch a real service, each until they are sent away, and the command line beside it."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support import clips
from support.service import ROOT, Service
from support.waiting import until


class Viewer:
    """Somebody who watches; what they get is counted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got = 0
        """Bytes."""
        self.ended_s: float | None = None
        """When it was over, monotonic; None while it goes on."""
        self.how = ""
        """How it ended."""

    def over(self, how: str) -> None:
        """It has ended."""
        self.ended_s = time.monotonic()
        self.how = how

    async def until_watching(self, at_least: int = 20_000) -> None:
        """Returns when something has come: so many bytes."""
        await until(lambda: self.got >= at_least or self.ended_s, f"{self.name} sees something")
        assert self.ended_s is None, f"{self.name}: {self.how}"


@asynccontextmanager
async def over_http(service: Service, path: str, headers: dict[str, str]) -> AsyncIterator[Viewer]:
    """Reads an endless answer."""
    viewer = Viewer(path)

    async def read() -> None:
        async with aiohttp.ClientSession() as session, session.get(service.url + path, headers=headers) as answer:
            if answer.status != 200:
                return viewer.over(str(answer.status))
            with contextlib.suppress(aiohttp.ClientError):
                async for piece in answer.content.iter_any():
                    viewer.got += len(piece)
        return viewer.over("end")

    async with _running(read()):
        yield viewer


@asynccontextmanager
async def over_web_socket(service: Service, path: str, headers: dict[str, str]) -> AsyncIterator[Viewer]:
    """Reads a WebSocket; `how` is its close code."""
    viewer = Viewer(path)

    async def read() -> None:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(service.url + path, headers=headers) as socket:
                    async for message in socket:
                        viewer.got += len(message.data)
                    viewer.over(str(socket.close_code))
            except aiohttp.WSServerHandshakeError as error:
                viewer.over(str(error.status))

    async with _running(read()):
        yield viewer


class Player(Viewer):
    """A real ffmpeg that keeps what it reads."""

    def __init__(self, name: str, file: Path) -> None:
        self.file = file
        super().__init__(name)

    @property
    def got(self) -> int:
        """What it has written so far, bytes."""
        return _size(self.file)

    @got.setter
    def got(self, _: int) -> None:
        pass

    def frames(self) -> list[int]:
        """The numbers of the pictures it got."""
        return clips.frame_numbers(self.file)


@asynccontextmanager
async def over_rtsp(url: str, transport: str, file: Path) -> AsyncIterator[Player]:
    """Plays RTSP over `tcp` or `udp`, as long as that goes on."""
    player = Player(f"RTSP over {transport}", file)
    where = ["-rtsp_transport", transport, "-i", url]
    argv = ["ffmpeg", "-v", "error", "-nostdin", *where, "-map", "0:v", "-c", "copy", "-f", "mpegts", str(file)]
    child = await asyncio.create_subprocess_exec(*argv, stderr=subprocess.PIPE)

    async def wait() -> None:
        _, said = await child.communicate()
        player.over(said.decode())

    try:
        async with _running(wait()):
            yield player
            if child.returncode is None:
                child.terminate()
                await until(lambda: player.ended_s, "the player has ended")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def probed(url: str, *options: str) -> str:
    """The codecs that ffprobe finds at an address; what it complains of, if it finds none."""
    quickly = ["-analyzeduration", "500000"]
    argv = [
        "ffprobe",
        "-v",
        "error",
        *quickly,
        *options,
        "-show_entries",
        "stream=codec_name",
        "-of",
        "csv=p=0",
        url,
    ]
    child = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await child.communicate()
    return (out or err).decode().strip()


async def plays(url: str, *options: str) -> None:
    """Returns when there is H.264 at an address.

    Who was not let in, because a busy machine took too long to look at the password, is when they ask again.
    """

    async def does() -> bool:
        return await probed(url, *options) == "h264"

    await until(does, f"H.264 at {url}")


async def command(service: Service, *arguments: str, said: str = "", works: bool = True) -> str:
    """What `livecam-nvr ARGUMENTS`, another process beside the service, prints; `said` is its standard input.

    Unless it has to work, what it complains of comes with it.
    """
    argv = [sys.executable, "-m", "livecam_nvr", *arguments, "--config", str(service.folder / "config.yaml")]
    pipe = subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await child.communicate(said.encode())
    assert child.returncode == 0 or not works, err.decode()
    return (out if works else out + err).decode().strip()


async def add_user(service: Service, name: str, password: str, *more: str) -> None:
    """By the command line."""
    await command(service, "user", "add", name, "--password-file", "-", *more, said=password)


async def audit(service: Service, *more: str) -> list[dict[str, Any]]:
    """What `livecam-nvr audit --json` tells, oldest first."""
    return list(json.loads(await command(service, "audit", "--json", *more))["entries"])


@asynccontextmanager
async def _running(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        (failed,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(failed, Exception):
            raise failed


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
