"""WebRTC for the page, from the page's own origin: WHEP (draft-ietf-wish-whep), handed on to the media server."""

from aiohttp import web

from livecam_nvr.core.ports import Whep
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.keys import OPEN, PORTS

_MOST_BYTES = 64 << 10
"""A browser's offer has some 6 KB; those that list every codec there is, three times as much."""
_OFFER = "application/sdp"
_FRAGMENT = "application/trickle-ice-sdpfrag"


async def begin(request: web.Request) -> web.Response:
    """`POST whep`: 201 with the answer, and where the session is as `Location`.

    Raises:
        LivecamError: As core.ports.Whep; UNAVAILABLE where there is no such media server.
    """
    camera_id, caller = _camera(request), caller_of(request)
    whep, offer = _whep(request), await _text(request, _OFFER)
    with request.app[OPEN].held(caller) as stream:
        session = await whep.begin(camera_id, offer, caller.principal)
        # Relative, so that it is right below any prefix of a proxy.
        return web.Response(
            status=201, text=session.answer, content_type=_OFFER, headers={"Location": f"whep/{session.id}"}
        )
    raise stream.why()


async def trickle(request: web.Request) -> web.Response:
    """`PATCH whep/{session}`: 204."""
    camera_id, whep = _camera(request), _whep(request)
    await whep.trickle(camera_id, request.match_info["session"], await _text(request, _FRAGMENT))
    return web.Response(status=204)


async def end(request: web.Request) -> web.Response:
    """`DELETE whep/{session}`: 204."""
    await _whep(request).end(_camera(request), request.match_info["session"])
    return web.Response(status=204)


def _camera(request: web.Request) -> str:
    camera_id = request.match_info["camera_id"]
    request.app[PORTS].streams.hub(camera_id)
    return camera_id


def _whep(request: web.Request) -> Whep:
    whep = request.app[PORTS].whep
    if whep is None:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, "there is no WebRTC: only MediaMTX has it", "install it, or watch another way"
        )
    return whep


async def _text(request: web.Request, kind: str) -> str:
    if request.content_type != kind:
        raise web.HTTPUnsupportedMediaType(text=f"the Content-Type has to be {kind}")
    body = await request.clone(client_max_size=_MOST_BYTES).read()
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise LivecamError(ErrorKind.INVALID, "the body is no SDP") from None
