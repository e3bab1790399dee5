"""Retention over HTTP: what the archive holds, and what limits would delete."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.retention import Forecast, RetentionDesk
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.forecast import DAY_S
from livecam_nvr.domain.retention import Limits, Rules
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.access_caller import caller_of, demand_theirs
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.status import plain

RETENTION: web.AppKey[RetentionDesk] = web.AppKey("RETENTION", RetentionDesk)

_FAR_DAYS = 36_500
_LIMITS = ("max_age_days", "event_max_age_days", "max_size", "keep_free")


async def get_retention(request: web.Request) -> web.Response:
    """`GET /api/retention?camera=&max_age_days=&event_max_age_days=&max_size=&keep_free=`: deletes nothing.

    The limits given take the place of the configured ones, of all cameras or of `camera`. The sums are
    those of the whole archive, also for those who may see only some of its cameras: the disk is one.
    """
    query = request.query
    if unknown := [name for name in query if name not in (*_LIMITS, "camera")]:
        raise LivecamError(
            ErrorKind.INVALID,
            f"the query has {unknown[0][:40]!r}, which is unknown",
            f"there are: camera, {', '.join(_LIMITS)}",
        )
    camera_id = query.get("camera")
    if camera_id is not None:
        demand_theirs(request, (camera_id,), request.app[PORTS].streams.ids())
    changes = {name: query[name] for name in _LIMITS if name in query}
    rules, found = await request.app[RETENTION].forecast(changes, camera_id)
    answer = forecast_json(rules, found, request.app[PORTS].clock.utc_ns())
    principal = caller_of(request).principal
    for name in ("cameras", "deletes"):
        answer[name] = [one for one in answer[name] if principal.sees(one["camera_id"])]
    return web.json_response(answer)


def forecast_json(rules: Rules, found: Forecast, now_utc_ns: int) -> dict[str, Any]:
    """The answer."""
    values: dict[str, Any] = {
        **asdict(found.status),
        "full_utc_ns": _moment(now_utc_ns, found.outlook.days_until_full),
        "days_until_deletion": found.outlook.days_until_deletion,
        "free_bytes": found.inventory.free_bytes,
        "disk_bytes": found.inventory.disk_bytes,
        "index_complete": found.inventory.complete,
        "limits": _limits_json(rules.whole),
        "cameras": [
            {
                **asdict(holding),
                "days_held": found.outlook.days_held.get(camera_id),
                "limits": _limits_json(rules.own(camera_id)),
            }
            for camera_id, holding in sorted(found.inventory.holdings.items())
        ],
        "deletes": [asdict(deletion) for deletion in found.deletions],
        "deletes_all": found.whole,
    }
    result: dict[str, Any] = plain(values)
    return result


def _limits_json(limits: Limits) -> dict[str, Any]:
    return {
        "max_age_days": _days(limits.max_age_ns),
        "event_max_age_days": _days(limits.event_max_age_ns),
        "max_size": limits.max_bytes,
        "keep_free": limits.keep_free_bytes,
    }


def _moment(now_utc_ns: int, in_days: float | None) -> int | None:
    # A disk that is full in a thousand years has no date that every program can read.
    return None if in_days is None or in_days > _FAR_DAYS else now_utc_ns + round(in_days * DAY_S * NS)


def _days(ns: int | None) -> float | None:
    return None if ns is None else ns / (DAY_S * NS)
