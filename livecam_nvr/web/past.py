"""What there is of a camera's past over HTTP: coverage, timeline, days."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.past import Ledger, Past
from livecam_nvr.domain.coverage import Coverage, Gap, Span
from livecam_nvr.domain.gap_words import in_words
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.query import time_range
from livecam_nvr.web.status import plain

PAST: web.AppKey[Past] = web.AppKey("PAST", Past)
LEDGER: web.AppKey[Ledger] = web.AppKey("LEDGER", Ledger)

_HOUR_S, _DAY_S = 3600, 86_400
_MOST_S = 366.0 * _DAY_S
_MOST_TIMELINE_S = 31.0 * _DAY_S
_MOST_GAPS = 5000


async def get_coverage(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/coverage?from=&to=`: how much was recorded, and why the rest was not.

    With the last hour and the last day besides, whatever the range.
    """
    camera_id = _camera(request)
    past, clock = request.app[PAST], request.app[PORTS].clock
    begin, end = time_range(request, clock, usual_s=_DAY_S, most_s=_MOST_S)
    now = clock.utc_ns()
    asked = await past.coverage(camera_id, begin, end)
    hour = await past.coverage(camera_id, now - _HOUR_S * NS, now)
    day = await past.coverage(camera_id, now - _DAY_S * NS, now)

    def text() -> str:
        gaps = asked.gaps[-_MOST_GAPS:]
        answer = {"camera_id": camera_id, **_sums(asked), "frames": asked.frames}
        answer |= {"gaps": [_gap(gap) for gap in gaps], "gaps_left_out": len(asked.gaps) - len(gaps)}
        return json.dumps(answer | {"last_hour": _sums(hour), "last_day": _sums(day)})

    return await _answer(text)


async def get_timeline(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/timeline?from=&to=`: footage, gaps, events and kept clips, in order."""
    camera_id = _camera(request)
    begin, end = time_range(request, request.app[PORTS].clock, usual_s=_DAY_S, most_s=_MOST_TIMELINE_S)
    found = await request.app[PAST].coverage(camera_id, begin, end)
    entries = await request.app[LEDGER].find(camera_id, (EntryKind.EVENT, EntryKind.CLIP), begin, end)

    def text() -> str:
        answer: dict[str, Any] = {"camera_id": camera_id, **_sums(found), "frames": found.frames}
        answer["spans"] = [_span(span) for span in found.spans]
        answer["gaps"] = [_gap(gap) for gap in found.gaps]
        answer["events"] = [_entry(entry) for entry in entries if entry.kind is EntryKind.EVENT]
        answer["clips"] = [_entry(entry) for entry in entries if entry.kind is EntryKind.CLIP]
        return json.dumps(answer)

    return await _answer(text)


async def get_days(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/days`: the local days with footage, oldest first."""
    days = await request.app[PAST].days(_camera(request))
    return web.json_response({"days": [plain(asdict(day)) for day in days]})


def _camera(request: web.Request) -> str:
    camera_id = request.match_info["camera_id"]
    request.app[PORTS].streams.hub(camera_id)
    return camera_id


async def _answer(text: Callable[[], str]) -> web.Response:
    # A month of events is megabytes of JSON, which must not hold up the streams.
    return web.Response(text=await asyncio.to_thread(text), content_type="application/json")


def _sums(found: Coverage) -> dict[str, Any]:
    return {
        **_span(found.range),
        "recorded_s": round(found.recorded_ns / NS, 3),
        "share": round(found.share, 6),
        "share_of_wanted": round(found.share_of_wanted, 6),
    }


def _span(span: Span) -> dict[str, Any]:
    return dict(
        plain({"begin_utc_ns": span.begin_utc_ns, "end_utc_ns": span.end_utc_ns, "duration_ns": span.duration_ns})
    )


def _gap(gap: Gap) -> dict[str, Any]:
    more = {"cause": gap.cause.value, "by": gap.by, "words": gap.words, "meant": gap.cause.meant}
    return {**_span(gap), **more, "text": in_words(gap)}


def _entry(entry: Entry) -> dict[str, Any]:
    times = plain({"begin_utc_ns": entry.begin_utc_ns, "end_utc_ns": entry.end_utc_ns})
    return {**entry.data, "id": entry.id, **times}
