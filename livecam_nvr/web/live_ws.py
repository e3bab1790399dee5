"""One camera over a WebSocket, for Media Source Extensions: the hub's own fragments, one message each."""

import asyncio
import json

from aiohttp import web

from livecam_nvr.core.events import CameraStateChanged
from livecam_nvr.core.ports import Hub
from livecam_nvr.domain.status import CameraState, Fault
from livecam_nvr.web.keys import PORTS, WebPorts
from livecam_nvr.web.sockets import serve

_LATE_S = 2.0
_TELL_LATE_S = 1.0


async def live_ws(request: web.Request) -> web.WebSocketResponse:
    """`live.ws`: messages `init` (then the init segment, then fragments), `state` and `late`."""
    ports = request.app[PORTS]
    hub = ports.streams.hub(request.match_info["camera_id"])

    async def fragments(socket: web.WebSocketResponse) -> None:
        await _send_fragments(socket, hub, ports)

    async def states(socket: web.WebSocketResponse) -> None:
        await _send_states(socket, hub.camera_id, ports)

    return await serve(request, (states, fragments))


async def _send_fragments(socket: web.WebSocketResponse, hub: Hub, ports: WebPorts) -> None:
    init = None
    told_s = 0.0
    async with hub.subscribe() as stream:
        async for fragment in stream:
            if fragment.init is not init:
                init = fragment.init
                video = init.video
                size = {"width": video.width, "height": video.height}
                await socket.send_str(
                    json.dumps({"type": "init", "mime": init.mime, "codec": video.codec, **size})
                )
                await socket.send_bytes(init.data)
                # The first GOP comes from memory and is old on purpose.
                told_s = ports.clock.monotonic()
            await socket.send_bytes(fragment.data)
            now_s = ports.clock.monotonic()
            if now_s - fragment.arrived_s > _LATE_S and now_s - told_s > _TELL_LATE_S:
                told_s = now_s
                late = {"type": "late", "seconds": round(now_s - fragment.arrived_s, 1)}
                await socket.send_str(json.dumps(late))


async def _send_states(socket: web.WebSocketResponse, camera_id: str, ports: WebPorts) -> None:
    newest: list[tuple[CameraState, Fault | None]] = []
    changed = asyncio.Event()

    def take(event: CameraStateChanged) -> None:
        if event.camera_id == camera_id:
            newest[:] = [(event.state, event.fault)]
            changed.set()

    unsubscribe = ports.bus.subscribe(CameraStateChanged, take)
    try:
        for camera in ports.status.status().cameras:
            if camera.id == camera_id:
                await _tell(socket, camera.state, camera.fault)
        while True:
            await changed.wait()
            changed.clear()
            await _tell(socket, *newest[0])
    finally:
        unsubscribe()


async def _tell(socket: web.WebSocketResponse, state: CameraState, fault: Fault | None) -> None:
    reason = {"message": fault.message, "hint": fault.hint} if fault else None
    await socket.send_str(json.dumps({"type": "state", "state": state, "fault": reason}))
