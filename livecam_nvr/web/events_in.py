"""Events in front of cameras over HTTP: reports of them, and what was reported."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.past import EventDesk
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Event
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered
from livecam_nvr.web.query import time_range
from livecam_nvr.web.status import plain

EVENTS: web.AppKey[EventDesk] = web.AppKey("EVENTS", EventDesk)
_WANTED = (
    'the body has to be like {"label": "motion"}, {"label": "motion", "state": "begin"},'
    ' {"label": "motion", "state": "end"} or {"label": "motion", "state": "moment", "lasted_s": 3}'
)
_SOURCE = "http"
_USUAL_S = 86_400.0
_MOST_S = 31 * 86_400.0


async def report(request: web.Request) -> web.Response:
    """`POST /api/cameras/{id}/events`: something begins, ends, or is over already; answers the event.

    That is null where something ends that did not last.
    """
    desk, camera_id = request.app[EVENTS], request.match_info["camera_id"]
    request.app[PORTS].recording.recording(camera_id)
    body = await ordered(request, ("label", "state", "lasted_s"), _WANTED)
    label, state, lasted_s = body.get("label"), body.get("state", "moment"), body.get("lasted_s", 0)
    if not isinstance(label, str):
        raise LivecamError(ErrorKind.INVALID, "the body has no label", _WANTED)
    if type(lasted_s) not in (int, float):
        raise LivecamError(ErrorKind.INVALID, "lasted_s is no number", _WANTED)
    if "lasted_s" in body and state != "moment":
        raise LivecamError(ErrorKind.INVALID, "lasted_s is only for what is over already", _WANTED)
    remark(request, f"{label[:40]}, {str(state)[:10]}")
    event: Event | None
    match state:
        case "begin":
            event = desk.begin_event(camera_id, label, _SOURCE)
        case "end":
            event = desk.end_event(camera_id, label, _SOURCE)
        case "moment":
            event = desk.report_event(camera_id, label, _SOURCE, lasted_s=lasted_s)
        case _:
            raise LivecamError(ErrorKind.INVALID, "the state is none of begin, end and moment", _WANTED)
    return web.json_response({"event": None if event is None else _json(event)})


async def list_events(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/events?from=&to=`: oldest first; the last day if no range is given."""
    ports = request.app[PORTS]
    camera_id = request.match_info["camera_id"]
    ports.recording.recording(camera_id)
    begin, end = time_range(request, ports.clock, usual_s=_USUAL_S, most_s=_MOST_S)
    found = await request.app[EVENTS].events(camera_id, begin, end)
    return web.json_response({"events": [_json(event) for event in found]})


def _json(event: Event) -> dict[str, Any]:
    return dict(plain(asdict(event)))
