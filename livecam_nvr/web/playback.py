"""What was recorded, as one file, and as lists of what there is."""

from dataclasses import asdict

from aiohttp import web
from yarl import URL

from livecam_nvr.core.past import Piece
from livecam_nvr.domain.segment import NS, Segment, segment_path
from livecam_nvr.web.access_caller import TICKET
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.errors import error_response
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.playback_film import film_of, read_film
from livecam_nvr.web.playback_keys import FOOTAGE
from livecam_nvr.web.playback_range import MOST_S, asked_range, camera_of, footage_of, since_1970
from livecam_nvr.web.playback_send import send
from livecam_nvr.web.query import time_range, whole_number
from livecam_nvr.web.ranges import UnsatisfiableError, parse_range
from livecam_nvr.web.status import iso, plain

_FILES = range(1, 10_001)
_USUAL_FILES = 1000
_MOST_FILES_S = 366 * 86_400.0
_KEYFRAMES = range(1, 10_001)
_USUAL_KEYFRAMES = 200
_SHORTEST_GAP_NS = NS // 2
_MS_NS = 1_000_000


async def get_mp4(request: web.Request) -> web.StreamResponse:
    """`playback.mp4?from=&to=&download=`: the range as one fragmented MP4, or a part of its bytes."""
    begin, end, goes_on = asked_range(request)
    footage = request.app[FOOTAGE]
    pieces = await footage_of(request, begin, end)
    if goes_on:
        # A player asks for one part after the other: each time the whole has to be the same.
        return _found(request, begin, pieces[-1].end_utc_ns - 1)
    film = film_of(footage, pieces)
    remark(request, f"from {iso(begin)} to {iso(end)}")
    response = web.StreamResponse(headers={"Content-Type": pieces[0].mime, "Accept-Ranges": "bytes"})
    response.headers.update({"ETag": film.etag, "Cache-Control": "private, no-cache"})
    if request.query.get("download") == "1":
        response.headers["Content-Disposition"] = f'attachment; filename="{_name(request, pieces)}"'
    wanted = range(film.size)
    # Ranges are for GET alone (RFC 9110, section 14.2), and for the very file that If-Range means (13.1.5).
    if request.method == "GET" and request.headers.get("If-Range", film.etag) == film.etag:
        try:
            asked = parse_range(request.headers.get("Range"), film.size)
        except UnsatisfiableError as error:
            headers = {"Content-Range": f"bytes */{error.size}"}
            return error_response(416, error.kind, error.message, error.hint, headers)
        if asked is not None:
            wanted = asked
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{film.size}"
    return await send(request, response, read_film(footage, film, wanted), len(wanted))


def _found(request: web.Request, begin_utc_ns: int, end_utc_ns: int) -> web.Response:
    query = {"from": _seconds(begin_utc_ns), "to": _seconds(end_utc_ns)}
    for name in ("download", TICKET):
        if name in request.query:
            query[name] = request.query[name]
    # Relative, so that it is right below any prefix.
    return web.Response(status=302, headers={"Location": str(URL("playback.mp4").with_query(query))})


def _seconds(utc_ns: int) -> str:
    return f"{utc_ns // NS}.{utc_ns % NS:09d}"


def _name(request: web.Request, pieces: list[Piece]) -> str:
    """`cam0_20261121_093000-20261121_094000.mp4`, in local time."""
    clock = request.app[PORTS].clock
    begin, end = pieces[0].begin_utc_ns, pieces[-1].end_utc_ns
    first, last = (segment_path(pieces[0].camera_id, at, clock.utc_offset_s(at)).stem for at in (begin, end))
    return f"{first}-{last.removeprefix(f'{pieces[0].camera_id}_')}.mp4"


async def list_segments(request: web.Request) -> web.Response:
    """`segments?from=&to=&limit=`: the files that touch a range, oldest first, and where there are none."""
    ports = request.app[PORTS]
    camera_id = camera_of(request)
    begin, end = since_1970(*time_range(request, ports.clock, usual_s=MOST_S, most_s=_MOST_FILES_S))
    limit = whole_number(request, "limit", _FILES) or _USUAL_FILES
    found = await ports.index.between(camera_id, begin, end, limit + 1)
    listed = found[:limit]
    if len(found) > limit:
        end = found[limit].start_utc_ns
    growing = next((c.recording for c in ports.status.status().cameras if c.id == camera_id), None)
    since = growing.since_utc_ns if growing is not None and growing.active else None
    covered = end if since is None else min(end, since)
    return web.json_response(
        {
            "from_utc": iso(begin),
            "to_utc": iso(end),
            "segments": [_segment(segment) for segment in listed],
            "gaps": [plain({"begin_utc_ns": a, "end_utc_ns": b}) for a, b in _gaps(listed, begin, covered)],
            "recording_since_utc": None if since is None else iso(since),
            "more": len(found) > limit,
        }
    )


def _segment(segment: Segment) -> dict[str, object]:
    # A 63-bit number is more than a JSON number can hold exactly (RFC 8259, section 6).
    return {"url": f"/recordings/{segment.path}", **plain(asdict(segment)), "run_id": str(segment.run_id)}


def _gaps(segments: list[Segment], begin_utc_ns: int, end_utc_ns: int) -> list[tuple[int, int]]:
    gaps: list[tuple[int, int]] = []
    at = begin_utc_ns
    for segment in segments:
        if segment.start_utc_ns - at >= _SHORTEST_GAP_NS:
            gaps.append((at, segment.start_utc_ns))
        at = max(at, segment.end_utc_ns)
    if end_utc_ns - at >= _SHORTEST_GAP_NS:
        gaps.append((at, end_utc_ns))
    return gaps


async def list_keyframes(request: web.Request) -> web.Response:
    """`keyframes?from=&to=&limit=`: when keyframes were taken, evenly thinned, for `thumbnail.jpg?at=`."""
    begin, end, _ = asked_range(request)
    limit = whole_number(request, "limit", _KEYFRAMES) or _USUAL_KEYFRAMES
    pieces = await footage_of(request, begin, end)
    times = [
        part.begin_utc_ns + time * NS // piece.timescale
        for piece in pieces
        for part in piece.parts
        for _, time in part.keys
    ]
    step = max(1.0, len(times) / limit)
    some = [times[round(number * step)] for number in range(min(limit, len(times)))]
    # Rounded up, so that whoever asks for the picture at that time gets this keyframe and not the one before.
    return web.json_response({"at_utc_s": [-(-time // _MS_NS) / 1000 for time in some], "all": len(times)})
