"""Which address leads to which handler; docs/ref/http.md describes them all."""

from aiohttp import web

from livecam_nvr.web import (
    control,
    events,
    hls,
    live_mp4,
    live_ws,
    mjpeg,
    onvif,
    pages,
    quality,
    recordings,
    snapshot,
    status,
)

_CAMERA = "/api/cameras/{camera_id}"


def routes() -> list[web.AbstractRouteDef]:
    """The whole table. Answers without an end have no HEAD."""
    return [
        web.get("/", pages.index),
        web.static("/static", pages.STATIC),
        web.get("/healthz", status.healthz),
        web.get("/api/status", status.get_status),
        web.get("/api/events", events.events, allow_head=False),
        web.get(f"{_CAMERA}/snapshot.jpg", snapshot.snapshot),
        web.get(f"{_CAMERA}/stream.mjpeg", mjpeg.mjpeg, allow_head=False),
        web.get(f"{_CAMERA}/live.mp4", live_mp4.live_mp4, allow_head=False),
        web.get(f"{_CAMERA}/live.ws", live_ws.live_ws, allow_head=False),
        web.get(_CAMERA + "/hls/index.m3u8", hls.master),
        web.get(_CAMERA + "/hls/live.m3u8", hls.media),
        web.get(_CAMERA + r"/hls/init-{run:\d{1,15}}.mp4", hls.init),
        web.get(_CAMERA + r"/hls/{sequence:\d{1,15}}.m4s", hls.segment),
        web.get(f"{_CAMERA}/recordings", recordings.list_recordings),
        web.post(f"{_CAMERA}/recording", control.set_recording),
        web.get(f"{_CAMERA}/quality", quality.get_quality),
        web.post(f"{_CAMERA}/quality", quality.set_quality),
        web.post(f"{_CAMERA}/restart", quality.restart),
        web.get("/api/discover", onvif.discover),
        web.get(f"{_CAMERA}/ptz", onvif.get_ptz),
        web.post(f"{_CAMERA}/ptz", onvif.set_ptz),
        web.get("/recordings/{path:.+}", recordings.get_recording),
    ]
