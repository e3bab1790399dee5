"""Exports over HTTP: orders, how far they are, and the files."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.exports import ExportRequest, Exports, ExportState, ExportStatus, no_such_export
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import ForeignError, demand_theirs, theirs
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.file_answer import send_file
from livecam_nvr.web.files import open_made
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.query import moment_in
from livecam_nvr.web.status import iso, plain

EXPORTS: web.AppKey[Exports] = web.AppKey("EXPORTS", Exports)

_KEYS = ("cameras", "from", "to", "exact", "title")
_WANTED = (
    '{"cameras": ["cam0"], "from": "2026-11-21T09:30:00Z", "to": "2026-11-21T09:31:00Z", "exact": false,'
    ' "title": ""} is needed; exact and title may be left out'
)


async def submit(request: web.Request) -> web.Response:
    """`POST /api/exports`: 202, and where to ask how far it is."""
    wanted = _request(await ordered(request, _KEYS, _WANTED))
    demand_theirs(request, wanted.cameras, request.app[PORTS].streams.ids())
    status = request.app[EXPORTS].submit(wanted, sender(request))
    begin, end = iso(wanted.begin_utc_ns), iso(wanted.end_utc_ns)
    remark(request, f"{', '.join(wanted.cameras)} from {begin} to {end}", target=status.id)
    return web.json_response(_json(status), status=202, headers={"Location": f"/api/exports/{status.id}"})


async def list_exports(request: web.Request) -> web.Response:
    """`GET /api/exports`: all there are of their cameras, newest first."""
    found = request.app[EXPORTS].exports()
    return web.json_response({"exports": [_json(status) for status in found if _is_theirs(request, status)]})


async def get_export(request: web.Request) -> web.Response:
    """`GET /api/exports/{id}`: one of them, with the files it was made from."""
    status = _export(request)
    segments = status.report.segments if status.report else ()
    return web.json_response({**_json(status), "segments": [plain(asdict(one)) for one in segments]})


async def remove(request: web.Request) -> web.Response:
    """`DELETE /api/exports/{id}`: gives it up, or deletes what was made."""
    status = await request.app[EXPORTS].remove(_export(request).id, sender(request))
    remark(request, status.name)
    return web.json_response(_json(status))


async def get_file(request: web.Request) -> web.StreamResponse:
    """`GET /api/exports/{id}/file`: the MP4, or a range of it."""
    status = _export(request)
    remark(request, status.name)
    opened = await asyncio.to_thread(open_made, request.app[EXPORTS].file(status.id))
    try:
        return await send_file(request, opened, name=status.name)
    finally:
        opened.file.close()


def _export(request: web.Request) -> ExportStatus:
    """The export that the address names.

    Raises:
        LivecamError: NOT_FOUND, also for one that shows a camera which is not theirs.
    """
    exports = request.app[EXPORTS]
    status = exports.export(request.match_info["export_id"])
    if not _is_theirs(request, status):
        raise ForeignError.like(no_such_export())
    return status


def _is_theirs(request: web.Request, status: ExportStatus) -> bool:
    return len(theirs(request, status.request.cameras)) == len(status.request.cameras)


def _request(body: Mapping[str, Any]) -> ExportRequest:
    cameras, exact, title = body.get("cameras"), body.get("exact", False), body.get("title", "")
    if not isinstance(cameras, list) or not all(isinstance(one, str) for one in cameras):
        raise LivecamError(ErrorKind.INVALID, "`cameras` is not a list of cameras", _WANTED)
    if not isinstance(exact, bool) or not isinstance(title, str):
        raise LivecamError(ErrorKind.INVALID, "`exact` or `title` is not right", _WANTED)
    begin, end = (moment_in(body, name, _WANTED) for name in ("from", "to"))
    return ExportRequest(tuple(cameras), begin, end, exact, title)


def _json(status: ExportStatus) -> dict[str, Any]:
    done, report, request = status.state is ExportState.DONE, status.report, status.request
    values: dict[str, Any] = {
        "id": status.id,
        "state": status.state.value,
        "progress": round(status.progress, 3),
        "words": status.words,
        "cameras": list(request.cameras),
        "from_utc_ns": request.begin_utc_ns,
        "to_utc_ns": request.end_utc_ns,
        "exact": request.exact,
        "title": request.title,
        "created_utc_ns": status.created_utc_ns,
        "finished_utc_ns": status.finished_utc_ns,
        "name": status.name,
        "url": f"/api/exports/{status.id}/file" if done else None,
    }
    if report is not None:
        values |= {
            "size": report.bytes,
            "frames": report.frames,
            "recoded": report.recoded,
            "begin_utc_ns": report.begin_utc_ns,
            "duration_ns": report.duration_ns,
            "gaps": [asdict(gap) for gap in report.gaps],
            "notes": list(report.notes),
        }
    result: dict[str, Any] = plain(values)
    return result
