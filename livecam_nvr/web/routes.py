"""Which address leads to which handler, and who may use it; docs/ref/http.md describes them all."""

from dataclasses import replace

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Role
from livecam_nvr.web import (
    access_audit,
    access_session,
    access_tickets,
    access_tokens,
    access_users,
    clips,
    control,
    diagnostics,
    enabled,
    events,
    events_in,
    exports,
    hls,
    home_assistant,
    live_mp4,
    live_ws,
    log,
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
    settings,
    snapshot,
    status,
    thumbnails,
    versions,
    whep,
)
from livecam_nvr.web.rules import (
    ADMIN,
    OPEN,
    OPERATOR,
    RECORDING_PATH,
    VIEWER,
    WATCHER,
    Rule,
    Ruled,
    delete,
    get,
    patch,
    post,
    static,
)

_CAMERA = "/api/cameras/{camera_id}"
_PAGE = Rule(Role.VIEWER, page=True)
_DOWNLOAD = Rule(Role.WATCHER, deed=Deed.DOWNLOAD)
_DIAGNOSTICS = replace(ADMIN, deed=Deed.DOWNLOAD)
_RECORDING = Rule(Role.WATCHER, camera=RECORDING_PATH, deed=Deed.DOWNLOAD)
_LIVE_PLAYLIST = Rule(Role.VIEWER, folder="")
_PAST_PLAYLIST = Rule(Role.WATCHER, folder="playback")
_WHOLE_HOUSE = Rule(Role.OPERATOR, whole=True)


def routes() -> list[Ruled]:
    """Everything but what was recorded, and who may come in."""
    return [
        get("/", pages.index, _PAGE),
        get("/past", pages.past, _PAGE),
        get("/wall", pages.wall, replace(_PAGE, query=("cameras", "labels"))),
        get("/system", pages.system, _PAGE),
        get("/manifest.webmanifest", pages.manifest, OPEN),
        static("/static", pages.STATIC),
        get("/healthz", status.healthz, OPEN),
        get("/api/status", status.get_status, VIEWER),
        get("/api/events", events.events, VIEWER, endless=True),
        get(f"{_CAMERA}/snapshot.jpg", snapshot.snapshot, VIEWER),
        get(f"{_CAMERA}/stream.mjpeg", mjpeg.mjpeg, VIEWER, endless=True),
        get(f"{_CAMERA}/live.mp4", live_mp4.live_mp4, VIEWER, endless=True),
        get(f"{_CAMERA}/live.ws", live_ws.live_ws, VIEWER, endless=True),
        post(f"{_CAMERA}/whep", whep.begin, VIEWER),
        patch(_CAMERA + "/whep/{session:[0-9a-f-]{1,64}}", whep.trickle, VIEWER),
        delete(_CAMERA + "/whep/{session:[0-9a-f-]{1,64}}", whep.end, VIEWER),
        get(_CAMERA + "/hls/index.m3u8", hls.master, _LIVE_PLAYLIST),
        get(_CAMERA + "/hls/live.m3u8", hls.media, _LIVE_PLAYLIST),
        get(_CAMERA + r"/hls/init-{run:\d{1,15}}.mp4", hls.init, VIEWER),
        get(_CAMERA + r"/hls/{sequence:\d{1,15}}.m4s", hls.segment, VIEWER),
        get(f"{_CAMERA}/recordings", recordings.list_recordings, WATCHER),
        post(f"{_CAMERA}/recording", control.set_recording, OPERATOR, Deed.RECORDING),
        post(f"{_CAMERA}/mode", modes.set_mode, OPERATOR, Deed.MODE),
        get(f"{_CAMERA}/quality", quality.get_quality, VIEWER),
        post(f"{_CAMERA}/quality", quality.set_quality, OPERATOR, Deed.QUALITY),
        post(f"{_CAMERA}/restart", quality.restart, OPERATOR, Deed.RESTART),
        post(f"{_CAMERA}/enabled", enabled.set_enabled, OPERATOR, Deed.ENABLED),
        get("/api/settings", settings.get_settings, ADMIN),
        post("/api/settings/check", settings.check, ADMIN),
        post("/api/settings", settings.apply, ADMIN, Deed.SETTINGS),
        get("/api/home-assistant", home_assistant.get_home_assistant, VIEWER),
        post("/api/home-assistant", home_assistant.carry, _WHOLE_HOUSE, Deed.HOME_ASSISTANT),
        get("/api/discover", onvif.discover, _WHOLE_HOUSE),
        get(f"{_CAMERA}/ptz", onvif.get_ptz, VIEWER),
        post(f"{_CAMERA}/ptz", onvif.set_ptz, OPERATOR, Deed.MOVE),
        get("/recordings/{path:.+}", recordings.get_recording, _RECORDING),
        get("/api/log", log.get_log, ADMIN),
        get("/api/versions", versions.get_versions, ADMIN),
        get("/api/diagnostics", diagnostics.get_diagnostics, _DIAGNOSTICS),
    ]


def past_routes() -> list[Ruled]:
    """What was recorded."""
    return [
        get(f"{_CAMERA}/coverage", past.get_coverage, WATCHER),
        get(f"{_CAMERA}/timeline", past.get_timeline, WATCHER),
        get(f"{_CAMERA}/days", past.get_days, WATCHER),
        get(f"{_CAMERA}/segments", playback.list_segments, WATCHER),
        get(f"{_CAMERA}/keyframes", playback.list_keyframes, WATCHER),
        get(f"{_CAMERA}/thumbnail.jpg", thumbnails.thumbnail, WATCHER),
        get(f"{_CAMERA}/playback.mp4", playback.get_mp4, _DOWNLOAD),
        get(f"{_CAMERA}/playback.m3u8", playback_hls.media_playlist, _PAST_PLAYLIST),
        get(_CAMERA + r"/playback/{begin:\d{1,19}}/init.mp4", playback_hls.init, WATCHER),
        get(
            _CAMERA + r"/playback/{begin:\d{1,19}}-{end:\d{1,19}}/{position:\d{1,15}}.m4s",
            playback_hls.segment,
            WATCHER,
        ),
        get(f"{_CAMERA}/events", events_in.list_events, WATCHER),
        post(f"{_CAMERA}/events", events_in.report, OPERATOR, Deed.EVENT),
        post(f"{_CAMERA}/keep", clips.keep, OPERATOR, Deed.KEEP),
        get("/api/clips", clips.list_clips, WATCHER),
        delete(r"/api/clips/{clip_id:\w{1,64}}", clips.release, OPERATOR, Deed.RELEASE),
        get("/api/retention", retention.get_retention, WATCHER),
        get("/api/exports", exports.list_exports, WATCHER),
        post("/api/exports", exports.submit, OPERATOR, Deed.EXPORT),
        get("/api/exports/{export_id}", exports.get_export, WATCHER),
        delete("/api/exports/{export_id}", exports.remove, OPERATOR, Deed.EXPORT_REMOVED),
        get("/api/exports/{export_id}/file", exports.get_file, _DOWNLOAD),
    ]


def access_routes() -> list[Ruled]:
    """Who may come in. What is done here is noted by the desk, which does it for the other doors, too."""
    return [
        get("/signin", pages.signin, OPEN),
        get("/setup", pages.setup, OPEN),
        get("/api/session", access_session.get_session, OPEN),
        post("/api/session", access_session.sign_in, OPEN),
        delete("/api/session", access_session.sign_out, VIEWER),
        post("/api/session/password", access_session.change_password, VIEWER),
        post("/api/setup", access_session.set_up, OPEN),
        post("/api/tickets", access_tickets.make_ticket, VIEWER),
        get("/api/users", access_users.list_users, ADMIN),
        post("/api/users", access_users.add_user, ADMIN),
        post("/api/users/{name}", access_users.change_user, ADMIN),
        delete("/api/users/{name}", access_users.remove_user, ADMIN),
        post("/api/users/{name}/password", access_users.set_password, ADMIN),
        get("/api/tokens", access_tokens.list_tokens, ADMIN),
        post("/api/tokens", access_tokens.add_token, ADMIN),
        delete("/api/tokens/{token_id}", access_tokens.remove_token, ADMIN),
        get("/api/audit", access_audit.get_audit, ADMIN),
    ]
