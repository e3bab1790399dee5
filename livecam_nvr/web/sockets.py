"""What all our WebSockets have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import WSCloseCode, web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.keys import OPEN

_HEARTBEAT_S = 20.0
_CLOSING_S = 0.2
_MAX_MESSAGE_BYTES = 1024
SIGNED_OUT = 4401
"""Close code of a viewer who may not watch any more; 4000 to 4999 are for applications (RFC 6455, 7.4.2)."""

Sender = Callable[[web.WebSocketResponse], Awaitable[None]]


async def serve(request: web.Request, senders: Sequence[Sender]) -> web.WebSocketResponse:
    """Runs `senders` on a new WebSocket until the viewer leaves or the service stops.

    Not compressed: video would not shrink. What viewers send is ignored; dead ones are found by pings.

    Raises:
        LivecamError: INVALID if the request is not a WebSocket's.
    """
    socket = web.WebSocketResponse(
        heartbeat=_HEARTBEAT_S, compress=False, timeout=_CLOSING_S, max_msg_size=_MAX_MESSAGE_BYTES
    )
    if not socket.can_prepare(request):
        raise LivecamError(ErrorKind.INVALID, "this address is a WebSocket", "open it with ws:// or wss://")
    with request.app[OPEN].held(caller_of(request)) as stream:
        await socket.prepare(request)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_send(sender, socket)) for sender in senders]
                async for _ in socket:
                    pass
                for task in tasks:
                    task.cancel()
        except* ConnectionError:
            pass  # the viewer left in the middle of a frame
    if not socket.closed:
        if stream.signed_out:
            await socket.close(code=SIGNED_OUT, message=b"signed out")
        else:
            await socket.close(code=WSCloseCode.GOING_AWAY)
    return socket


async def _send(sender: Sender, socket: web.WebSocketResponse) -> None:
    await sender(socket)
