"""The audit log over HTTP, for admins."""

from typing import Any

from aiohttp import web

from livecam_nvr.core.access import AuditEntry, Deed
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.keys import ACCESS
from livecam_nvr.web.query import moment, whole_number
from livecam_nvr.web.status import plain

_LIMITS = range(1, 1001)
_USUAL = 100


async def get_audit(request: web.Request) -> web.Response:
    """`GET /api/audit?limit=&before=&deed=&who=`: the newest first; `older` is the `before` of what follows."""
    limit = whole_number(request, "limit", _LIMITS) or _USUAL
    entries = await request.app[ACCESS].audit.read(
        limit=limit,
        before_utc_ns=moment(request, "before"),
        deed=_deed(request),
        who=request.query.get("who"),
    )
    last = entries[-1].utc_ns if len(entries) == limit else None
    older = None if last is None else f"{last // NS}.{last % NS:09d}"
    return web.json_response({"entries": [_json(entry) for entry in entries], "older": older})


def _deed(request: web.Request) -> Deed | None:
    text = request.query.get("deed")
    if text is None:
        return None
    try:
        return Deed(text)
    except ValueError:
        raise LivecamError(
            ErrorKind.INVALID, f"deed={text[:40]!r} is unknown", f"there are {', '.join(Deed)}"
        ) from None


def _json(entry: AuditEntry) -> dict[str, Any]:
    values = {
        "at_utc_ns": entry.utc_ns,
        "deed": entry.deed,
        "who": entry.who,
        "address": entry.client.address,
        "door": entry.client.door,
        "target": entry.target,
        "ok": entry.ok,
        "detail": entry.detail,
        "times": entry.times,
    }
    return dict(plain(values))
