"""Sends stored footage as the body of an answer."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.keys import OPEN

_log = logging.getLogger(__name__)


async def send(
    request: web.Request, response: web.StreamResponse, body: AsyncGenerator[bytes, None], size: int
) -> web.StreamResponse:
    """Sends `size` bytes of `body`; as fast as the viewer takes them, with nothing read ahead.

    Raises:
        ConnectionResetError: Some of it could not be read any more, which is logged; the answer has begun, so all
            that can be done is to break it off.
    """
    response.content_length = size
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    with request.app[OPEN].held(caller_of(request)) as stream:
        async with aclosing(body) as chunks:
            await response.prepare(request)
            try:
                async for chunk in chunks:
                    await response.write(chunk)
            except LivecamError as error:
                _log.error("%s ends early: %s", request.rel_url.raw_path[:200], error.message)
                raise ConnectionResetError(error.message) from error
            return response
    # The service stops, or the viewer is signed out.
    if not response.prepared:
        raise stream.why()
    response.force_close()
    return response
