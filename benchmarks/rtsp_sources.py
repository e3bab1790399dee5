"""Many IP cameras in one cheap process: plays one encoded clip over RTSP to whoever asks, and counts what it sent.

As a process (`python -m benchmarks.rtsp_sources CLIP.h264 FPS`) it prints its port, plays until a line comes on
stdin, stops all cameras behind a whole picture, and prints how many pictures each of them sent. Every address is a
camera; each connection begins with the clip's first keyframe. RTSP: of RFC 2326 what a client over TCP needs.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.h264_rtp import CLOCK_HZ, Clip, make_clip

_SESSION = "1"
_DRAIN_S = 10.0
_FIRST = 1  # clients take a number or a time of 0 for none


@dataclass(slots=True)
class Sent:
    """What one camera has sent."""

    connections: int = 0
    """How often it was played; more than once means that the client came back."""
    frames: int = 0
    most_waiting_bytes: int = 0
    """The most that the client left unread for a while."""


class Cameras:
    """The cameras, and all who watch them."""

    def __init__(self, clip: Clip, fps: int) -> None:
        self.sent: dict[str, Sent] = {}
        self._clip = clip
        self._fps = fps
        self._packets = sum(len(picture.packets) for picture in clip.pictures)
        self._begins = [0]
        for picture in clip.pictures:
            self._begins.append(self._begins[-1] + len(picture.packets))
        self._timers: dict[asyncio.StreamWriter, asyncio.TimerHandle] = {}
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first request until it leaves."""
        self._clients[writer] = asyncio.current_task()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                if (first := await reader.readexactly(1)) == b"$":  # RTCP from the client: of no interest
                    head = await reader.readexactly(3)
                    await reader.readexactly(int.from_bytes(head[1:], "big"))
                else:
                    request = first + await reader.readuntil(b"\r\n\r\n")
                    if not self._answer(request.decode(), writer):
                        break
        self._end(writer)
        writer.close()
        del self._clients[writer]

    async def stop(self) -> None:
        """Every camera stops behind a whole picture; returns when all is handed to the kernel, and hangs up."""
        for writer in tuple(self._timers):
            self._end(writer)
        async with asyncio.timeout(_DRAIN_S):
            while any(writer.transport.get_write_buffer_size() for writer in self._clients):
                await asyncio.sleep(0.01)
        tasks = [task for task in self._clients.values() if task]
        for writer in self._clients:
            writer.close()
        await asyncio.gather(*tasks)

    def _answer(self, request: str, writer: asyncio.StreamWriter) -> bool:
        method, url, _ = request.split(None, 2)
        lines = (line.partition(":") for line in request.split("\r\n")[1:])
        fields = {key.strip().lower(): value.strip() for key, _, value in lines}
        more, body = "", ""
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = self._clip.sdp(self._fps)
            more = f"Content-Base: {url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            more = f"Session: {_SESSION};timeout=3600\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        elif method == "PLAY":
            more = f"Session: {_SESSION}\r\nRTP-Info: url={url};seq={_FIRST};rtptime={CLOCK_HZ}\r\n"
        head = f"RTSP/1.0 200 OK\r\nCSeq: {fields.get('cseq', '0')}\r\n{more}\r\n"
        writer.write((head + body).encode())
        if method == "PLAY":
            self._play(url.rstrip("/").rsplit("/", 1)[-1], writer)
        return method != "TEARDOWN"

    def _play(self, camera: str, writer: asyncio.StreamWriter) -> None:
        sent = self.sent.setdefault(camera, Sent())
        sent.connections += 1
        loop = asyncio.get_running_loop()
        # Cameras don't take their pictures at one moment: each has its own, and the same one in every run.
        began = loop.time() + zlib.crc32(camera.encode()) % 1000 / 1000 / self._fps
        pictures, number = self._clip.pictures, 0

        def send() -> None:
            nonlocal number
            loops, at = divmod(number, len(pictures))
            first = _FIRST + loops * self._packets + self._begins[at]
            writer.write(pictures[at].stamped(first, CLOCK_HZ + number * CLOCK_HZ // self._fps))
            number += 1
            sent.frames += 1
            sent.most_waiting_bytes = max(sent.most_waiting_bytes, writer.transport.get_write_buffer_size())
            self._timers[writer] = loop.call_at(began + number / self._fps, send)

        self._timers[writer] = loop.call_at(began, send)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        timer = self._timers.pop(writer, None)
        if timer is not None:
            timer.cancel()


class RunningSources:
    """The process, as whoever started it sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.pid = process.pid
        self.port = int(process.stdout.readline())

    def url(self, camera: str) -> str:
        """A camera's address."""
        return f"rtsp://127.0.0.1:{self.port}/{camera}"

    def camera(self, camera: str, **more: object) -> dict[str, Any]:
        """A camera for the service's config."""
        return {"id": camera, "kind": "rtsp", "url": self.url(camera), **more}

    def stop(self) -> dict[str, Sent]:
        """Stops all cameras; what each has sent."""
        said, _ = self._process.communicate("stop\n", timeout=2 * _DRAIN_S)
        return {camera: Sent(**sent) for camera, sent in json.loads(said).items()}


@contextlib.contextmanager
def sources(clip: Path, fps: int) -> Iterator[RunningSources]:
    """Cameras that play `clip` (see h264_rtp.make_clip) at `fps`, in a process of their own."""
    argv = [sys.executable, "-m", "benchmarks.rtsp_sources", str(clip), str(fps)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield RunningSources(process)
        finally:
            process.terminate()


async def _run(clip: Path, fps: int) -> None:
    cameras = Cameras(make_clip(clip.read_bytes()), fps)
    server = await asyncio.start_server(cameras.serve, "127.0.0.1", 0, backlog=64)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    server.close()
    await cameras.stop()
    print(json.dumps({camera: asdict(sent) for camera, sent in cameras.sent.items()}))


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2])))
