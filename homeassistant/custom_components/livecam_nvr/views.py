"""What was recorded, for browsers: Home Assistant lets them in, and hands on what the service answers.

A caller chooses among the few paths below and nothing else: cameras are looked up, times are numbers, and files
have names as the service gives them.
"""

import re
from http import HTTPStatus

import aiohttp
from aiohttp import hdrs, web
from homeassistant.components.http import KEY_HASS, KEY_HASS_REFRESH_TOKEN_ID, HomeAssistantView
from homeassistant.components.media_player import CONTENT_AUTH_EXPIRY_TIME
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client import ApiError, LivecamClient
from .client.transport import camera_path
from .const import DOMAIN
from .coordinator import LivecamConfigEntry
from .relay import refusal, relay
from .tickets import make_ticket, ticket_is_valid

_BASE = f"/api/{DOMAIN}"
_ENTRY = r"{entry_id:[0-9A-Za-z]{1,64}}"
_CAMERA = r"{camera_id:[a-z0-9_-]{1,32}}"
_SECONDS = r"[0-9]{1,11}"
_NANOSECONDS = r"[0-9]{1,19}"
# As the service's own: no part begins with a dot, so that none leads out of the folder.
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}"

# Each line of a playlist that names something: `playback/BEGIN/init.mp4`, `playback/BEGIN-END/POSITION.m4s`.
_MEDIA = rf"{_NANOSECONDS}/init\.mp4|{_NANOSECONDS}-{_NANOSECONDS}/{_NANOSECONDS}\.m4s"
_NAMED = re.compile(rf'(?P<head>#EXT-X-MAP:URI=")?playback/(?P<name>{_MEDIA})(?P<tail>"?)')
_PLAYLIST = "application/vnd.apple.mpegurl"
_THUMBNAIL_HEIGHT = 180
_MARGIN_S = 3.0
"""Of the two machines' clocks, and of what is on its way to the disk."""


@callback
def async_register_views(hass: HomeAssistant) -> None:
    """Once for all entries."""
    for view in (ThumbnailView(), PictureView(), FileView(), FilmView(), PlaylistView(), SegmentView(), ExportView()):
        hass.http.register_view(view)


@callback
def thumbnail_path(entry_id: str, camera_id: str, at_s: int) -> str:
    """The stored picture at a moment or before it."""
    return f"{_BASE}/{entry_id}/thumbnail/{camera_id}/{at_s}"


@callback
def picture_path(entry_id: str, camera_id: str) -> str:
    """A small picture of how it is now."""
    return f"{_BASE}/{entry_id}/picture/{camera_id}"


@callback
def file_path(entry_id: str, path: str) -> str:
    """A file of the archive, by its path there."""
    return f"{_BASE}/{entry_id}/file/{path}"


@callback
def film_path(entry_id: str, camera_id: str, begin_s: int, end_s: int, *, ending: str = "m3u8") -> str:
    """What was recorded between two moments: HLS, or, with the ending `mp4`, one file."""
    return f"{_BASE}/{entry_id}/film/{camera_id}/{begin_s}-{end_s}.{ending}"


@callback
def export_path(entry_id: str, export_id: str) -> str:
    """The file of an export that is done."""
    return f"{_BASE}/{entry_id}/export/{export_id}.mp4"


class _View(HomeAssistantView):
    """One of ours."""

    def _entry(self, request: web.Request, entry_id: str, camera_id: str = "") -> LivecamConfigEntry:
        """The entry, if it is loaded and has that camera.

        Raises:
            HTTPNotFound: It is not one of ours, does not run, or has no such camera.
        """
        entry: LivecamConfigEntry | None = request.app[KEY_HASS].config_entries.async_get_entry(entry_id)
        if entry is None or entry.domain != DOMAIN or entry.state is not ConfigEntryState.LOADED:
            raise web.HTTPNotFound
        if camera_id and entry.runtime_data.coordinator.camera(camera_id) is None:
            raise web.HTTPNotFound
        return entry

    def _client(self, request: web.Request, entry_id: str, camera_id: str = "") -> LivecamClient:
        return self._entry(request, entry_id, camera_id).runtime_data.client


class ThumbnailView(_View):
    """Stored pictures."""

    url = f"{_BASE}/{_ENTRY}/thumbnail/{_CAMERA}/{{at:{_SECONDS}}}"
    name = f"api:{DOMAIN}:thumbnail"

    async def get(self, request: web.Request, entry_id: str, camera_id: str, at: str) -> web.StreamResponse:
        """As JPEG."""
        query = {"at": at, "height": str(_THUMBNAIL_HEIGHT)}
        client = self._client(request, entry_id, camera_id)
        return await relay(request, client, camera_path(camera_id, "thumbnail.jpg"), query)


class PictureView(_View):
    """Small pictures of now."""

    url = f"{_BASE}/{_ENTRY}/picture/{_CAMERA}"
    name = f"api:{DOMAIN}:picture"

    async def get(self, request: web.Request, entry_id: str, camera_id: str) -> web.StreamResponse:
        """As JPEG."""
        client = self._client(request, entry_id, camera_id)
        return await relay(request, client, camera_path(camera_id, "snapshot.jpg"), {"height": str(_THUMBNAIL_HEIGHT)})


class FileView(_View):
    """Files of the archive."""

    url = rf"{_BASE}/{_ENTRY}/file/{_CAMERA}/{{path:{_PART}(?:/{_PART}){{0,4}}\.mp4}}"
    name = f"api:{DOMAIN}:file"

    async def get(self, request: web.Request, entry_id: str, camera_id: str, path: str) -> web.StreamResponse:
        """The whole file, or the range that was asked for."""
        client = self._client(request, entry_id, camera_id)
        return await relay(request, client, f"/recordings/{camera_id}/{path}")

    head = get


class FilmView(_View):
    """What was recorded between two moments, as one file."""

    url = rf"{_BASE}/{_ENTRY}/film/{_CAMERA}/{{begin:{_SECONDS}}}-{{end:{_SECONDS}}}.mp4"
    name = f"api:{DOMAIN}:film"

    async def get(
        self, request: web.Request, entry_id: str, camera_id: str, begin: str, end: str
    ) -> web.StreamResponse:
        """All of it, or the range that was asked for."""
        client = self._client(request, entry_id, camera_id)
        return await relay(request, client, camera_path(camera_id, "playback.mp4"), until_now(int(begin), int(end)))

    head = get


class PlaylistView(_View):
    """What was recorded between two moments, as HLS."""

    url = rf"{_BASE}/{_ENTRY}/film/{_CAMERA}/{{begin:{_SECONDS}}}-{{end:{_SECONDS}}}.m3u8"
    name = f"api:{DOMAIN}:playlist"

    async def get(self, request: web.Request, entry_id: str, camera_id: str, begin: str, end: str) -> web.Response:
        """The playlist; what it names needs no credentials but the ticket in it."""
        client = self._client(request, entry_id, camera_id)
        path = camera_path(camera_id, "playback.m3u8")
        try:
            async with client.request("GET", path, params=until_now(int(begin), int(end))) as answer:
                if answer.status != HTTPStatus.OK:
                    return await refusal(answer)
                text = await answer.text()
        except ApiError as error:
            return web.Response(status=HTTPStatus.BAD_GATEWAY, text=error.words)
        except aiohttp.ClientError, TimeoutError, OSError:
            return web.Response(status=HTTPStatus.BAD_GATEWAY, text="the service broke off")
        session, scope = request[KEY_HASS_REFRESH_TOKEN_ID], _scope(entry_id, camera_id)
        ticket = make_ticket(request.app[KEY_HASS], scope, session, CONTENT_AUTH_EXPIRY_TIME)
        return web.Response(
            text=_with_ticket(text, ticket), content_type=_PLAYLIST, headers={hdrs.CACHE_CONTROL: "no-store"}
        )


class SegmentView(_View):
    """What playlists name."""

    # Players get these by themselves, without a signature: see tickets.py.
    requires_auth = False
    url = rf"{_BASE}/{_ENTRY}/film/{_CAMERA}/{{ticket:[0-9a-f.]{{1,128}}}}/{{name:{_MEDIA}}}"
    name = f"api:{DOMAIN}:segment"

    async def get(
        self, request: web.Request, entry_id: str, camera_id: str, ticket: str, name: str
    ) -> web.StreamResponse:
        """An init segment or a media segment."""
        if not ticket_is_valid(request.app[KEY_HASS], _scope(entry_id, camera_id), ticket):
            # Not 401, which counts as a wrong login: a page that was left open asks on when the ticket has ended.
            raise web.HTTPForbidden
        client = self._client(request, entry_id, camera_id)
        return await relay(request, client, camera_path(camera_id, f"playback/{name}"))

    head = get


class ExportView(_View):
    """Files that were ordered."""

    url = rf"{_BASE}/{_ENTRY}/export/{{export_id:[0-9a-f]{{16}}}}.mp4"
    name = f"api:{DOMAIN}:export"

    async def get(self, request: web.Request, entry_id: str, export_id: str) -> web.StreamResponse:
        """The whole file, or the range that was asked for."""
        return await relay(request, self._client(request, entry_id), f"/api/exports/{export_id}/file")

    head = get


@callback
def until_now(begin_s: int, end_s: int) -> dict[str, str]:
    """The query of a range, which ends before now: players begin a playlist that still grows at its end."""
    latest = int(dt_util.utcnow().timestamp() - _MARGIN_S)
    return {"from": str(begin_s), "to": str(min(end_s, latest))}


def _scope(entry_id: str, camera_id: str) -> str:
    return f"{entry_id}/{camera_id}"


def _with_ticket(playlist: str, ticket: str) -> str:
    """The playlist with the ticket in all that it names.

    Raises:
        HTTPBadGateway: It names something else.
    """
    lines = []
    for line in playlist.splitlines():
        if (named := _NAMED.fullmatch(line)) is not None:
            lines.append(f"{named['head'] or ''}{ticket}/{named['name']}{named['tail']}")
        elif line.startswith("#") and "URI=" not in line:
            lines.append(line)
        else:
            raise web.HTTPBadGateway(text="the service's playlist is not understood: is it of another version?")
    return "\n".join(lines) + "\n"
