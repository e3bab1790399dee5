"""Which address leads to which handler; docs/ref/http.md describes them all."""

from aiohttp import web

from livecam_nvr.web import (
    clips,
    control,
    events,
    events_in,
    exports,
    hls,
    live_mp4,
    live_ws,
    mjpeg,
    modes,
    onvif,
    pages,
    past,
    playback,
    playback_hls,
    quality,
    recordings,
    retention,
    snapshot,
    status,
    thumbnails,
)

_CAMERA = "/api/cameras/{camera_id}"


def routes() -> list[web.AbstractRouteDef]:
    """The whole table. Answers without an end have no HEAD."""
    return [
        web.get("/", pages.index),
        web.get("/past", pages.past),
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
        web.post(f"{_CAMERA}/mode", modes.set_mode),
        web.get(f"{_CAMERA}/quality", quality.get_quality),
        web.post(f"{_CAMERA}/quality", quality.set_quality),
        web.post(f"{_CAMERA}/restart", quality.restart),
        web.get("/api/discover", onvif.discover),
        web.get(f"{_CAMERA}/ptz", onvif.get_ptz),
        web.post(f"{_CAMERA}/ptz", onvif.set_ptz),
        web.get("/recordings/{path:.+}", recordings.get_recording),
    ]


def past_routes() -> list[web.AbstractRouteDef]:
    """What was recorded."""
    return [
        web.get(f"{_CAMERA}/coverage", past.get_coverage),
        web.get(f"{_CAMERA}/timeline", past.get_timeline),
        web.get(f"{_CAMERA}/days", past.get_days),
        web.get(f"{_CAMERA}/segments", playback.list_segments),
        web.get(f"{_CAMERA}/keyframes", playback.list_keyframes),
        web.get(f"{_CAMERA}/thumbnail.jpg", thumbnails.thumbnail),
        web.get(f"{_CAMERA}/playback.mp4", playback.get_mp4),
        web.get(f"{_CAMERA}/playback.m3u8", playback_hls.media_playlist),
        web.get(_CAMERA + r"/playback/{begin:\d{1,19}}/init.mp4", playback_hls.init),
        web.get(
            _CAMERA + r"/playback/{begin:\d{1,19}}-{end:\d{1,19}}/{position:\d{1,15}}.m4s", playback_hls.segment
        ),
        web.get(f"{_CAMERA}/events", events_in.list_events),
        web.post(f"{_CAMERA}/events", events_in.report),
        web.post(f"{_CAMERA}/keep", clips.keep),
        web.get("/api/clips", clips.list_clips),
        web.delete(r"/api/clips/{clip_id:\w{1,64}}", clips.release),
        web.get("/api/retention", retention.get_retention),
        web.get("/api/exports", exports.list_exports),
        web.post("/api/exports", exports.submit),
        web.get("/api/exports/{export_id}", exports.get_export),
        web.delete("/api/exports/{export_id}", exports.remove),
        web.get("/api/exports/{export_id}/file", exports.get_file),
    ]
