"""One camera as JPEG pictures in one endless answer (multipart/x-mixed-replace), for what plays nothing else."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.keys import OPEN, PORTS

_BOUNDARY = b"livecam-frame"


async def mjpeg(request: web.Request) -> web.StreamResponse:
    """`stream.mjpeg`.

    Raises:
        LivecamError: UNAVAILABLE if the camera has no picture.
    """
    pictures = request.app[PORTS].pictures.mjpeg(request.match_info["camera_id"])
    response = web.StreamResponse(headers=request.app[PORTS].ways)
    response.headers["Content-Type"] = f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"
    try:
        with request.app[OPEN].held(caller_of(request)) as stream:
            picture = await anext(pictures, None)
            if picture is not None:
                await response.prepare(request)
                await _send(response, picture, pictures)
    finally:
        await _close(pictures)
    if not response.prepared:
        raise stream.why()
    return response


async def _send(response: web.StreamResponse, picture: bytes, following: AsyncIterator[bytes]) -> None:
    await response.write(b"--%b\r\n" % _BOUNDARY)
    await _part(response, picture)
    # The head is on its way already: a camera that fails now just ends its stream.
    with contextlib.suppress(LivecamError):
        async for following_picture in following:
            await _part(response, following_picture)


async def _part(response: web.StreamResponse, picture: bytes) -> None:
    await response.write(b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture))
    await response.write(picture)
    # At once and not before the next picture: browsers show a part when they have seen where it ends.
    await response.write(b"\r\n--%b\r\n" % _BOUNDARY)


async def _close(pictures: AsyncIterator[bytes]) -> None:
    """Ends a generator now, so that the decoder behind it does not run on until it is collected."""
    close = getattr(pictures, "aclose", None)
    if close is not None:
        await close()
