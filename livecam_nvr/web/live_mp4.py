"""One camera as an endless fragmented MP4 over plain HTTP."""

import asyncio

from aiohttp import web

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import base_times, rebased
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.keys import OPEN, PORTS

_PATIENCE_S = 10.0


async def live_mp4(request: web.Request) -> web.StreamResponse:
    """`live.mp4`: begins with a keyframe at time zero; ends when the camera starts anew.

    Raises:
        LivecamError: UNAVAILABLE if no frame comes within some seconds.
    """
    camera_id = request.match_info["camera_id"]
    response = web.StreamResponse()
    with request.app[OPEN].held(caller_of(request)) as held:
        async with request.app[PORTS].streams.hub(camera_id).subscribe() as subscription:
            stream = aiter(subscription)
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    first = await anext(stream, None)
            except TimeoutError:
                first = None
            if first is None:
                raise LivecamError(
                    ErrorKind.UNAVAILABLE, f"{camera_id} sends nothing now", "see its state in /api/status"
                )
            response.headers["Content-Type"] = first.init.mime
            await response.prepare(request)
            bases = base_times(first)
            await response.write(first.init.data + b"".join(rebased(first, bases)))
            async for fragment in stream:
                if fragment.init is not first.init:
                    break
                await response.write(b"".join(rebased(fragment, bases)))
    if not response.prepared:
        raise held.why()
    return response
