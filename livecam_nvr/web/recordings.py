"""The archive over HTTP: the newest recordings, and the files."""

import asyncio
from dataclasses import asdict

from aiohttp import web

from livecam_nvr.domain.segment import Segment
from livecam_nvr.web.file_answer import send_file
from livecam_nvr.web.files import open_recording
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.query import whole_number
from livecam_nvr.web.status import plain

_LIMITS = range(1, 1001)
_USUAL_LIMIT = 50


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
        return await send_file(request, opened, growing=_is_growing(request, path))
    finally:
        opened.file.close()


def _is_growing(request: web.Request, path: str) -> bool:
    cameras = request.app[PORTS].status.status().cameras
    return any(camera.recording.current_path == path for camera in cameras)
