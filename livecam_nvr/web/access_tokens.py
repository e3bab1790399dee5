"""Tokens for machines over HTTP, for admins."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.access import TokenInfo
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.access_users import cameras_in, role_in
from livecam_nvr.web.keys import ACCESS, PORTS
from livecam_nvr.web.orders import ordered, texts
from livecam_nvr.web.query import moment_in
from livecam_nvr.web.status import plain

_NEW = (
    'the body has to be like {"name": "homeassistant", "role": "viewer", "cameras": ["cam0"],'
    ' "expires": "2027-11-21T00:00:00Z"}; without cameras, all of them; without `expires`, for ever'
)


async def list_tokens(request: web.Request) -> web.Response:
    """`GET /api/tokens`."""
    found = await request.app[ACCESS].desk.tokens()
    return web.json_response({"tokens": [_json(token) for token in found]})


async def add_token(request: web.Request) -> web.Response:
    """`POST /api/tokens`: 201, with the `token` itself, which is never shown again."""
    caller = caller_of(request)
    body = await ordered(request, ("name", "role", "cameras", "expires"), _NEW)
    (name,) = texts(body, _NEW, "name")
    expires = moment_in(body, "expires", _NEW) if body.get("expires") is not None else None
    if expires is not None and expires <= request.app[PORTS].clock.utc_ns():
        raise LivecamError(ErrorKind.INVALID, "`expires` lies in the past", _NEW)
    new = await request.app[ACCESS].desk.add_token(
        name,
        role_in(body, _NEW),
        cameras_in(body, _NEW),
        expires_utc_ns=expires,
        by=caller.principal.words,
        client=caller.client,
    )
    return web.json_response({**_json(new.info), "token": new.secret}, status=201)


async def remove_token(request: web.Request) -> web.Response:
    """`DELETE /api/tokens/{id}`: by its id or its name; what runs on it ends."""
    caller, token_id = caller_of(request), request.match_info["token_id"]
    await request.app[ACCESS].desk.remove_token(token_id, by=caller.principal.words, client=caller.client)
    return web.json_response({"id": token_id})


def _json(token: TokenInfo) -> dict[str, Any]:
    return dict(plain(asdict(token)))
