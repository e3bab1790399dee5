"""How browsers get at recordings: let in by Home Assistant, served by the service, and nothing else of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from custom_components.livecam_nvr.tickets import make_ticket, ticket_is_valid
from custom_components.livecam_nvr.views import export_path, file_path, film_path, picture_path, thumbnail_path
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from fake_archive import FakeArchive, playlist_of
from fake_service import until

_FILM = bytes(range(256)) * 1000
_HOUR = 1751356800, 1751360400


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeArchive]:
    (tmp_path / "film.mp4").write_bytes(_FILM)
    async with FakeArchive(tmp_path) as fake:
        yield fake


@pytest.fixture
async def browser(
    loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> TestClient[web.Request, web.Application]:
    """Of somebody whom Home Assistant knows."""
    return await hass_client()


@pytest.fixture
async def stranger(
    loaded: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[web.Request, web.Application]:
    """Of nobody."""
    return await hass_client_no_auth()


async def test_pictures_of_now_and_then(browser: TestClient, loaded: MockConfigEntry) -> None:
    stored = await browser.get(thumbnail_path(loaded.entry_id, "cam0", 1751356800))
    assert (stored.status, stored.content_type) == (200, "image/jpeg")
    assert await stored.text() == "/api/cameras/cam0/thumbnail.jpg?at=1751356800&height=180"
    live = await browser.get(picture_path(loaded.entry_id, "cam1"))
    assert await live.text() == "/api/cameras/cam1/snapshot.jpg?height=180"


async def test_ranges_of_a_file_are_passed_through(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    path = file_path(loaded.entry_id, "cam0/250701/cam0_20250701_080500.mp4")
    whole = await browser.get(path)
    assert whole.status == 200
    assert await whole.read() == _FILM
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = await browser.get(path, headers={"Range": "bytes=1000-1999"})
    assert part.status == 206
    assert await part.read() == _FILM[1000:2000]
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(_FILM)}"
    same = {"Range": "bytes=-10", "If-Range": whole.headers["Last-Modified"]}
    assert (await browser.get(path, headers=same)).status == 206
    other = {"Range": "bytes=-10", "If-Range": "Thu, 01 Jan 1970 00:00:01 GMT"}
    assert (await browser.get(path, headers=other)).status == 200
    known = await browser.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert (known.status, await known.read()) == (304, b"")
    beyond = await browser.get(path, headers={"Range": "bytes=9999999-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(_FILM)}")
    head = await browser.head(path)
    assert (head.status, int(head.headers["Content-Length"]), await head.read()) == (200, len(_FILM), b"")
    assert {path for path, _ in service.asked} == {"/recordings/cam0/250701/cam0_20250701_080500.mp4"}


async def test_a_film_ends_before_now(browser: TestClient, loaded: MockConfigEntry, service: FakeArchive) -> None:
    now = int(dt_util.utcnow().timestamp())
    response = await browser.get(film_path(loaded.entry_id, "cam0", now - 60, now + 60, ending="mp4"))
    assert await response.read() == _FILM
    later = int(dt_util.utcnow().timestamp())
    [(path, query)] = service.asked
    assert path == "/api/cameras/cam0/playback.mp4"
    assert int(query["from"]) == now - 60
    assert now - 4 <= int(query["to"]) <= later


async def test_an_export_is_passed_through(browser: TestClient, loaded: MockConfigEntry) -> None:
    response = await browser.get(export_path(loaded.entry_id, "0123456789abcdef"))
    assert await response.read() == _FILM


async def test_a_playlist_opens_what_it_names_and_nothing_else(
    hass: HomeAssistant, stranger: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    signed = async_sign_path(hass, film_path(loaded.entry_id, "cam0", *_HOUR), timedelta(minutes=5))
    playlist = await stranger.get(signed)
    assert (playlist.status, playlist.content_type) == (200, "application/vnd.apple.mpegurl")
    lines = (await playlist.text()).splitlines()
    names = [
        line.partition('URI="')[2].rstrip('"') if "URI=" in line else line
        for line in lines
        if "mp4" in line or "m4s" in line
    ]
    assert len(names) == 3
    base = signed.partition("?")[0]
    bodies = [await (await stranger.get(urljoin(base, name))).text() for name in names]
    assert bodies == [
        "/api/cameras/cam0/playback/1000/init.mp4",
        "/api/cameras/cam0/playback/1000-7000/0.m4s",
        "/api/cameras/cam0/playback/7000-9000/540.m4s",
    ]
    # Of the same camera only.
    other = urljoin(base, names[1]).replace("/cam0/", "/cam1/")
    assert (await stranger.get(other)).status == 403
    ends, session, mac = names[1].split("/")[0].split(".")
    for forged in (
        f"{int(ends) + 1}.{session}.{mac}",
        f"{ends}.{session}.{'0' * 32}",
        f"{ends}.{session}",
        ends,
        f"..{mac}",
    ):
        assert (await stranger.get(urljoin(base, f"{forged}/1000-7000/0.m4s"))).status == 403, forged


async def test_a_ticket_ends_with_its_time_and_with_its_session(hass: HomeAssistant) -> None:
    await hass.auth.async_create_user("Owner")
    user = await hass.auth.async_create_user("Anna")
    session = await hass.auth.async_create_refresh_token(user, client_id="https://example.com/")
    ticket = make_ticket(hass, "here", session.id, 60)
    assert ticket_is_valid(hass, "here", ticket)
    assert not ticket_is_valid(hass, "there", ticket)
    assert not ticket_is_valid(hass, "here", make_ticket(hass, "here", session.id, -1))
    await hass.auth.async_update_user(user, is_active=False)
    assert not ticket_is_valid(hass, "here", ticket)
    await hass.auth.async_update_user(user, is_active=True)
    hass.auth.async_remove_refresh_token(session)
    assert not ticket_is_valid(hass, "here", ticket)


async def test_a_playlist_that_names_something_else_is_not_passed_on(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    others = ("playback/1000/../../../api/users", "https://example.com/a.m4s", "/api/users", "playback/1-2/3.m4s?x=1")
    for name in (*others, "x.m3u8"):
        for playlist in (playlist_of("playback/1000/init.mp4", name), playlist_of(name, "playback/1-2/3.m4s")):
            service.playlist = playlist
            assert (await browser.get(film_path(loaded.entry_id, "cam0", *_HOUR))).status == 502, name


async def test_the_service_says_why_there_is_nothing(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    response = await browser.get(film_path(loaded.entry_id, "cam0", 1000, 2000))
    assert (response.status, await response.text()) == (404, "nothing is recorded then: the next begins later")
    service.one_format = False
    response = await browser.get(film_path(loaded.entry_id, "cam0", *_HOUR, ending="mp4"))
    assert (response.status, await response.text()) == (409, "one file cannot hold the formats of this range")
    service.refusals["/api/cameras/cam0/snapshot.jpg"] = (418, "", "a teapot", "")
    response = await browser.get(picture_path(loaded.entry_id, "cam0"))
    assert (response.status, await response.text()) == (502, "the service answered with HTTP 418")


async def test_a_token_that_is_refused_is_no_wrong_login_of_the_browser(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    service.tokens.clear()
    for path in (picture_path(loaded.entry_id, "cam0"), film_path(loaded.entry_id, "cam0", *_HOUR)):
        response = await browser.get(path)
        assert response.status == 502
        assert "WWW-Authenticate" not in response.headers


async def test_a_service_that_is_away_is_told(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    await service.stop()
    for path in (picture_path(loaded.entry_id, "cam0"), film_path(loaded.entry_id, "cam0", *_HOUR)):
        response = await browser.get(path)
        assert response.status == 502
        assert "cannot be reached" in await response.text()


async def test_what_breaks_off_does_not_look_complete(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    service.unplugged = True
    with pytest.raises(aiohttp.ClientError):
        await (await browser.get(file_path(loaded.entry_id, "cam0/a.mp4"))).read()


async def test_a_browser_that_leaves_ends_it_at_the_service(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    service.endless = True
    answer = await browser.get(file_path(loaded.entry_id, "cam0/a.mp4"))
    assert await answer.content.readexactly(1_000_000) == b"x" * 1_000_000
    assert service.left == 0
    answer.close()
    await until(lambda: service.left)


_ELSEWHERE = [
    "file/cam0/../../../api/users",
    "file/cam0/%2e%2e/%2e%2e/api/users",
    "file/cam0/..%2f..%2fapi%2fusers",
    "file/cam0/.hidden.mp4",
    "file/cam0/a/b/c/d/e/f/g.mp4",
    "file/cam0/a.ledger",
    "file/cam0/a.mp4%00.mp4",
    "file/cam0/a.mp4%3Fdownload=1.mp4",
    "file/attic/a.mp4",
    "file/..%2fcam0/a.mp4",
    "film/cam0/1-2.txt",
    "film/cam0/1-2-3.mp4",
    "film/cam0/-1-2.mp4",
    "film/attic/1-2.mp4",
    "film/attic/1-2.m3u8",
    "thumbnail/cam0/now",
    "thumbnail/attic/1",
    "thumbnail/cam0/1751356800.5",
    "picture/attic",
    "picture/cam0/more",
    "export/0123456789abcdeg.mp4",
    "export/../status",
    "users",
    "",
]


async def test_nothing_else_of_the_service_can_be_reached(
    browser: TestClient, loaded: MockConfigEntry, service: FakeArchive
) -> None:
    service.asked.clear()
    for path in _ELSEWHERE:
        response = await browser.get(URL(f"/api/livecam_nvr/{loaded.entry_id}/{path}", encoded=True))
        assert response.status in (400, 404), path
    assert service.asked == []


async def test_strangers_and_entries_that_do_not_run_get_nothing(
    hass: HomeAssistant,
    browser: TestClient,
    stranger: TestClient,
    loaded: MockConfigEntry,
    service: FakeArchive,
) -> None:
    paths = [
        thumbnail_path(loaded.entry_id, "cam0", 1),
        picture_path(loaded.entry_id, "cam0"),
        file_path(loaded.entry_id, "cam0/a.mp4"),
        film_path(loaded.entry_id, "cam0", *_HOUR),
        film_path(loaded.entry_id, "cam0", *_HOUR, ending="mp4"),
        export_path(loaded.entry_id, "0123456789abcdef"),
    ]
    for path in paths:
        assert (await stranger.get(path)).status == 401
        assert (await stranger.post(path)).status == 405
    await hass.config_entries.async_unload(loaded.entry_id)
    assert {(await browser.get(path)).status for path in paths} == {404}
    assert (await browser.get(picture_path("nope", "cam0"))).status == 404
    assert service.asked == []
