"""A service with recordings: what was recorded when is a list of spans, and all else follows from it."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from aiohttp import web

from fake_service import FakeService

FILE_S = 30
Span = tuple[datetime, datetime]


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc]


class FakeArchive(FakeService):
    """`asked` holds the paths and queries of all that was read."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.spans: list[Span] = []
        self.days: list[date] | None = None
        """As the service counts them; by UTC if it is None."""
        self.events: list[dict[str, Any]] = []
        self.clips: list[dict[str, Any]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.playlist = playlist_of("playback/1000/init.mp4", "playback/1000-7000/0.m4s", "playback/7000-9000/540.m4s")
        self.one_format = True
        self.unplugged = False
        """Files break off in the middle."""
        self.endless = False
        """Files have no end."""
        self.hangs = False
        """Stills never come."""
        self.left = 0
        """How many were left before their end."""

    def happened(self, label: str, begin: datetime, lasted_s: float | None = 0) -> None:
        """None: it still lasts."""
        end = None if lasted_s is None else begin + timedelta(seconds=lasted_s)
        event = {"id": f"e{len(self.events)}", "camera_id": "cam0", "label": label, "source": "http"}
        self.events.append({**event, **_times("begin", begin), **_times("end", end)})
        self.events.sort(key=lambda event: event["begin_utc_s"])

    def kept(self, title: str, begin: datetime, end: datetime) -> None:
        clip = {"id": f"c{len(self.clips)}", "camera_id": "cam0", "title": title, "by": "anna"}
        self.clips.insert(0, {**clip, **_times("begin", begin), **_times("end", end)})

    def paths_asked(self) -> list[str]:
        """Of the API, below the camera."""
        return [path.removeprefix("/api/cameras/cam0/") for path, _ in self.asked]

    def routes(self, app: web.Application) -> None:
        camera = "/api/cameras/{camera}"
        for path, handler in (
            (f"{camera}/days", self._days),
            (f"{camera}/timeline", self._timeline),
            (f"{camera}/segments", self._segments),
            (f"{camera}/events", self._events_of),
            ("/api/clips", self._clips),
            (f"{camera}/playback.m3u8", self._hls),
            (f"{camera}/playback.mp4", self._mp4),
            (f"{camera}/playback/{{begin}}/init.mp4", self._media),
            (f"{camera}/playback/{{range}}/{{position}}.m4s", self._media),
            (f"{camera}/stream.mjpeg", self._mjpeg),
            (f"{camera}/snapshot.jpg", self._still),
            ("/recordings/{path:.+}", self._file),
            ("/api/exports/{id}/file", self._file),
        ):
            app.router.add_get(path, self._noted(handler))
        super().routes(app)

    def _noted(self, handler: Any) -> Any:
        async def noted(request: web.Request) -> web.StreamResponse:
            self.asked.append((request.path, dict(request.query)))
            return await handler(request)

        return noted

    def _files(self) -> list[Span]:
        each = timedelta(seconds=FILE_S)
        found = []
        for begin, end in self.spans:
            at = begin
            while at < end:
                found.append((at, min(at + each, end)))
                at += each
        return found

    async def _days(self, request: web.Request) -> web.Response:
        days = sorted({begin.date() for begin, _ in self._files()}) if self.days is None else self.days
        sums = {"segments": 1, "frames": 1, "bytes": 1, "duration_s": 30.0}
        return web.json_response({"days": [{"day": day.isoformat(), **sums} for day in days]})

    async def _timeline(self, request: web.Request) -> web.Response:
        begin, end = _range(request)
        spans = [(max(a, begin), min(b, end)) for a, b in self.spans if a < end and b > begin]
        gaps = [
            {
                **_times("begin", a[1]),
                **_times("end", b[0]),
                "cause": "x",
                "by": "",
                "words": "",
                "meant": True,
                "text": "",
            }
            for a, b in pairwise(spans)
        ]
        return web.json_response(
            {
                **_times("begin", begin),
                **_times("end", end),
                "recorded_s": sum((b - a).total_seconds() for a, b in spans),
                "share": 1.0,
                "share_of_wanted": 1.0,
                "spans": [{**_times("begin", a), **_times("end", b)} for a, b in spans],
                "gaps": gaps,
                "events": _touching(self.events, begin, end),
                "clips": _touching(self.clips, begin, end),
            }
        )

    async def _segments(self, request: web.Request) -> web.Response:
        begin, end = _range(request)
        found = [(a, b) for a, b in self._files() if a < end and b > begin][: int(request.query["limit"])]
        segments = [
            {
                "url": "/x",
                "path": f"cam0/{a:%y%m%d}/cam0_{a:%Y%m%d_%H%M%S}.mp4",
                "start_utc": a.isoformat(),
                "duration_s": (b - a).total_seconds(),
                "frames": 1,
                "bytes": 1,
                "codec": "avc1",
                "width": 640,
                "height": 360,
            }
            for a, b in found
        ]
        ends = {"from_utc": begin.isoformat(), "to_utc": end.isoformat(), "recording_since_utc": None, "more": False}
        return web.json_response({**ends, "segments": segments, "gaps": []})

    async def _events_of(self, request: web.Request) -> web.Response:
        begin, end = _range(request)
        if (end - begin).days >= 31:
            error = {"kind": "invalid", "message": "the range is longer than 31 days", "hint": ""}
            return web.json_response({"error": error}, status=400)
        return web.json_response({"events": _touching(self.events, begin, end)})

    async def _clips(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"clips": [clip for clip in self.clips if clip["camera_id"] == request.query["camera"]]}
        )

    async def _hls(self, request: web.Request) -> web.Response:
        if "from" not in request.query or request.query["from"] == "1000":
            error = {"kind": "not_found", "message": "nothing is recorded then", "hint": "the next begins later"}
            return web.json_response({"error": error}, status=404)
        return web.Response(text=self.playlist, content_type="application/vnd.apple.mpegurl")

    async def _mp4(self, request: web.Request) -> web.StreamResponse:
        if not self.one_format:
            error = {"kind": "conflict", "message": "one file cannot hold the formats of this range", "hint": ""}
            return web.json_response({"error": error}, status=409)
        return await self._file(request)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=request.path.encode(), content_type="video/mp4")

    async def _still(self, request: web.Request) -> web.StreamResponse:
        if self.hangs:
            await asyncio.Event().wait()
        return await self._picture(request)

    async def _mjpeg(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace;boundary=frame"})
        await response.prepare(request)
        await response.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\none\r\n")
        await response.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\ntwo\r\n")
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if self.unplugged:
            response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": "1000000"})
            await response.prepare(request)
            await response.write(b"x" * 100_000)
            assert request.transport is not None
            request.transport.abort()
            return response
        if self.endless:
            response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
            await response.prepare(request)
            try:
                while True:
                    await response.write(b"x" * 100_000)
            finally:
                self.left += 1
        return web.FileResponse(self.folder / "film.mp4", headers={"Cache-Control": "private, no-cache"})


def playlist_of(init: str, *media: str) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:6", f'#EXT-X-MAP:URI="{init}"']
    for name in media:
        lines += ["#EXTINF:6.000000,", name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _times(name: str, at: datetime | None) -> dict[str, Any]:
    if at is None:
        return {f"{name}_utc": None, f"{name}_utc_s": None}
    return {f"{name}_utc": at.isoformat(), f"{name}_utc_s": at.timestamp()}


def _range(request: web.Request) -> Span:
    return datetime.fromisoformat(request.query["from"]), datetime.fromisoformat(request.query["to"])


def _touching(entries: list[dict[str, Any]], begin: datetime, end: datetime) -> list[dict[str, Any]]:
    return [
        one
        for one in entries
        if one["begin_utc_s"] < end.timestamp() and (one["end_utc_s"] is None or one["end_utc_s"] >= begin.timestamp())
    ]
