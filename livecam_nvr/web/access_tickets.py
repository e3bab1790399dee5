"""Tickets over HTTP: links that work for a while without a sign-in, for `<img>`, players and messages."""

from aiohttp import web
from yarl import URL

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import TICKET, caller_of
from livecam_nvr.web.access_guard import demand_camera, demand_role, ticket_path
from livecam_nvr.web.keys import ACCESS, PORTS
from livecam_nvr.web.orders import ordered, texts
from livecam_nvr.web.rules import RULES
from livecam_nvr.web.status import plain

_WANTED = 'the body has to be like {"path": "/api/cameras/cam0/snapshot.jpg", "seconds": 3600}'
_USUAL_S = 300


async def make_ticket(request: web.Request) -> web.Response:
    """`POST /api/tickets`: 201, a link for one address, or for a playlist and all that it names.

    Raises:
        LivecamError: INVALID if there are no tickets for the address, or none for so long; otherwise as the
            address itself would refuse its caller.
    """
    probe = request.clone(method="GET")  # can be had only before the body is read
    body = await ordered(request, ("path", "seconds"), _WANTED)
    (path,) = texts(body, _WANTED, "path")
    seconds = body.get("seconds", _USUAL_S)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise LivecamError(ErrorKind.INVALID, "`seconds` is no number", _WANTED)
    access, principal = request.app[ACCESS], caller_of(request).principal
    url = _own_address(path)
    match = await request.app.router.resolve(probe.clone(rel_url=url))
    if match.http_exception is not None:
        raise LivecamError(ErrorKind.NOT_FOUND, "there is nothing at this path that could be looked at", _WANTED)
    rule = request.app[RULES].rule_of(match.route)
    if rule is None or not rule.has_tickets:
        raise LivecamError(ErrorKind.INVALID, "there are no tickets for this address", _WANTED)
    demand_role(rule, principal)
    demand_camera(request, rule, match)
    if "camera_id" in match:
        request.app[PORTS].streams.hub(match["camera_id"])
    scope = url.raw_path if rule.folder is None else f"{ticket_path(rule, url.raw_path).rpartition('/')[0]}/*"
    ticket = access.gate.make_ticket(principal, scope, seconds)
    answer = {"url": str(url.update_query({TICKET: ticket.text})), "expires_utc_ns": ticket.expires_utc_ns}
    return web.json_response(plain(answer), status=201)


def _own_address(text: str) -> URL:
    """A path of ours, with its query, maybe without the slash at its begin.

    Raises:
        LivecamError: INVALID if it cannot be one.
    """
    try:
        url = URL(f"/{text.lstrip('/')}")
    except ValueError:
        url = URL()
    if url.absolute or not url.raw_path.startswith("/"):
        raise LivecamError(ErrorKind.INVALID, "`path` is no path of this service", _WANTED)
    return url.with_fragment(None)
