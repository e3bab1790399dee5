"""A file as an answer: whole, or one range of it; broken off when its viewer is signed out."""

import asyncio
import io
import os
from email.utils import formatdate

from aiohttp import web

from livecam_nvr.domain.segment import NS
from livecam_nvr.web.access_caller import caller_of
from livecam_nvr.web.errors import error_response
from livecam_nvr.web.files import Opened
from livecam_nvr.web.keys import OPEN
from livecam_nvr.web.ranges import UnsatisfiableError, parse_range

_CHUNK_BYTES = 256 << 10


async def send_file(
    request: web.Request, opened: Opened, *, growing: bool = False, name: str = ""
) -> web.StreamResponse:
    """Sends an MP4 file.

    Args:
        request: What was asked.
        opened: The file; the caller closes it.
        growing: It is still being written: what is there now is sent.
        name: It is downloaded as that; empty: it is to be shown.

    Raises:
        LivecamError: As OpenStreams.held.
        ConnectionResetError: It became shorter while it was sent.
    """
    try:
        return await _answer(request, opened, growing=growing, name=name)
    except UnsatisfiableError as error:
        headers = {"Content-Range": f"bytes */{error.size}"}
        return error_response(416, error.kind, error.message, error.hint, headers)


async def _answer(request: web.Request, opened: Opened, *, growing: bool, name: str) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "video/mp4"
    response.headers["Accept-Ranges"] = "bytes"
    if name:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
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
    if request.method != "GET":
        await response.prepare(request)
        return response
    with request.app[OPEN].held(caller_of(request)) as stream:
        await response.prepare(request)
        await _copy(response, opened.file, wanted)
        return response
    if not response.prepared:
        raise stream.why()
    response.force_close()
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
