"""RTSP spoken by hand, for requests that no player would send."""

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Self

from support.waiting import PATIENCE_S

# MediaMTX answers one after the other, and each may take it some seconds.
_ANSWER_S = 3 * PATIENCE_S


def basic(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True)
class Answer:
    """A server's answer; header names in lower case."""

    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""


class RtspTalk:
    """One connection; `async with` it."""

    def __init__(self, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._where = host, port
        self._tls = tls
        self._number = 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._where, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()

    async def ask(self, method: str, path: str, body: str = "", **headers: str | bytes) -> Answer:
        """Sends a request; `_` in a header's name stands for `-`."""
        self._number += 1
        scheme = "rtsp" if self._tls is None else "rtsps"
        head = f"{method} {scheme}://{self._where[0]}:{self._where[1]}{path} RTSP/1.0\r\nCSeq: {self._number}\r\n"
        raw = head.encode()
        for name, value in headers.items():
            raw += name.replace("_", "-").encode() + b": "
            raw += (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
        if body:
            raw += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n".encode()
        self._writer.write(raw + b"\r\n" + body.encode())
        async with asyncio.timeout(_ANSWER_S):
            return await self._answer()

    async def is_closed(self) -> bool:
        """Whether the server has hung up; waits for it."""
        async with asyncio.timeout(PATIENCE_S):
            while await self._reader.read(4096):
                pass
        return True

    async def _answer(self) -> Answer:
        first = await self._reader.readline()
        if first.startswith(b"$"):  # a frame of interleaved data (RFC 2326, 10.12)
            raise AssertionError("data came where an answer should")
        if not first:
            raise ConnectionResetError
        headers: dict[str, list[str]] = {}
        while line := (await self._reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        length = int(headers.get("content-length", ["0"])[0])
        return Answer(int(first.split()[1]), headers, await self._reader.readexactly(length))
