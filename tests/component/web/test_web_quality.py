"""Quality and restart over HTTP."""

import asyncio
import json

import aiohttp
import pytest
from fakes.core_control import COPIED
from fakes.web_service import Site
from support.waiting import until

from livecam_nvr.core.events import ComplaintsChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import Complaint

JSON = {"Content-Type": "application/json"}
QUALITY = "/api/cameras/cam0/quality"
RESTART = "/api/cameras/cam0/restart"


async def test_what_can_be_had_and_what_runs(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.get(QUALITY) as response:
        assert await response.json() == {
            "camera_id": "cam0",
            "changeable": True,
            "height": 720,
            "fps": 30.0,
            "heights": [480, 720, 1080],
            "most_fps": 60.0,
            "changing": False,
            "interruption_s": None,
            "running": None,
        }
    await site.live("cam0")
    await site.hubs["cam0"].wait_fragment()
    async with client.get(QUALITY) as response:
        assert (await response.json())["running"] == {"width": 320, "height": 180}


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"height": 480}, (480, None)),
        ({"fps": 15}, (None, 15)),
        ({"fps": 12.5}, (None, 12.5)),
        ({"height": 1080, "fps": 25}, (1080, 25)),
    ],
)
async def test_a_change_is_answered_with_what_is_so(
    site: Site, client: aiohttp.ClientSession, body: dict[str, float], asked: tuple[int | None, float | None]
) -> None:
    async with client.post(QUALITY, json=body) as response:
        assert response.status == 200
        answer = await response.json()
    height, fps = asked
    assert (answer["height"], answer["fps"]) == (height or 720, fps or 30)
    assert site.control.orders == [("cam0", height, fps, "tester (127.0.0.1)")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"480",
        b'"480p"',
        b"{" * 4000,
        b'{"height": "720"}',
        b'{"height": true}',
        b'{"height": 720.0}',
        b'{"height": null}',
        b'{"height": 0}',
        b'{"height": -720}',
        b'{"height": 1e400}',
        b'{"height": 1' + 400 * b"0" + b"}",
        b'{"fps": 0}',
        b'{"fps": true}',
        b'{"fps": NaN}',
        b'{"fps": Infinity}',
        b'{"fps": "15"}',
        b'{"fps": 1' + 400 * b"0" + b"}",
        b'{"height": 720, "width": 1280}',
        b'{"height": 700}',
        b"\xff\xfe",
    ],
)
async def test_anything_else_is_refused_and_changes_nothing(
    site: Site, client: aiohttp.ClientSession, body: bytes
) -> None:
    async with client.post(QUALITY, data=body, headers=JSON) as response:
        assert response.status == 400
        error = (await response.json())["error"]
    assert error["kind"] == "invalid"
    assert error["hint"]
    assert site.control.now["cam0"].height == 720
    async with client.post(RESTART, data=body, headers=JSON) as response:
        assert response.status == (202 if body == b"{}" else 400)


@pytest.mark.parametrize("path", [QUALITY, RESTART])
async def test_it_is_as_closed_as_the_recording_switch(
    site: Site, client: aiohttp.ClientSession, path: str
) -> None:
    for headers, status in (
        ({"Content-Type": "text/plain"}, 415),
        ({**JSON, "Origin": "http://evil.example"}, 403),
        ({**JSON, "Host": "evil.example"}, 403),
    ):
        async with client.post(path, data=b'{"height": 480}', headers=headers) as response:
            assert response.status == status
    async with client.post(path.replace("cam0", "nobody"), json={"height": 480}) as response:
        assert response.status == 404
    assert not site.control.orders
    assert not site.control.restarts


async def test_copied_and_under_way_are_conflicts(site: Site, client: aiohttp.ClientSession) -> None:
    site.control.now["cam1"] = COPIED
    async with client.post("/api/cameras/cam1/quality", json={"height": 480}) as response:
        assert response.status == 409
        assert "copied" in (await response.json())["error"]["message"]
    site.control.hold = True
    first = asyncio.create_task(_post(client, {"height": 480}))
    await until(lambda: site.control.is_changing("cam0"))
    assert await _post(client, {"height": 1080}) == (409, "a change of the quality is under way")
    site.control.finish("cam0")
    assert await first == (200, None)


async def test_a_quality_that_failed_is_told_in_words(site: Site, client: aiohttp.ClientSession) -> None:
    site.control.hold = True
    asked = asyncio.create_task(_post(client, {"height": 1080}))
    await until(lambda: site.control.is_changing("cam0"))
    site.control.finish("cam0", LivecamError(ErrorKind.UNAVAILABLE, "1080p failed: no", "it is set back"))
    assert await asked == (503, "1080p failed: no")


async def test_a_client_that_leaves_does_not_end_the_change(site: Site, client: aiohttp.ClientSession) -> None:
    site.control.hold = True
    asked = asyncio.create_task(_post(client, {"height": 1080}))
    await until(lambda: site.control.is_changing("cam0"))
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await until(lambda: site.control.left == 1, "the handler's end")
    assert site.control.is_changing("cam0")
    site.control.finish("cam0")


async def test_a_restart_names_who_asked(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.post(RESTART, json={}) as response:
        assert response.status == 202
        assert await response.json() == {"camera_id": "cam0"}
    async with client.post(RESTART, json={}, headers={"Origin": site.url}) as response:
        assert response.status == 202
    assert site.control.restarts == 2 * [("cam0", "tester (127.0.0.1)")]


async def test_changes_and_complaints_come_over_the_web_socket(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/api/events") as socket:
        first = json.loads((await socket.receive()).data)
        assert first["cameras"][0]["quality"]["changing"] is False
        site.control.hold = True
        asked = asyncio.create_task(_post(client, {"height": 480}))
        for changing in (True, False):  # its beginning is news, and its end
            while json.loads((await socket.receive()).data)["cameras"][0]["quality"]["changing"] is not changing:
                pass
            if changing:
                site.control.finish("cam0")
                await asked
        black = Complaint("black", "the picture is black", "is its lens covered?", 1_795_000_000_000_000_000)
        site.home.change("cam0", complaints=(black,))
        site.bus.publish(ComplaintsChanged("cam0", (black,)))
        told: list[object] = []
        while not told:
            told = json.loads((await socket.receive()).data)["cameras"][0]["complaints"]
    assert told == [
        {
            "kind": "black",
            "message": "the picture is black",
            "hint": "is its lens covered?",
            "since_utc": "2026-11-18T11:06:40.000Z",
            "since_utc_s": 1_795_000_000.0,
        }
    ]


async def _post(client: aiohttp.ClientSession, body: dict[str, float]) -> tuple[int, str | None]:
    async with client.post(QUALITY, json=body) as response:
        answer = await response.json()
        return response.status, answer.get("error", {}).get("message")
