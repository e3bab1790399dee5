"""Tickets: links that work without a sign-in."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.web_gate import NOW_NS
from fakes.web_service import Site, http, read_clip
from support.web_people import QUALITY, SWITCH, deeds, probed, reached_past, signed_in, told
from yarl import URL

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.segment import NS

SNAPSHOT = "/api/cameras/cam0/snapshot.jpg"


async def make(site: Site, client: aiohttp.ClientSession, path: str, who: str = "anna", **more: Any) -> Any:
    headers = signed_in(site, who)
    return await told(client.post("/api/tickets", json={"path": path, **more}, headers=headers))


async def test_one_opens_one_address(guarded: Site, program: aiohttp.ClientSession) -> None:
    status, made = await make(guarded, program, "api/cameras/cam0/quality?x=1#y", seconds=60)
    assert status == 201
    assert made["expires_utc_s"] == NOW_NS / NS + 60
    url = URL(made["url"])
    assert (url.path, url.query["x"]) == (QUALITY, "1")
    query = f"?ticket={url.query['ticket']}"
    assert (await told(program.get(made["url"])))[0] == 200
    assert (await told(program.get(QUALITY + query)))[0] == 200
    async with program.head(QUALITY + query) as answer:
        assert answer.status == 200
    for other in (
        "/api/cameras/cam1/quality",
        "/api/cameras/cam0/ptz",
        "/api/status",
        "/",
        f"{QUALITY}/",
        "/api/users",
    ):
        assert (await told(program.get(other + query)))[0] in (401, 404), other
    assert (await told(program.get(URL(f"/api/cameras/cam%30/quality{query}", encoded=True))))[0] == 401
    assert (await told(program.get(f"{QUALITY}{query}&ticket=x")))[0] == 400
    # The same path, but it would change something.
    assert (await told(program.post(QUALITY + query, json={"height": 480})))[0] == 401
    assert guarded.control.orders == []


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [
        ("/api/cameras/cam1/quality", "ben", 201),
        ("/api/cameras/cam0/quality", "ben", 404),
        ("/api/cameras/cam9/quality", "anna", 404),
        ("/recordings/cam0/261121/x.mp4", "ben", 404),
        ("/recordings/cam1/261121/x.mp4", "ben", 201),
        ("/recordings/cam1/../cam0/x.mp4", "ben", 400),
        ("/api/discover", "ben", 403),
        ("/api/discover", "olga", 403),
        ("/api/users", "anna", 400),
        ("/api/tokens", "anna", 400),
        ("/api/audit", "anna", 400),
        ("/", "anna", 400),
        ("/healthz", "anna", 400),
        ("/api/session", "anna", 400),
        (SWITCH, "anna", 404),
        ("/nothing", "anna", 404),
        ("", "anna", 400),
        ("http://evil.example/api/status", "anna", 404),
        ("//evil.example/api/status", "anna", 404),
        ("/\\evil.example/api/status", "anna", 404),
        ("/api/cameras/cam0%2Fx/quality", "anna", 404),
    ],
)
async def test_what_there_are_tickets_for(
    guarded: Site, program: aiohttp.ClientSession, path: str, who: str, status: int
) -> None:
    found, body = await make(guarded, program, path, who)
    assert found == status, body
    if found == 201:
        assert body["url"].startswith(f"{path}?ticket=")


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 1e300, "60", True, None])
async def test_how_long_one_lasts(guarded: Site, program: aiohttp.ClientSession, seconds: Any) -> None:
    assert (await make(guarded, program, QUALITY, seconds=seconds))[0] == 400


async def test_one_for_a_playlist_opens_what_that_names(
    guarded: Site, program: aiohttp.ClientSession, fragmented_clip: Path
) -> None:
    hub = guarded.hubs["cam0"]
    for fragment in read_clip(fragmented_clip, hub.numbers):
        hub.publish(fragment)
    _, made = await make(guarded, program, "/api/cameras/cam0/hls/index.m3u8")
    query = f"?ticket={URL(made['url']).query['ticket']}"
    async with program.get(made["url"]) as answer:
        master = await answer.text()
    assert f"\nlive.m3u8{query}\n" in master
    async with program.get(f"/api/cameras/cam0/hls/live.m3u8{query}") as answer:
        media = await answer.text()
    named = [line for line in media.splitlines() if ".m4s" in line]
    assert named
    assert all(line.endswith(f".m4s{query}") for line in named)
    assert f'.mp4{query}"' in media
    for name in (named[0], media.split('URI="')[1].split('"')[0]):
        async with program.get(f"/api/cameras/cam0/hls/{name}") as answer:
            assert answer.status == 200
    for other in (SNAPSHOT, "/api/cameras/cam1/hls/index.m3u8"):
        assert (await told(program.get(other + query)))[0] == 401
    # Whoever is signed in is not given any.
    anna = signed_in(guarded, "anna")
    async with program.get("/api/cameras/cam0/hls/index.m3u8", headers=anna) as answer:
        assert "ticket" not in await answer.text()
    assert "h264" in await probed(f"{guarded.url}{made['url']}")


async def test_it_ends_with_what_it_was_made_with(
    guarded: Site, program: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    _, made = await make(guarded, program, QUALITY)
    guarded.gate.tickets.clear()
    assert (await told(program.get(made["url"])))[0] == 401
    assert URL(made["url"]).query["ticket"] not in caplog.text
    assert deeds(guarded)[-1] == (Deed.REFUSED, "a ticket", f"GET {QUALITY}", False, "")


async def test_one_for_a_playlist_of_the_past_opens_its_segments_and_nothing_else(guarded: Site) -> None:
    await guarded.server.stop()
    guarded.server = guarded.server_of(past=reached_past())
    await guarded.server.start()
    base = "/api/cameras/cam0/playback"
    async with http(guarded) as client:
        _, made = await make(guarded, client, f"{base}.m3u8?from=1", seconds=60)
        query = f"?{URL(made['url']).query_string}"
        assert query.startswith("?from=1&ticket=")
        for path, status in (
            (f"{base}.m3u8", 400),  # more than a day
            (f"{base}/1/init.mp4", 409),
            (f"{base}/1-2/0.m4s", 409),
            (f"{base}.mp4", 401),
            ("/api/cameras/cam0/keyframes", 401),
            ("/api/cameras/cam1/playback.m3u8", 401),
        ):
            assert (await told(client.get(path + query)))[0] == status, path
        assert (await told(client.get(URL(f"{base}%2Fx{query}", encoded=True))))[0] == 404
