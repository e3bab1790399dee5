"""The archive over HTTP: the newest recordings, and the files."""

import asyncio
import io
import os
from dataclasses import asdict
from email.utils import formatdate

from aiohttp import web

from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.web.errors import error_response
from livecam_nvr.web.files import Opened, open_recording
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.query import whole_number
from livecam_nvr.web.ranges import UnsatisfiableError, parse_range
from livecam_nvr.web.status import plain

_LIMITS = range(1, 1001)
_USUAL_LIMIT = 50
_CHUNK_BYTES = 256 << 10


async def list_recordings(request: web.Request) -> web.Response:
    """`GET /api/cameras/{id}/recordings?limit=`: the newest first."""
    ports = request.app[PORTS]
    camera_id = request.match_info["camera_id"]
    ports.streams.hub(camera_id)
    limit = whole_number(request, "limit", _LIMITS) or _USUAL_LIMIT
    found = await ports.index.latest(camera_id, limit)
    return web.json_response({"recordings": [_segment_json(segment) for segment in found]})


def _segment_json(segment: Segment) -> dict[str, object]:
    # A 63-bit number is more than a JSON number can hold exactly (RFC 8259, section 6).
    return {"url": f"/recordings/{segment.path}", **plain(asdict(segment)), "run_id": str(segment.run_id)}


async def get_recording(request: web.Request) -> web.StreamResponse:
    """`GET /recordings/{path}`: a file, or one range of it; also the one being written, as far as it is."""
    ports = request.app[PORTS]
    path = request.match_info["path"]
    opened = await asyncio.to_thread(open_recording, ports.recordings, path)
    try:
        return await _send(request, opened, growing=_is_growing(request, path))
    except UnsatisfiableError as error:
        headers = {"Content-Range": f"bytes */{error.size}"}
        return error_response(416, error.kind, error.message, error.hint, headers)
    finally:
        opened.file.close()


def _is_growing(request: web.Request, path: str) -> bool:
    cameras = request.app[PORTS].status.status().cameras
    return any(camera.recording.current_path == path for camera in cameras)


async def _send(request: web.Request, opened: Opened, *, growing: bool) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "video/mp4"
    response.headers["Accept-Ranges"] = "bytes"
    etag = f'"{opened.mtime_ns:x}-{opened.size:x}"'
    modified = formatdate(opened.mtime_ns // NS, usegmt=True)
    if not growing:
        # A growing file has no validator: its beginning stays what it was, but no answer is the whole of it.
        response.headers.update({"ETag": etag, "Last-Modified": modified, "Cache-Control": "private, no-cache"})
        if _has_it(request.headers.get("If-None-Match", ""), etag):
            response.set_status(304)
            await response.prepare(request)
            return response
    wanted = None
    # Ranges are for GET alone (RFC 9110, section 14.2), and for the very file that If-Range means (13.1.5).
    if request.method == "GET" and request.headers.get("If-Range", etag) in (etag, modified):
        wanted = parse_range(request.headers.get("Range"), opened.size)
    if wanted is None:
        wanted = range(opened.size)
    else:
        response.set_status(206)
        response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{opened.size}"
    response.content_length = len(wanted)
    await response.prepare(request)
    if request.method == "GET":
        await _copy(response, opened.file, wanted)
    return response


def _has_it(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


async def _copy(response: web.StreamResponse, file: io.FileIO, wanted: range) -> None:
    at = wanted.start
    while at < wanted.stop:
        chunk = await asyncio.to_thread(os.pread, file.fileno(), min(_CHUNK_BYTES, wanted.stop - at), at)
        if not chunk:
            raise ConnectionResetError("the file became shorter while it was sent")
        await response.write(chunk)
        at += len(chunk)
