"""Users over HTTP, for admins."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.access import UserInfo
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.keys import ACCESS
from livecam_nvr.web.orders import ordered, texts
from livecam_nvr.web.status import plain

_NEW = (
    'the body has to be like {"name": "anna", "password": "…", "role": "viewer", "cameras": ["cam0"]}; without'
    " cameras, or with null, all of them"
)
_CHANGE = 'the body has to be like {"role": "viewer"} or {"cameras": ["cam0"]}; null for all cameras'
_FRESH = 'the body has to be like {"password": "…"}'


async def list_users(request: web.Request) -> web.Response:
    """`GET /api/users`."""
    found = await request.app[ACCESS].desk.users()
    return web.json_response({"users": [_json(user) for user in found]})


async def add_user(request: web.Request) -> web.Response:
    """`POST /api/users`: 201."""
    caller = caller_of(request)
    body = await ordered(request, ("name", "password", "role", "cameras"), _NEW)
    name, password = texts(body, _NEW, "name", "password")
    role, cameras = role_in(body, _NEW), cameras_in(body, _NEW)
    who = caller.principal.words
    user = await request.app[ACCESS].desk.add_user(name, password, role, cameras, by=who, client=caller.client)
    return web.json_response(_json(user), status=201)


async def change_user(request: web.Request) -> web.Response:
    """`POST /api/users/{name}`: another role, other cameras; what runs on the old rights ends."""
    caller = caller_of(request)
    body = await ordered(request, ("role", "cameras"), _CHANGE)
    if not body:
        raise LivecamError(ErrorKind.INVALID, "the body asks for nothing", _CHANGE)
    cameras = cameras_in(body, _CHANGE)
    user = await request.app[ACCESS].desk.change_user(
        request.match_info["name"],
        role=role_in(body, _CHANGE) if "role" in body else None,
        cameras=cameras,
        all_cameras="cameras" in body and cameras is None,
        by=caller.principal.words,
        client=caller.client,
    )
    return web.json_response(_json(user))


async def set_password(request: web.Request) -> web.Response:
    """`POST /api/users/{name}/password`: a new one, without the old one; the user's sessions end."""
    caller, name = caller_of(request), request.match_info["name"]
    (password,) = texts(await ordered(request, ("password",), _FRESH), _FRESH, "password")
    keep = caller.principal.session if caller.principal.name == name else ""
    await request.app[ACCESS].desk.set_password(
        name, password, by=caller.principal.words, client=caller.client, keep_session=keep
    )
    return web.json_response({"name": name})


async def remove_user(request: web.Request) -> web.Response:
    """`DELETE /api/users/{name}`."""
    caller, name = caller_of(request), request.match_info["name"]
    await request.app[ACCESS].desk.remove_user(name, by=caller.principal.words, client=caller.client)
    return web.json_response({"name": name})


def role_in(body: dict[str, Any], wanted: str) -> Role:
    """The role in a body.

    Raises:
        LivecamError: INVALID if it is none.
    """
    try:
        return Role(str(body.get("role")))
    except ValueError:
        raise LivecamError(
            ErrorKind.INVALID, "the body names no role that there is", f"there are {', '.join(Role)}; {wanted}"
        ) from None


def cameras_in(body: dict[str, Any], wanted: str) -> list[str] | None:
    """The cameras in a body; None for all. Whether there are such cameras is for the desk to say.

    Raises:
        LivecamError: INVALID if it is no list.
    """
    cameras = body.get("cameras")
    if cameras is None:
        return None
    if not isinstance(cameras, list) or not all(isinstance(camera, str) for camera in cameras):
        raise LivecamError(ErrorKind.INVALID, "`cameras` is not a list of cameras", wanted)
    return cameras


def _json(user: UserInfo) -> dict[str, Any]:
    return dict(plain(asdict(user)))
