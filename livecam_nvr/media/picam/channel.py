"""The service's end of a camera child's socket: orders with a descriptor beside them, answers, events."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from typing import IO, Any

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_LONGEST_MESSAGE = 1 << 18


class ChildChannel:
    """One socket pair. Whoever makes it calls `close()`."""

    def __init__(self, on_event: Callable[[dict[str, Any]], None]) -> None:
        """Opens it; `on_event` takes every event that is no answer, on the loop."""
        self._socket, self._childs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self._on_event = on_event
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._orders = 0
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    @property
    def child_fd(self) -> int:
        """What the child inherits; gone after `started()`."""
        return self._childs.fileno()

    def started(self) -> None:
        """The child runs: its end is its own from now on, so that ours tells when it is gone."""
        self._childs.close()

    async def order(self, what: dict[str, Any], fd: int, timeout_s: float) -> dict[str, Any]:
        """Orders something, with `fd` passed beside it, and returns the answer. `fd` stays the caller's.

        Raises:
            LivecamError: What the child says against it; UNAVAILABLE if it is gone.
            TimeoutError: No answer came in time.
        """
        self._orders += 1
        number = self._orders
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            try:
                socket.send_fds(self._socket, [json.dumps({"order": number, **what}).encode()], [fd])
            except OSError as error:
                raise _gone() from error
            async with asyncio.timeout(timeout_s):
                told: dict[str, Any] = await answer
        finally:
            del self._answers[number]
        if told["event"] == "refused":
            raise error_from(told)
        return told

    def close(self) -> None:
        """Hangs up; orders that wait for their answer fail. Idempotent."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._childs.close()
        self.give_up(_gone())

    def give_up(self, error: LivecamError) -> None:
        """Orders that wait for their answer fail with `error`: none will come."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_LONGEST_MESSAGE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._socket)
            self.give_up(_gone())
            return
        told: dict[str, Any] = json.loads(data)
        if told["event"] in ("done", "refused"):
            answer = self._answers.get(told["order"])
            if answer is not None and not answer.done():
                answer.set_result(told)
        else:
            self._on_event(told)


def error_from(told: dict[str, Any]) -> LivecamError:
    """What the child said, as an error."""
    kind = ErrorKind.CONFLICT if told["kind"] == "busy" else ErrorKind(told["kind"])
    return LivecamError(kind, told["message"], told.get("hint", ""))


async def read_all(pipe: IO[bytes]) -> bytes:
    """What comes through a pipe until its end."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    with contextlib.closing(transport):
        return await reader.read()


def _gone() -> LivecamError:
    return LivecamError(ErrorKind.UNAVAILABLE, "the camera's process is gone", "it is started again by itself")
