"""Passes an answer of the service on to whoever asked Home Assistant, piece by piece as it comes."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
from aiohttp import hdrs, web

from .client import ApiError, LivecamClient

_LOGGER = logging.getLogger(__name__)

_PASSED_ON = (hdrs.RANGE, hdrs.IF_RANGE, hdrs.IF_NONE_MATCH, hdrs.IF_MODIFIED_SINCE)
_PASSED_BACK = (
    hdrs.CONTENT_TYPE,
    hdrs.CONTENT_LENGTH,
    hdrs.CONTENT_RANGE,
    hdrs.CONTENT_DISPOSITION,
    hdrs.ACCEPT_RANGES,
    hdrs.ETAG,
    hdrs.LAST_MODIFIED,
    hdrs.CACHE_CONTROL,
)
_CHUNK = 64 << 10
# What the browser did wrong, and what is not there. All else is between us and the service: a 401 of its would
# have Home Assistant count a wrong login, and ask people for a password that they don't have.
_TOLD = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
_MOST_WORDS = 4096


async def relay(
    request: web.Request, client: LivecamClient, path: str, params: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """The service's answer to the same method at `path`: ranges and validators are passed on, both ways.

    Nothing is kept but one piece at a time, and no more is taken from the service than the browser takes.
    """
    method = hdrs.METH_HEAD if request.method == hdrs.METH_HEAD else hdrs.METH_GET
    headers: dict[str, str] = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    try:
        async with client.request(method, path, headers=headers, params=params) as answer:
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES and answer.status != HTTPStatus.NOT_MODIFIED:
                return await refusal(answer)
            response = web.StreamResponse(
                status=answer.status,
                headers={name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers},
            )
            return await _pass_on(request, answer, response)
    except ApiError as error:
        return web.Response(status=HTTPStatus.BAD_GATEWAY, text=error.words)


async def _pass_on(
    request: web.Request, answer: aiohttp.ClientResponse, response: web.StreamResponse
) -> web.StreamResponse:
    try:
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            async for piece in answer.content.iter_chunked(_CHUNK):
                await response.write(piece)
        await response.write_eof()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        # Mostly the browser has left, as it does whenever somebody seeks. If it was the service, the browser must
        # not take what it has got for all there is.
        _LOGGER.debug("%s broke off: %r", request.path, error)
        if request.transport is not None:
            request.transport.abort()
    return response


async def refusal(answer: aiohttp.ClientResponse) -> web.Response:
    """What to tell the browser of an answer that is no success; the service's own words."""
    headers = {name: answer.headers[name] for name in (hdrs.CONTENT_RANGE, hdrs.RETRY_AFTER) if name in answer.headers}
    status = answer.status if answer.status in _TOLD else HTTPStatus.BAD_GATEWAY
    try:
        told = (await answer.json(content_type=None))["error"]
        words = ": ".join(text for text in (str(told["message"]), str(told["hint"])) if text)
    except aiohttp.ClientError, TimeoutError, ValueError, TypeError, KeyError:
        words = f"the service answered with HTTP {answer.status}"
    return web.Response(status=status, text=words[:_MOST_WORDS], headers=headers)
