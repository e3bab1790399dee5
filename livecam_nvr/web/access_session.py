"""Signing in and out, one's own password, and the first password of all, over HTTP."""

from typing import Any

from aiohttp import web

from livecam_nvr.core.access import Client, Door, SignedIn
from livecam_nvr.domain.access import Kind, Principal
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.access_credentials import COOKIE, identify, session_secrets
from livecam_nvr.web.keys import ACCESS
from livecam_nvr.web.orders import ordered, texts
from livecam_nvr.web.proxies import base_path, client_address, scheme

_KEPT_S = 30 * 86_400.0
_SIGN_IN = 'the body has to be like {"name": "anna", "password": "…"}'
_CHANGE = 'the body has to be like {"old": "…", "new": "…"}'
_SET_UP = 'the body has to be like {"code": "…", "name": "anna", "password": "…"}; the console shows the code'


async def get_session(request: web.Request) -> web.Response:
    """`GET /api/session`: who asks; open to everybody, so that the page knows what to show.

    Raises:
        LivecamError: UNAUTHENTICATED if a token or password is brought that is wrong.
    """
    gate = request.app[ACCESS].gate
    caller = await identify(request, gate, None)
    response = web.json_response(_json(request, caller.principal if caller else None))
    # Whoever comes back now and then stays signed in: how long the gate allows that is its affair.
    secret = next((secret for secret in session_secrets(request) if gate.session(secret)), None)
    if secret is not None:
        _give_cookie(request, response, secret, _KEPT_S)
    return response


async def sign_in(request: web.Request) -> web.Response:
    """`POST /api/session`: always a new session, whatever the browser had before."""
    name, password = texts(await ordered(request, ("name", "password"), _SIGN_IN), _SIGN_IN, "name", "password")
    signed = await request.app[ACCESS].gate.sign_in(name, password, _page(request))
    return await _begun(request, signed)


async def sign_out(request: web.Request) -> web.Response:
    """`DELETE /api/session`: what runs on it ends."""
    await _end_sessions(request)
    response = web.json_response({"signed_in": False})
    response.del_cookie(request.app[COOKIE], path=_cookie_path(request), httponly=True, samesite="Lax")
    return response


async def change_password(request: web.Request) -> web.Response:
    """`POST /api/session/password`: one's own; all other sessions of the user end.

    Raises:
        LivecamError: FORBIDDEN if the old password is wrong (it is no 401: the session is as good as before).
    """
    access, caller = request.app[ACCESS], caller_of(request)
    if caller.principal.kind is not Kind.USER:
        raise LivecamError(
            ErrorKind.FORBIDDEN, f"{caller.principal.words} has no password", "sign in as the user whose it is"
        )
    old, new = texts(await ordered(request, ("old", "new"), _CHANGE), _CHANGE, "old", "new")
    name = caller.principal.name
    try:
        proven = await access.gate.password(name, old, caller.client)
    except LivecamError as error:
        if error.kind is not ErrorKind.UNAUTHENTICATED:
            raise
        raise _wrong_password() from None
    if (proven.kind, proven.name) != (Kind.USER, name):
        raise _wrong_password()  # a token stands for a password elsewhere, but not here
    who, session = caller.principal.words, caller.principal.session
    await access.desk.set_password(name, new, by=who, client=caller.client, keep_session=session)
    return web.json_response({"name": name})


async def set_up(request: web.Request) -> web.Response:
    """`POST /api/setup`: makes the first user, who is signed in then."""
    body = await ordered(request, ("code", "name", "password"), _SET_UP)
    code, name, password = texts(body, _SET_UP, "code", "name", "password")
    return await _begun(request, await request.app[ACCESS].desk.set_up(code, name, password, _page(request)))


async def _begun(request: web.Request, signed: SignedIn) -> web.Response:
    # Whose session it was before does not come back by it, and nobody can have put it there to use it later.
    await _end_sessions(request)
    response = web.json_response(_json(request, signed.principal))
    _give_cookie(request, response, signed.secret, signed.lifetime_s)
    return response


def _give_cookie(request: web.Request, response: web.Response, secret: str, lifetime_s: float) -> None:
    response.set_cookie(
        request.app[COOKIE],
        secret,
        max_age=int(lifetime_s),
        path=_cookie_path(request),
        httponly=True,
        secure=scheme(request) == "https",
        # A link in a message opens as who is signed in; what changes something asks for the Origin besides.
        samesite="Lax",
    )


async def _end_sessions(request: web.Request) -> None:
    gate = request.app[ACCESS].gate
    for secret in session_secrets(request):
        if gate.session(secret) is not None:
            await gate.sign_out(secret, _page(request))


def _json(request: web.Request, principal: Principal | None) -> dict[str, Any]:
    gate = request.app[ACCESS].gate
    limit = principal.cameras if principal else None
    return {
        "signed_in": principal is not None and principal.kind is not Kind.DEMO,
        "setup": gate.needs_setup,
        "demo": gate.demo is not None,
        "name": principal.name if principal else None,
        "kind": principal.kind if principal else None,
        "role": principal.role if principal else None,
        "cameras": None if limit is None else sorted(limit),
    }


def _page(request: web.Request) -> Client:
    return Client(client_address(request), Door.PAGE)


def _cookie_path(request: web.Request) -> str:
    return base_path(request) or "/"


def _wrong_password() -> LivecamError:
    return LivecamError(ErrorKind.FORBIDDEN, "the old password is not right")
