"""The doorkeeper's listener: HTTP on a socket that is there already."""

import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

Answer = tuple[int, dict[str, str] | str]
"""A status, and what is said with it: JSON, or words."""

_FAREWELL_S: Final = 0.5
_LONGEST_QUESTION: Final = 64 << 10


async def serve(
    listener: socket.socket, answer: Callable[[str, Callable[[], Awaitable[bytes]]], Awaitable[Answer]]
) -> Callable[[], Awaitable[None]]:
    """Has `answer` (of the credentials that came, and of what reads the question) say what is answered.

    Returns:
        What ends it, and closes the socket.
    """

    async def respond(request: web.Request) -> web.Response:
        status, said = await answer(request.headers.get("Authorization", ""), request.read)
        return web.Response(status=status, text=said) if isinstance(said, str) else web.json_response(said)

    app = web.Application(client_max_size=_LONGEST_QUESTION)
    app.router.add_post("/", respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_FAREWELL_S)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner.cleanup
