"""What the media browser shows of the recordings, and what it plays."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from homeassistant.components.media_player import BrowseError, SearchMediaQuery
from homeassistant.components.media_source import (
    Unresolvable,
    async_browse_media,
    async_resolve_media,
    async_search_media,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_archive import FakeArchive, utc
from fake_service import TOKEN, until

ROOT = "media-source://livecam_nvr"
_HOUR, _MINUTE, _DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeArchive]:
    async with FakeArchive(tmp_path) as fake:
        yield fake


@pytest.fixture
async def camera(hass: HomeAssistant, loaded: MockConfigEntry) -> str:
    """Where the first camera is in the media source."""
    await hass.config.async_set_time_zone("Europe/Amsterdam")
    # What is of today and of yesterday must not change within a test.
    await until(lambda: dt_util.now().time() < time(23, 59, 5))
    assert await async_setup_component(hass, "media_source", {})
    return f"{ROOT}/{loaded.entry_id}/cam0"


async def _browse(hass: HomeAssistant, where: str) -> list[Any]:
    return list((await async_browse_media(hass, where)).children or [])


def _titles(items: list[Any]) -> list[str]:
    return [item.title for item in items]


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


async def test_one_service_shows_its_cameras_at_once(hass: HomeAssistant, camera: str) -> None:
    top = await async_browse_media(hass, ROOT)
    assert [(one.title, one.can_expand, one.can_play) for one in top.children or []] == [
        ("Front door", True, False),
        ("Garden", True, False),
    ]
    assert top.children is not None
    assert top.children[0].thumbnail == f"/api/livecam_nvr/{camera.split('/')[3]}/picture/cam0"
    assert _titles(await _browse(hass, camera)) == ["Recordings", "Events", "Kept clips"]


async def test_a_camera_is_called_as_people_call_it(
    hass: HomeAssistant, camera: str, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    devices = dr.async_get(hass)
    key = ("livecam_nvr", f"{loaded.unique_id}_cam0")
    device = devices.async_get_device_by_identifier(key, loaded.entry_id)
    assert device is not None
    devices.async_update_device(device.id, name_by_user="Haustür")
    assert "Haustür" in _titles(await _browse(hass, ROOT))


async def test_korean(hass: HomeAssistant, camera: str) -> None:
    hass.config.language = "ko"
    assert _titles(await _browse(hass, camera)) == ["녹화", "이벤트", "보관된 클립"]


async def test_days_are_newest_first_and_months_are_one_request(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    today = dt_util.now().date()
    service.days = [today - timedelta(days=ago) for ago in range(400, -1, -1)]
    items = await _browse(hass, f"{camera}/recordings")
    assert _titles(items)[:2] == [f"Today {today}", f"Yesterday {today - _DAY}"]
    old = today - timedelta(days=400)
    assert items[-1].title == f"{old:%a} {old}"
    assert len(items) == 401
    assert service.paths_asked().count("days") == 1
    assert len(service.asked) <= 3


async def test_a_day_that_only_begins_by_our_clock_is_there(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    # 23:30 UTC is half past midnight, or later, of the next day in Amsterdam.
    begin = utc(2025, 7, 1, 23, 30)
    service.spans = [(begin, begin + 10 * _MINUTE)]
    assert _titles(await _browse(hass, f"{camera}/recordings"))[0].endswith("2025-07-02")


async def test_a_day_shows_its_hours_with_what_was_recorded_of_them(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    ten = utc(2025, 7, 1, 8)
    service.spans = [(ten - 5 * _MINUTE, ten + _HOUR), (ten + _HOUR + 20 * _MINUTE, ten + _HOUR + 21 * _MINUTE)]
    items = await _browse(hass, f"{camera}/recordings/2025-07-01")
    assert _titles(items) == ["11:00 · 1 min", "10:00", "09:00 · 5 min"]
    assert all(item.can_play and item.can_expand for item in items)
    # Each picture is one of that hour.
    assert [int(item.thumbnail.rpartition("/")[2]) for item in items] == [
        _seconds(ten + _HOUR + 20 * _MINUTE) + 1,
        _seconds(ten) + 1,
        _seconds(ten - 5 * _MINUTE) + 1,
    ]
    assert service.paths_asked() == ["timeline"]


async def test_the_hour_that_comes_twice_is_told_apart(hass: HomeAssistant, camera: str, service: FakeArchive) -> None:
    service.spans = [(utc(2025, 10, 26, 0), utc(2025, 10, 26, 2))]
    items = await _browse(hass, f"{camera}/recordings/2025-10-26")
    assert _titles(items) == ["02:00 CET", "02:00 CEST"]
    service.spans = [(utc(2025, 10, 25, 12), utc(2025, 10, 27, 12))]
    assert len(await _browse(hass, f"{camera}/recordings/2025-10-26")) == 25


async def test_an_hour_is_one_film_and_pieces_and_pieces_are_files(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    ten = utc(2025, 7, 1, 8)
    service.spans = [(ten + 5 * _MINUTE, ten + 20 * _MINUTE)]
    hour = (await _browse(hass, f"{camera}/recordings/2025-07-01"))[0]
    pieces = await _browse(hass, hour.media_content_id)
    assert [(one.title, one.can_play, one.can_expand) for one in pieces] == [
        ("The whole hour", True, False),
        ("10:00 · 5 min", True, True),
        ("10:10", True, True),
    ]
    files = await _browse(hass, pieces[1].media_content_id)
    assert _titles(files)[:2] == ["10:05:00 · 30 s", "10:05:30 · 30 s"]
    assert len(files) == 10
    assert not files[0].can_expand
    played = await async_resolve_media(hass, files[0].media_content_id, None)
    assert played.mime_type == "video/mp4"
    assert played.url.endswith("/file/cam0/250701/cam0_20250701_080500.mp4")


async def test_what_is_composed_is_hls_for_browsers_and_a_file_for_players(
    hass: HomeAssistant, camera: str, service: FakeArchive, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    film = f"{camera}/film/1751356800-1751360400"
    in_browser = await async_resolve_media(hass, film, None)
    assert (in_browser.mime_type, in_browser.url.rpartition("/")[2]) == (
        "application/x-mpegURL",
        "1751356800-1751360400.m3u8",
    )
    on_player = await async_resolve_media(hass, film, "media_player.tv")
    assert (on_player.mime_type, on_player.url.rpartition("/")[2]) == ("video/mp4", "1751356800-1751360400.mp4")
    service.one_format = False
    assert (await async_resolve_media(hass, film, "media_player.tv")).url.endswith(".m3u8")
    await service.stop()
    assert (await async_resolve_media(hass, film, "media_player.tv")).url.endswith(".m3u8")


async def test_events_by_day_and_older_ones_by_month(hass: HomeAssistant, camera: str, service: FakeArchive) -> None:
    now = dt_util.utcnow()
    today = dt_util.now().date()
    old = today - timedelta(days=100)
    service.days = [old, today - _DAY, today]
    noon = dt_util.start_of_local_day(today - _DAY) + 12 * _HOUR
    service.happened("motion", noon, 4)
    service.happened("person", noon + _HOUR, 4)
    service.happened("motion", dt_util.start_of_local_day(old) + 12 * _HOUR, 4)
    service.spans = [(noon - _HOUR, now)]
    items = await _browse(hass, f"{camera}/events")
    assert _titles(items) == [f"Yesterday {today - _DAY} · 2", f"{old:%Y-%m}"]
    assert sorted(service.paths_asked()) == ["days", "events"]
    month = await _browse(hass, items[1].media_content_id)
    assert _titles(month) == [f"{old:%a} {old} · 1"]
    day = await _browse(hass, items[0].media_content_id)
    assert _titles(day) == ["13:00 Person · 4 s", "12:00 Motion · 4 s"]
    film = day[1].media_content_id.rpartition("/")[2]
    assert film == f"{_seconds(noon) - 5}-{_seconds(noon) + 14}"


async def test_a_long_month_with_a_change_of_the_clock_is_asked_for_in_parts(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    # October has 31 days and an hour in Amsterdam; the service tells of 31 days at most.
    for day in (1, 16, 31):
        service.happened("motion", utc(2025, 10, day, 12), 4)
    service.happened("motion", utc(2025, 10, 15, 12), 86_400)
    items = await _browse(hass, f"{camera}/events/2025-10")
    assert _titles(items) == ["Fri 2025-10-31 · 1", "Thu 2025-10-16 · 1", "Wed 2025-10-15 · 1", "Wed 2025-10-01 · 1"]


async def test_an_event_that_was_not_recorded_does_not_play(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    service.spans = [(utc(2025, 7, 1, 8), utc(2025, 7, 1, 9))]
    service.happened("motion", utc(2025, 7, 1, 8, 59), None)
    service.happened("cat on roof", utc(2025, 7, 1, 12))
    # It is one of the day on which it began.
    service.happened("motion", utc(2025, 6, 30, 20), 6 * 3600)
    items = await _browse(hass, f"{camera}/events/2025-07-01")
    assert [(one.title, one.can_play) for one in items] == [
        ("14:00 Cat on roof · not recorded", False),
        ("10:59 Motion · now", True),
    ]
    begin, end = map(int, items[1].media_content_id.rpartition("/")[2].split("-"))
    assert end - begin <= 86_400


async def test_clips_and_one_that_is_too_long_to_play_at_once(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    begin = utc(2025, 7, 1, 8)
    service.kept("", begin, begin + 2 * _DAY + _HOUR)
    service.kept("Parcel", begin, begin + 42 * _MINUTE)
    items = await _browse(hass, f"{camera}/clips")
    assert _titles(items) == ["Parcel · 2025-07-01 10:00:00 · 42 min", "2025-07-01 10:00:00 · 49 h"]
    assert [(one.can_play, one.can_expand) for one in items] == [(True, False), (False, True)]
    parts = await _browse(hass, items[1].media_content_id)
    assert _titles(parts) == ["2025-07-01 10:00:00", "2025-07-02 10:00:00", "2025-07-03 10:00:00"]
    assert (
        parts[2].media_content_id.rpartition("/")[2]
        == f"{_seconds(begin + 2 * _DAY)}-{_seconds(begin + 2 * _DAY + _HOUR)}"
    )
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, items[1].media_content_id, None)


@pytest.mark.parametrize("where", ["", "cam0"])
async def test_search_finds_events_and_clips_by_their_titles(
    hass: HomeAssistant, camera: str, service: FakeArchive, where: str
) -> None:
    noon = dt_util.start_of_local_day(dt_util.now().date() - _DAY) + 12 * _HOUR
    service.happened("motion", noon, 4)
    service.happened("person", noon, 4)
    service.kept("Motion blur", noon, noon + _MINUTE)
    found = await async_search_media(hass, camera if where else ROOT, SearchMediaQuery(search_query="moti"))
    titles = [one.title for one in found.result]
    wanted = [f"Motion blur · {noon:%Y-%m-%d} 12:00:00 · 1 min", f"{noon:%Y-%m-%d} 12:00:00 Motion · 4 s"]
    assert [title for title in titles if title in wanted][:2] == wanted
    assert not any("Person" in title for title in titles)


async def test_what_there_is_not_is_told(hass: HomeAssistant, camera: str) -> None:
    entry = camera.rpartition("/")[0]
    levels = ("attic", "recordings/yesterday", "film/1-2", "hour/9", "events/2025-13", "events/2025-02-30")
    for where in (f"{entry}/nope", f"{entry}/nope/recordings", f"{ROOT}/nope", *(f"{camera}/{one}" for one in levels)):
        with pytest.raises(BrowseError) as caught:
            await async_browse_media(hass, where)
        assert caught.value.translation_key == "media_unknown", where


async def test_what_does_not_play_is_told(hass: HomeAssistant, camera: str) -> None:
    for what in ("", "/recordings", "/events/2025-07-01", "/clips", "/attic/1", "/film/2-1"):
        with pytest.raises(Unresolvable) as caught:
            await async_resolve_media(hass, f"{camera}{what}", None)
        assert caught.value.translation_key == "media_unknown", what


async def test_several_services_are_told_apart(hass: HomeAssistant, camera: str, tmp_path: Path) -> None:
    async with FakeArchive(tmp_path) as second:
        second.info["install_id"] = "ffff"
        data = {"url": second.url, "token": TOKEN, "verify_ssl": True}
        entry = MockConfigEntry(domain="livecam_nvr", title="Barn", unique_id="ffff", data=data)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        services = await _browse(hass, ROOT)
        assert _titles(services) == ["Barn", "Home"]
        assert _titles(await _browse(hass, services[0].media_content_id)) == ["Front door", "Garden"]
        second.kept("Horse", utc(2025, 7, 1, 8), utc(2025, 7, 1, 9))
        found = await async_search_media(hass, services[0].media_content_id, SearchMediaQuery(search_query="horse"))
        assert {one.title for one in found.result} == {"Horse · 2025-07-01 10:00:00 · 1 h"}
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_service_that_does_not_answer_is_told_in_words(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    service.refusals["/api/cameras/cam0/days"] = (503, "unavailable", "the index is being rebuilt", "wait a minute")
    with pytest.raises(BrowseError, match=r"the index is being rebuilt"):
        await async_browse_media(hass, f"{camera}/recordings")


async def test_an_entry_that_is_not_loaded_shows_nothing(
    hass: HomeAssistant, camera: str, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    assert await _browse(hass, ROOT) == []
    with pytest.raises(BrowseError):
        await async_browse_media(hass, camera)


async def test_days_at_the_edge_that_cannot_be_looked_at_are_left_out(
    hass: HomeAssistant, camera: str, service: FakeArchive
) -> None:
    service.days = [date(2025, 7, 1)]
    service.refusals["/api/cameras/cam0/segments"] = (503, "unavailable", "the index is being rebuilt", "")
    assert len(await _browse(hass, f"{camera}/recordings")) == 1
