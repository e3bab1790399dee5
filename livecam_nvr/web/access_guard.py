"""The middleware that lets people in: finds out who asks, refuses by the route's rule, and notes what was done."""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.domain.access import Principal, not_allowed, not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import CALLER, Caller, ForeignError, demand_theirs
from livecam_nvr.web.access_credentials import RefusedError, identify
from livecam_nvr.web.deeds import detail_of, target_of
from livecam_nvr.web.files import no_such_recording
from livecam_nvr.web.keys import ACCESS, PORTS
from livecam_nvr.web.proxies import client_address
from livecam_nvr.web.rules import RECORDING_PATH, RULES, Rule

_PATH_LENGTH = 200
_SENT = (200, 206)
_READS = ("GET", "HEAD")


def access_guard() -> Middleware:
    """The middleware; the application has to have ACCESS, COOKIE, PORTS, PROXIES and RULES."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        match = request.match_info
        if match.http_exception is not None:
            return await handler(request)  # there is no such address, or not with this method
        rule = request.app[RULES].rule_of(match.route)
        if rule is None:
            raise RuntimeError(f"{request.method} {_path(request)} has no rule")
        if rule.least is None:
            return await handler(request)
        caller = await _admitted(request, rule)
        request[CALLER] = caller
        try:
            demand_role(rule, caller.principal)
            demand_camera(request, rule, match)
            return await _noted(request, rule, caller, handler)
        except (ForbiddenError, ForeignError):
            _note_refusal(request, caller.principal.words, caller.client)
            raise

    return admit


class ForbiddenError(LivecamError):
    """Their role is too weak."""


def demand_role(rule: Rule, principal: Principal) -> None:
    """Refuses whoever's role is too weak for a rule.

    Raises:
        ForbiddenError: It is.
    """
    if rule.least is None:
        return
    if not principal.role.includes(rule.least):
        error = not_allowed(principal, rule.least)
        raise ForbiddenError(error.kind, error.message, error.hint)
    if rule.whole and principal.cameras is not None:
        raise ForbiddenError(
            ErrorKind.FORBIDDEN,
            f"{principal.words} may not do this",
            f"it is for those who may see all cameras; {principal.words} may see only some",
        )


def demand_camera(request: web.Request, rule: Rule, match: Mapping[str, str]) -> None:
    """Refuses the camera that the parts of an address name, if it is not the caller's.

    Raises:
        ForeignError: NOT_FOUND, in the words for one that does not exist.
        LivecamError: NOT_FOUND, likewise, if it really does not.
    """
    if not rule.camera:
        return
    named = match[rule.camera]
    if rule.camera != RECORDING_PATH:
        demand_theirs(request, (named,), request.app[PORTS].streams.ids())
    elif not request[CALLER].principal.sees(named.partition("/")[0]):
        raise ForeignError.like(no_such_recording())


def ticket_path(rule: Rule, path: str) -> str:
    """The path that a ticket for an address has to be for; for a playlist, one among what it names."""
    if rule.folder is None:
        return path
    parent, _, name = path.rpartition("/")
    return "/".join(part for part in (parent, rule.folder, name) if part)


async def _admitted(request: web.Request, rule: Rule) -> Caller:
    gate = request.app[ACCESS].gate
    # A ticket opens nothing but what can be looked at.
    tickets = rule.has_tickets and request.method in _READS
    try:
        caller = await identify(request, gate, ticket_path(rule, request.rel_url.raw_path) if tickets else None)
    except RefusedError as error:
        _note_refusal(request, error.shown, Client(client_address(request), Door.HTTP))
        raise
    if caller is not None:
        return caller
    if rule.page:
        # Relative, so that it is right below any prefix; only ever the path of one of our pages, so that nobody is
        # led elsewhere by it.
        kept = urlencode({name: request.query[name] for name in rule.query if name in request.query})
        page = quote(request.path.lstrip("/") + (f"?{kept}" if kept else ""))
        raise web.HTTPSeeOther("setup" if gate.needs_setup else f"signin?next={page}" if page else "signin")
    if gate.needs_setup:
        raise not_signed_in(hint="open the page and set the first password; until then nobody gets in")
    raise not_signed_in()


async def _noted(request: web.Request, rule: Rule, caller: Caller, handler: Handler) -> web.StreamResponse:
    if rule.deed is None:
        return await handler(request)
    try:
        response = await handler(request)
    except (asyncio.CancelledError, ConnectionError):
        # Whoever did not wait for the answer has done it all the same.
        _note(request, rule.deed, caller)
        raise
    except ForeignError:
        raise
    except LivecamError as error:
        _note(request, rule.deed, caller, failed=error.message)
        raise
    except Exception:
        _note(request, rule.deed, caller, failed="it failed")
        raise
    if rule.deed is not Deed.DOWNLOAD or response.status in _SENT:
        _note(request, rule.deed, caller)
    return response


def _note(request: web.Request, deed: Deed, caller: Caller, *, failed: str = "") -> None:
    if deed is Deed.DOWNLOAD and (failed or request.method == "HEAD"):
        return  # nothing was carried away
    audit, who = request.app[ACCESS].audit, caller.principal.words
    detail = "; ".join(part for part in (detail_of(request), failed) if part)
    audit.note(deed, who, caller.client, target=target_of(request), ok=not failed, detail=detail)


def _note_refusal(request: web.Request, who: str, client: Client) -> None:
    target = f"{request.method} {_path(request)}"
    request.app[ACCESS].audit.note(Deed.REFUSED, who, client, target=target, ok=False)


def _path(request: web.Request) -> str:
    """Without the query, which may hold a ticket."""
    return request.rel_url.raw_path[:_PATH_LENGTH]
