"""Which media server this machine gets; a search that failed is remembered, so that starts stay fast."""

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.ports import MediaServer
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.rtsp import gstreamer
from livecam_nvr.rtsp.binary import PINNED, Binary, cached_binary, find, server_dir
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.rtsp.nothing import NoServer
from livecam_nvr.runtime.clock import Clock

if TYPE_CHECKING:
    from livecam_nvr.rtsp.download import Progress

_log = logging.getLogger(__name__)

SEARCH_LIMIT_S = 5.0
_AGAIN_AFTER_S = 24 * 3600
_HINT = "run `livecam-nvr media-server install`, then start again"


@dataclass(frozen=True, slots=True)
class Outside:
    """What lies outside the service: where releases are, and the system's Python."""

    releases: str = ""
    """Their project's own if empty."""
    machine: str = ""
    """As `uname -m` calls it; this machine's if empty."""
    python: str = gstreamer.SYSTEM_PYTHON


OUTSIDE = Outside()


async def choose_media_server(
    config: Config, bus: EventBus, clock: Clock, doorkeeper: Doorkeeper, outside: Outside = OUTSIDE
) -> MediaServer:
    """The server that the config asks for, or that can be had; never raises, and takes at most some 5 s.

    `kind: auto` prefers MediaMTX (found or, once a day at most, fetched), then GStreamer. Where there is none, the
    returned server does nothing and its status says what to do. The doorkeeper has to start before the server.
    """
    kind = config.media_server.kind
    usable = await asyncio.to_thread(gstreamer.seems_installed, outside.python)
    if kind == "gstreamer":
        # Without the packages it says so by itself, and comes up by itself once they are there.
        return gstreamer.GStreamerServer(config, bus, clock, doorkeeper, python=outside.python)
    try:
        async with asyncio.timeout(SEARCH_LIMIT_S):
            binary = await _search(config, outside)
    except LivecamError as error:
        reason, hint = error.message, error.hint
    except TimeoutError:
        reason, hint = f"MediaMTX could not be fetched within {SEARCH_LIMIT_S:.0f} s", _HINT
        await asyncio.to_thread(_remember_failure, config.data_dir, reason)
    else:
        from livecam_nvr.rtsp.mediamtx import MediaMtxServer  # noqa: PLC0415 - not for those who have GStreamer

        return MediaMtxServer(config, binary.path, bus, clock, doorkeeper)
    if kind == "mediamtx":
        return NoServer("mediamtx", bus, clock, reason, hint)
    if usable:
        _log.warning("%s; RTSP is served by GStreamer, without WebRTC and LL-HLS (%s)", reason, hint)
        return gstreamer.GStreamerServer(config, bus, clock, doorkeeper, python=outside.python)
    hint = f"{hint}; or: {gstreamer.INSTALL_HINT}"
    return NoServer("none", bus, clock, f"{reason}, and GStreamer's RTSP server is not installed", hint)


async def install(config: Config, progress: "Progress | None" = None, outside: Outside = OUTSIDE) -> Binary:
    """Fetches MediaMTX on purpose, whatever happened before, and returns what was installed.

    `progress(bytes_here, bytes_in_all)` is called as it comes. Takes as long as it takes.

    Raises:
        LivecamError: see `download.fetch`.
    """
    # An HTTP client takes long to import, and most starts fetch nothing.
    from livecam_nvr.rtsp.download import RELEASES, fetch, release_for, this_machine  # noqa: PLC0415

    target = cached_binary(config.data_dir)
    release = release_for(outside.machine or this_machine(), outside.releases or RELEASES)
    version = await fetch(release, target, progress)
    await asyncio.to_thread(_failure_note(config.data_dir).unlink, missing_ok=True)
    return Binary(target, version)


async def _search(config: Config, outside: Outside) -> Binary:
    """A MediaMTX, found or fetched; raises LivecamError with the reason why there is none."""
    found = await find(config.media_server, config.data_dir)
    if found is not None:
        return found
    missing = f"there is no MediaMTX {PINNED} here"
    if not config.media_server.download:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"{missing}, and media_server.download is off", f"put it on PATH, or {_HINT}"
        )
    earlier = await asyncio.to_thread(_recent_failure, config.data_dir)
    if earlier is not None:
        raise LivecamError(ErrorKind.UNAVAILABLE, f"{missing} ({earlier})", _HINT)
    _log.info("%s; fetching it", missing)
    try:
        return await install(config, None, outside)
    except LivecamError as error:
        await asyncio.to_thread(_remember_failure, config.data_dir, error.message)
        raise LivecamError(error.kind, error.message, f"{error.hint}; {_HINT}") from error


def _failure_note(data_dir: Path) -> Path:
    return server_dir(data_dir) / "fetch-failed.json"


def _recent_failure(data_dir: Path) -> str | None:
    """Why fetching failed within the last day; wall time, because it has to outlive the machine's restarts."""
    try:
        note = json.loads(_failure_note(data_dir).read_text("utf-8"))
        age_s = time.time() - float(note["at_utc_s"])
        same = note["release"] == PINNED
        reason = str(note["reason"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # abs: a machine without a clock of its own may be behind after a start; that must not make the note void, nor
    # make it last for ever.
    return reason if same and abs(age_s) < _AGAIN_AFTER_S else None


def _remember_failure(data_dir: Path, reason: str) -> None:
    note = _failure_note(data_dir)
    content = {"at_utc_s": round(time.time()), "release": PINNED, "reason": reason}
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(content), "utf-8")
    except OSError as error:
        _log.warning("%s could not be written: %s", note, error.strerror)
