"""The settings over HTTP, for admins: the config's file as a form."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.settings import Effect, SettingsDesk
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender

_WANTED = 'the body has to be like {"revision": "…", "values": {…}}, both as GET /api/settings gives them'
_MOST_BYTES = 1 << 20


async def get_settings(request: web.Request) -> web.Response:
    """`GET /api/settings`."""
    found = await _desk(request).settings()
    answer = {
        "revision": found.revision,
        "schema": found.schema,
        "values": found.values,
        "defaults": found.defaults,
        "pending": _effects(found.pending),
    }
    return web.json_response(answer, headers={"Cache-Control": "no-store"})


async def check(request: web.Request) -> web.Response:
    """`POST /api/settings/check`: what they would do; changes nothing."""
    revision, values = await _asked(request)
    review = await _desk(request).check(revision, values)
    return web.json_response(
        {
            "mistakes": [asdict(mistake) for mistake in review.mistakes],
            "diff": review.diff,
            "effects": _effects(review.effects),
        }
    )


async def apply(request: web.Request) -> web.Response:
    """`POST /api/settings`: answers when they are in force, or when all is as it was before."""
    revision, values = await _asked(request)
    applied = await _desk(request).apply(revision, values, sender(request))
    remark(request, applied.words, target="config")
    return web.json_response({"applied": True, "revision": applied.revision, "effects": _effects(applied.effects)})


def _desk(request: web.Request) -> SettingsDesk:
    desk = request.app[PORTS].settings
    if desk is None:
        raise LivecamError(ErrorKind.UNAVAILABLE, "the settings of this service cannot be changed here")
    return desk


async def _asked(request: web.Request) -> tuple[str, dict[str, Any]]:
    body = await ordered(request.clone(client_max_size=_MOST_BYTES), ("revision", "values"), _WANTED)
    revision, values = body.get("revision"), body.get("values")
    if not isinstance(revision, str) or not isinstance(values, dict):
        raise LivecamError(ErrorKind.INVALID, "`revision` or `values` is missing", _WANTED)
    return revision, values


def _effects(effects: tuple[Effect, ...]) -> list[dict[str, Any]]:
    return [asdict(effect) for effect in effects]
