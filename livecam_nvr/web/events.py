"""The status over a WebSocket, whenever it has changed, so that the page need not poll."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import (
    AnyEvent,
    BreakInAttempt,
    CameraStateChanged,
    ComplaintsChanged,
    DiskChanged,
    EventChanged,
    QualityChanged,
    RecordingChanged,
)
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.sockets import serve
from livecam_nvr.web.status import shown_status

_EVERY_S = 1.0
_AT_LEAST_S = 5.0
_NEWS: tuple[type[AnyEvent], ...] = (
    CameraStateChanged,
    QualityChanged,
    ComplaintsChanged,
    RecordingChanged,
    EventChanged,
    DiskChanged,
    BreakInAttempt,
)


async def events(request: web.Request) -> web.WebSocketResponse:
    """`/api/events`: the status at once, and then at most once a second, if it has changed; at least every 5 s.

    Of a connection that is dead, as after the computer slept, a browser is told nothing: only the silence tells.
    """
    clock = asyncio.get_running_loop().time

    async def send(socket: web.WebSocketResponse) -> None:
        told: dict[str, object] = {}
        told_s = 0.0
        with _noticing(request.app[PORTS].bus) as happened:
            while True:
                status = shown_status(request)
                # Time alone passing is no news; what changed and changed back within the second is: the viewer
                # who did it has seen the state between from the answer to the request.
                news = happened.is_set() or {**status, "uptime_s": 0} != {**told, "uptime_s": 0}
                if news or clock() - told_s >= _AT_LEAST_S:
                    happened.clear()
                    told, told_s = status, clock()
                    await socket.send_str(json.dumps(status, ensure_ascii=False, separators=(",", ":")))
                await asyncio.sleep(_EVERY_S)

    return await serve(request, (send,))


@contextmanager
def _noticing(bus: EventBus) -> Iterator[asyncio.Event]:
    """An event that is set when something happens that the status tells of, however short."""
    happened = asyncio.Event()
    ends = [bus.subscribe(kind, lambda _event: happened.set()) for kind in _NEWS]
    try:
        yield happened
    finally:
        for end in ends:
            end()
