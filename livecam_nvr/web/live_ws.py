"""One camera over a WebSocket, for Media Source Extensions: the hub's own fragments, one message each."""

import asyncio
import json
from collections import deque
from contextlib import ExitStack
from typing import Any, Self

from aiohttp import WSCloseCode, web

from livecam_nvr.core.events import CameraStateChanged, MediaServerChanged
from livecam_nvr.core.ports import Hub
from livecam_nvr.domain.media import Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import CameraState, Fault
from livecam_nvr.web.keys import PORTS, WebPorts
from livecam_nvr.web.sockets import serve

_LATE_S = 2.0
_TELL_LATE_S = 1.0
_TELL_CLOCK_S = 2.0
_ALIVE_S = 4.0


async def live_ws(request: web.Request) -> web.WebSocketResponse:
    """`live.ws`: `init` (then the init segment and fragments), `clock`, `late`, `state`, `ways`, `alive`."""
    ports = request.app[PORTS]
    hub = ports.streams.hub(request.match_info["camera_id"])

    async def fragments(socket: web.WebSocketResponse) -> None:
        await _send_fragments(socket, hub, ports)
        # The camera was taken out of the service, or is made anew: whoever comes again finds which.
        await socket.close(code=WSCloseCode.GOING_AWAY)

    async def states(socket: web.WebSocketResponse) -> None:
        await _send_states(socket, hub.camera_id, ports)

    return await serve(request, (states, fragments))


async def _send_fragments(socket: web.WebSocketResponse, hub: Hub, ports: WebPorts) -> None:
    init = None
    told_s = clock_s = 0.0
    async with hub.subscribe() as stream:
        async for fragment in stream:
            if fragment.init is not init:
                init = fragment.init
                video = init.video
                size = {"width": video.width, "height": video.height}
                how = {"mime": init.mime, "codec": video.codec, **size, **_clock(fragment, ports)}
                await _tell(socket, "init", how)
                await socket.send_bytes(init.data)
                # The first GOP comes from memory and is old on purpose.
                told_s = clock_s = ports.clock.monotonic()
            await socket.send_bytes(fragment.data)
            now_s = ports.clock.monotonic()
            if now_s - fragment.arrived_s > _LATE_S and now_s - told_s > _TELL_LATE_S:
                told_s = now_s
                await _tell(socket, "late", {"seconds": round(now_s - fragment.arrived_s, 1)})
            if now_s - clock_s > _TELL_CLOCK_S and fragment.frames:
                clock_s = now_s
                await _tell(socket, "clock", _clock(fragment, ports))


def _clock(fragment: Fragment, ports: WebPorts) -> dict[str, float]:
    """How old a picture is by now, so that the page knows that of all pictures, whatever its own clock says."""
    age_s = (ports.clock.utc_ns() - fragment.utc_ns) / NS
    return {"time_s": round(fragment.time_s, 4), "age_s": round(max(0.0, age_s), 4)}


async def _send_states(socket: web.WebSocketResponse, camera_id: str, ports: WebPorts) -> None:
    """The camera's states, whether WebRTC can be asked for, and a sign of life where there is nothing else."""
    with _News(camera_id, ports) as news:
        for camera in ports.status.status().cameras:
            if camera.id == camera_id:
                await _tell(socket, "state", _state(camera.state, camera.fault))
        if ports.has_webrtc:
            await _tell(socket, "ways", {"webrtc": True})
        while True:
            await _tell(socket, *await news.next())


class _News:
    """What has to be told of a camera; only the newest, to whoever is slow."""

    def __init__(self, camera_id: str, ports: WebPorts) -> None:
        self._camera_id = camera_id
        self._ports = ports
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque(maxlen=8)
        self._came = asyncio.Event()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        bus = self._ports.bus
        self._stack.callback(bus.subscribe(CameraStateChanged, self._take_state))
        self._stack.callback(bus.subscribe(MediaServerChanged, self._take_server))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Kind and content of the next message."""
        while not self._waiting:
            self._came.clear()
            try:
                async with asyncio.timeout(_ALIVE_S):
                    await self._came.wait()
            except TimeoutError:
                return "alive", {}
        return self._waiting.popleft()

    def _take_state(self, event: CameraStateChanged) -> None:
        if event.camera_id == self._camera_id:
            self._add("state", _state(event.state, event.fault))

    def _take_server(self, _: MediaServerChanged) -> None:
        self._add("ways", {"webrtc": self._ports.has_webrtc})

    def _add(self, kind: str, what: dict[str, Any]) -> None:
        self._waiting.append((kind, what))
        self._came.set()


def _state(state: CameraState, fault: Fault | None) -> dict[str, Any]:
    return {"state": state, "fault": {"message": fault.message, "hint": fault.hint} if fault else None}


async def _tell(socket: web.WebSocketResponse, kind: str, what: dict[str, Any]) -> None:
    await socket.send_str(json.dumps({"type": kind, **what}))
