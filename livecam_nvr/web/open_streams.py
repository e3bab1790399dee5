"""Keeps account of answers that go on for long (live streams, WebSockets, downloads): how many there are, and that
they end at once when the service stops, or when what their viewer came with is not valid any more.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import Caller

MOST = 512
"""So many run at once, for all viewers together."""
MOST_EACH = 64
"""And so many for one viewer: a credential at an address."""
_REMEMBERED = 64


@dataclass(slots=True, eq=False)
class Stream:
    """One of them."""

    caller: Caller
    task: asyncio.Task[object]
    told: bool = False
    """It was broken off by us."""
    signed_out: bool = False
    """Because its viewer may not watch any more."""

    @property
    def viewer(self) -> tuple[str, str]:
        """Who watches, and where."""
        return self.caller.principal.credential, self.caller.client.address

    def why(self) -> LivecamError:
        """Why it was broken off, for answers that have not begun."""
        return (
            not_signed_in() if self.signed_out else LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")
        )


class OpenStreams:
    """All answers that go on until the viewer leaves or the service stops."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._streams: set[Stream] = set()
        self._viewers: Counter[tuple[str, str]] = Counter()
        self._ended: deque[tuple[float, AccessEnded]] = deque(maxlen=_REMEMBERED)
        self._stopping = False

    @contextmanager
    def held(self, caller: Caller) -> Iterator[Stream]:
        """Runs a block that is broken off when it has to end; what follows the block may end the answer properly.

        Raises:
            LivecamError: UNAVAILABLE if the service is stopping already, THROTTLED if there are too many streams,
                UNAUTHENTICATED if what the caller came with has ended meanwhile.
        """
        stream = self._admitted(caller)
        self._streams.add(stream)
        self._viewers[stream.viewer] += 1
        try:
            yield stream
        except asyncio.CancelledError:
            # As asyncio.timeout does it: only our own cancellation ends here.
            if not stream.told or stream.task.uncancel() > 0:
                raise
        finally:
            self._streams.discard(stream)
            self._viewers[stream.viewer] -= 1
            if not self._viewers[stream.viewer]:
                del self._viewers[stream.viewer]

    def end_all(self) -> None:
        """Breaks off all blocks; no further one begins."""
        self._stopping = True
        for stream in self._streams:
            _break_off(stream)

    def end_for(self, event: AccessEnded) -> None:
        """Breaks off the blocks of those whose access has ended."""
        self._ended.append((time.monotonic(), event))
        for stream in self._streams:
            if _concerns(event, stream.caller):
                stream.signed_out = True
                _break_off(stream)

    def _admitted(self, caller: Caller) -> Stream:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("held() belongs into a task")
        if self._stopping:
            raise LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")
        # Between the look at the credential and this there may have been a while (looking for footage).
        if any(at >= caller.since_s and _concerns(event, caller) for at, event in self._ended):
            raise not_signed_in()
        stream = Stream(caller, task)
        if len(self._streams) >= self._most:
            raise LivecamError(
                ErrorKind.THROTTLED, f"{self._most} streams run already", "more is not possible at once: end some"
            )
        if self._viewers[stream.viewer] >= self._most_each:
            raise LivecamError(
                ErrorKind.THROTTLED,
                f"{caller.principal.words} has {self._most_each} streams open from here already",
                "end some of them: more is not possible at once",
            )
        return stream


def _concerns(event: AccessEnded, caller: Caller) -> bool:
    principal = caller.principal
    if principal.session and principal.session == event.keep_session:
        return False
    return principal.credential in event.credentials or (
        bool(principal.session) and principal.session in event.sessions
    )


def _break_off(stream: Stream) -> None:
    if not stream.told:
        stream.told = True
        stream.task.cancel()
