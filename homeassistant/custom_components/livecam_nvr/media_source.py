"""The media source: recordings by camera, day and hour, events and kept clips, played as they lie at the service.

`media-source://livecam_nvr` -> (services, if there are several) -> cameras -> recordings, events, kept clips. What
the identifiers mean is in media_ids.py, what each level shows in media_shelves.py.

What is composed of several files is HLS for browsers: they seek in it at once over hours, and it holds gaps and
changes of the format, which one file cannot. Media players get one MP4 where that can be: most of them take no HLS
with fragmented MP4 in it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import override

from homeassistant.components.media_player import BrowseError, MediaClass, SearchMedia, SearchMediaQuery
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .client import ApiError
from .client.transport import camera_path
from .const import DOMAIN
from .coordinator import LivecamConfigEntry
from .entity import device_key
from .media_ids import MediaId, Shelf
from .media_shelves import Shelves
from .media_words import Words, joined, words_of
from .views import file_path, film_path, picture_path, until_now

_NAME = "livecam-nvr"
_MP4 = "video/mp4"
_HLS = "application/x-mpegURL"
"""The one name of HLS for which Home Assistant's frontend has a player."""


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Of all services."""
    return LivecamMediaSource(hass)


class LivecamMediaSource(MediaSource):
    """See the module."""

    name = _NAME

    def __init__(self, hass: HomeAssistant) -> None:
        """Of all services that `hass` has."""
        super().__init__(DOMAIN)
        self._hass = hass

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Where to play it from: an address of Home Assistant's own.

        Raises:
            Unresolvable: There is no such thing, or it does not play.
        """
        try:
            found = MediaId.of(item.identifier)
            entry = self._entry(found.entry_id, found.camera_id)
        except (LookupError, ValueError) as error:
            raise _unresolvable(item.identifier) from error
        if found.shelf is Shelf.FILE:
            return PlayMedia(file_path(entry.entry_id, f"{found.camera_id}/{found.item}"), _MP4)
        if found.shelf not in (Shelf.HOUR, Shelf.PIECE, Shelf.FILM):
            raise _unresolvable(item.identifier)
        if item.target_media_player is not None and await self._is_one_file(entry, found):
            return PlayMedia(film_path(entry.entry_id, found.camera_id, *found.range, ending="mp4"), _MP4)
        return PlayMedia(film_path(entry.entry_id, found.camera_id, *found.range), _HLS)

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """One level.

        Raises:
            BrowseError: There is no such thing, or the service cannot be asked.
        """
        with _told(item.identifier):
            return await self._browse(item.identifier)

    @override
    async def async_search_media(self, item: MediaSourceItem, query: SearchMediaQuery) -> SearchMedia:
        """Events of the last weeks and kept clips, by their titles.

        Raises:
            BrowseError: As async_browse_media.
        """
        words = await words_of(self._hass)
        with _told(item.identifier):
            here = MediaId.of(item.identifier) if item.identifier else None
            places = [here] if here and here.camera_id else self._cameras_of(here)
            found = await asyncio.gather(*(self._shelves(place, words).find(query.search_query) for place in places))
        return SearchMedia(result=[one for some in found for one in some])

    async def _browse(self, identifier: str) -> BrowseMediaSource:
        """One level. Raises LookupError, ValueError, ApiError."""
        words = await words_of(self._hass)
        entries = self._hass.config_entries.async_loaded_entries(DOMAIN)
        if not identifier:
            if len(entries) == 1:
                return self._level(None, _NAME, self._cameras(entries[0]))
            services = [self._level(MediaId(entry.entry_id), entry.title) for entry in entries]
            return self._level(None, _NAME, sorted(services, key=lambda service: service.title.casefold()))
        here = MediaId.of(identifier)
        entry = self._entry(here.entry_id, here.camera_id)
        if not here.camera_id:
            return self._level(here, entry.title, self._cameras(entry))
        title, children = await self._shelves(here, words).open()
        return self._level(here, joined(self._name(entry, here.camera_id), title), children)

    def _level(
        self, here: MediaId | None, title: str, children: Sequence[BrowseMediaSource] | None = None
    ) -> BrowseMediaSource:
        searchable = children is not None and (here is None or here.shelf in (None, Shelf.EVENTS, Shelf.CLIPS))
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=None if here is None else str(here),
            media_class=MediaClass.DIRECTORY,
            media_content_type="",
            title=title,
            can_play=False,
            can_expand=True,
            children=children,
            can_search=searchable,
            search_media_classes=[MediaClass.VIDEO] if searchable else None,
        )

    def _cameras(self, entry: LivecamConfigEntry) -> list[BrowseMediaSource]:
        items = []
        for camera in entry.runtime_data.coordinator.data.cameras:
            item = self._level(MediaId(entry.entry_id, camera.id), self._name(entry, camera.id))
            item.thumbnail = picture_path(entry.entry_id, camera.id)
            items.append(item)
        return items

    def _cameras_of(self, here: MediaId | None) -> list[MediaId]:
        entries = (
            self._hass.config_entries.async_loaded_entries(DOMAIN) if here is None else [self._entry(here.entry_id)]
        )
        return [
            MediaId(entry.entry_id, camera.id)
            for entry in entries
            for camera in entry.runtime_data.coordinator.data.cameras
        ]

    def _shelves(self, here: MediaId, words: Words) -> Shelves:
        return Shelves(self._entry(here.entry_id, here.camera_id).runtime_data.client, here, words)

    def _entry(self, entry_id: str, camera_id: str = "") -> LivecamConfigEntry:
        """The entry, if it is loaded and has that camera. Raises LookupError."""
        for entry in self._hass.config_entries.async_loaded_entries(DOMAIN):
            if entry.entry_id == entry_id:
                if camera_id and entry.runtime_data.coordinator.camera(camera_id) is None:
                    raise LookupError(camera_id)
                return entry
        raise LookupError(entry_id)

    def _name(self, entry: LivecamConfigEntry, camera_id: str) -> str:
        """What people call the camera here."""
        key = device_key(entry.runtime_data.info.install_id, camera_id)
        device = dr.async_get(self._hass).async_get_device_by_identifier(key, entry.entry_id)
        camera = entry.runtime_data.coordinator.camera(camera_id)
        return (device and (device.name_by_user or device.name)) or (camera and camera.name) or camera_id

    async def _is_one_file(self, entry: LivecamConfigEntry, found: MediaId) -> bool:
        """Whether its footage has one format throughout, as a file needs."""
        path = camera_path(found.camera_id, "playback.mp4")
        client = entry.runtime_data.client
        try:
            async with client.request("HEAD", path, params=until_now(*found.range)) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except ApiError:
            return False


def _unresolvable(identifier: str) -> Unresolvable:
    return Unresolvable(
        translation_domain=DOMAIN,
        translation_key="media_unknown",
        translation_placeholders={"identifier": identifier},
    )


@contextmanager
def _told(identifier: str) -> Iterator[None]:
    """Turns errors into those that Home Assistant's media browser shows."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise BrowseError(
            translation_domain=DOMAIN,
            translation_key="media_unknown",
            translation_placeholders={"identifier": identifier},
        ) from error
    except ApiError as error:
        raise BrowseError(
            translation_domain=DOMAIN, translation_key="failed", translation_placeholders={"words": error.words}
        ) from error
