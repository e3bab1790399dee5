"""Modes, events and kept clips over HTTP, with real triggers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fakes.core_triggers import Cameras
from fakes.web_gate import as_somebody, provide
from fakes.web_service import Site

from livecam_nvr.core.clip_desk import KeptClips
from livecam_nvr.core.event_desk import EventReports
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.web import clips, control, events_in, modes
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.keys import PORTS, WebPorts
from livecam_nvr.web.status import iso

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def cameras() -> Cameras:
    return Cameras(RecordingMode.EVENTS, ids=("cam0", "cam1"))


@pytest.fixture
async def client(cameras: Cameras, tmp_path: Path) -> AsyncIterator[Client]:
    site = Site(tmp_path, ["cam0", "cam1"])
    desk = EventReports(
        cameras.switches,
        cameras.ledger,
        cameras.index,
        bus=cameras.bus,
        clock=cameras.clock,
        ticker=cameras.ticker,
    )
    kept = KeptClips(
        cameras.switches,
        cameras.ledger,
        cameras.index,
        bus=cameras.bus,
        clock=cameras.clock,
        before_s=30,
        after_s=20,
    )
    app = web.Application(middlewares=(error_middleware(), as_somebody()))
    provide(app)
    app[PORTS] = WebPorts(
        streams=site.ports.streams,
        pictures=site.pictures,
        recording=cameras.switches,
        status=site.home,
        index=cameras.index,
        recordings=tmp_path,
        bus=cameras.bus,
        control=site.control,
        clock=cameras.clock,
    )
    app[events_in.EVENTS] = desk
    app[clips.CLIPS] = kept
    camera = "/api/cameras/{camera_id}"
    app.add_routes(
        [
            web.post(f"{camera}/recording", control.set_recording),
            web.post(f"{camera}/mode", modes.set_mode),
            web.get(f"{camera}/events", events_in.list_events),
            web.post(f"{camera}/events", events_in.report),
            web.post(f"{camera}/keep", clips.keep),
            web.get("/api/clips", clips.list_clips),
            web.delete("/api/clips/{clip_id}", clips.release),
        ]
    )
    async with TestClient(TestServer(app)) as client:
        yield client
    await site.close()


async def post(client: Client, path: str, body: object, camera_id: str = "cam0") -> tuple[int, dict[str, Any]]:
    async with client.post(f"/api/cameras/{camera_id}/{path}", json=body) as answer:
        return answer.status, await answer.json()


async def refused(client: Client, path: str, body: object, camera_id: str = "cam0") -> tuple[int, str]:
    status, answer = await post(client, path, body, camera_id)
    assert answer["error"]["message"]
    assert answer["error"]["hint"]
    return status, answer["error"]["message"]


async def get(client: Client, path: str) -> tuple[int, dict[str, Any]]:
    async with client.get(path) as answer:
        return answer.status, await answer.json()


async def test_the_mode_is_changed(client: Client, cameras: Cameras) -> None:
    cameras.film(1)
    status, answer = await post(client, "mode", {"mode": "always"})
    assert status == 200
    assert (answer["camera_id"], answer["mode"], answer["active"]) == ("cam0", "always", True)
    assert cameras.mode_memory.saved == [("cam0", RecordingMode.ALWAYS)]
    status, message = await refused(client, "recording", {"on": False})
    assert (status, "always recorded" in message) == (409, True)


@pytest.mark.parametrize(
    "body", [{}, {"mode": "never"}, {"mode": None}, {"mode": 1}, {"mode": ["always"]}, {"mod": "always"}, []]
)
async def test_a_mode_that_there_is_not(client: Client, cameras: Cameras, body: object) -> None:
    assert (await refused(client, "mode", body))[0] == 400
    assert cameras.mode_memory.saved == []


async def test_a_schedule_that_there_is_not(client: Client) -> None:
    assert (await refused(client, "mode", {"mode": "schedule"}))[0] == 409


async def test_an_event_begins_and_ends(client: Client, cameras: Cameras) -> None:
    cameras.film(10)
    status, begun = await post(client, "events", {"label": "motion", "state": "begin"})
    assert status == 200
    assert begun["event"]["end_utc"] is None
    assert {key: begun["event"][key] for key in ("camera_id", "label", "source")} == {
        "camera_id": "cam0",
        "label": "motion",
        "source": "http",
    }
    assert cameras.status().active
    cameras.film(10)
    _, ended = await post(client, "events", {"label": "motion", "state": "end"})
    assert ended["event"]["id"] == begun["event"]["id"]
    assert ended["event"]["end_utc_s"] - ended["event"]["begin_utc_s"] == 10
    _, again = await post(client, "events", {"label": "motion", "state": "end"})
    assert again == {"event": None}
    _, moment = await post(client, "events", {"label": "doorbell", "state": "moment", "lasted_s": 2.5}, "cam1")
    assert moment["event"]["end_utc_s"] - moment["event"]["begin_utc_s"] == 2.5


async def test_the_events_of_a_range(client: Client, cameras: Cameras) -> None:
    await post(client, "events", {"label": "motion", "state": "moment", "lasted_s": 1})
    cameras.film(100)
    await post(client, "events", {"label": "person", "state": "moment", "lasted_s": 1})
    status, answer = await get(client, "/api/cameras/cam0/events")
    assert (status, [event["label"] for event in answer["events"]]) == (200, ["motion", "person"])
    since = cameras.clock.utc_ns() // 10**9 - 50
    _, answer = await get(client, f"/api/cameras/cam0/events?from={since}")
    assert [event["label"] for event in answer["events"]] == ["person"]
    for query in ("from=x", f"from={since}&to={since}", f"from={since + 3600}", "from=0"):
        status, answer = await get(client, f"/api/cameras/cam0/events?{query}")
        assert (status, answer["error"]["kind"]) == (400, "invalid"), query


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": "motion", "state": "going on"},
        {"label": "motion", "state": ["begin"]},
        {"label": "Motion!", "state": "begin"},
        {"label": 7, "state": "begin"},
        {"state": "begin"},
        {"label": "motion", "state": "begin", "lasted_s": 3},
        {"label": "motion", "state": "moment", "lasted_s": -1},
        {"label": "motion", "state": "moment", "lasted_s": "3"},
        {"label": "motion", "state": "moment", "lasted_s": True},
        {"label": "motion", "state": "moment", "lasted_s": 10**300},
        {"label": "motion", "state": "begin", "source": "me"},
    ],
)
async def test_an_event_that_is_not_right(client: Client, cameras: Cameras, body: object) -> None:
    assert (await refused(client, "events", body))[0] == 400
    assert cameras.ledger.puts == []


async def test_keep_that(client: Client, cameras: Cameras) -> None:
    cameras.film(60)
    status, clip = await post(client, "keep", {"title": "the parcel"})
    assert status == 201
    now_s = cameras.clock.utc_ns() / 10**9
    assert (clip["begin_utc_s"], clip["end_utc_s"]) == (now_s - 30, now_s + 20)
    assert clip["title"] == "the parcel"
    assert clip["by"].startswith("tester (")
    assert cameras.status().keeping_until_utc_ns is not None
    _, other = await post(client, "keep", {"before_s": 5, "after_s": 0.5}, "cam1")
    assert other["end_utc_s"] - other["begin_utc_s"] == 5.5
    assert [clip["id"] for clip in (await get(client, "/api/clips"))[1]["clips"]] == [other["id"], clip["id"]]
    assert [clip["id"] for clip in (await get(client, "/api/clips?camera=cam0"))[1]["clips"]] == [clip["id"]]
    async with client.delete(f"/api/clips/{clip['id']}") as answer:
        assert (answer.status, await answer.json()) == (200, clip)
    assert [clip["id"] for clip in (await get(client, "/api/clips"))[1]["clips"]] == [other["id"]]
    async with client.delete(f"/api/clips/{clip['id']}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_range_is_kept(client: Client, cameras: Cameras, as_text: bool) -> None:
    cameras.film(5)
    cameras.switches.event("cam0", lasts=True)
    begin = cameras.clock.utc_ns()
    cameras.film(20)
    times: list[object] = [begin // 10**9, begin // 10**9 + 10.5]
    if as_text:
        times = [iso(begin), datetime.fromtimestamp(begin / 10**9 + 10.5, UTC).isoformat()]
    status, clip = await post(client, "keep", {"from": times[0], "to": times[1], "title": "a fox"})
    assert status == 201
    assert (clip["begin_utc"], clip["end_utc_s"] - clip["begin_utc_s"]) == (iso(begin), 10.5)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"before_s": -1}, 400),
        ({"before_s": "5"}, 400),
        ({"before_s": True}, 400),
        ({"after_s": 10**300}, 400),
        ({"before_s": 0, "after_s": 0}, 400),
        ({"title": 5}, 400),
        ({"title": "x" * 101}, 400),
        ({"from": 10}, 400),
        ({"to": 10}, 400),
        ({"from": "yesterday", "to": "today"}, 400),
        ({"from": -5, "to": 10}, 400),
        ({"from": None, "to": 10}, 400),
        ({"from": 20, "to": 10}, 400),
        ({"from": 0, "to": 10**11}, 400),
        ({"from": 10**11, "to": 10**11 + 5}, 400),
        ({"from": 10, "to": 20, "before_s": 5}, 400),
        ({"from": 10, "to": 20}, 404),
        ({"seconds": 5}, 400),
    ],
)
async def test_a_clip_that_is_not_right(client: Client, cameras: Cameras, body: object, status: int) -> None:
    assert (await refused(client, "keep", body))[0] == status
    assert cameras.ledger.puts == []


async def test_an_unknown_camera(client: Client) -> None:
    bodies = {"mode": {"mode": "always"}, "events": {"label": "motion", "state": "begin"}, "keep": {}}
    for path, body in bodies.items():
        assert (await refused(client, path, body, "attic"))[0] == 404
    for address in ("/api/cameras/attic/events", "/api/clips?camera=attic"):
        assert (await get(client, address))[0] == 404
    async with client.delete("/api/clips/%2e%2e") as answer:
        assert answer.status == 404


async def test_without_an_index(client: Client, cameras: Cameras) -> None:
    cameras.ledger.away = True
    for address in ("/api/cameras/cam0/events", "/api/clips"):
        status, answer = await get(client, address)
        assert (status, answer["error"]["kind"]) == (503, "unavailable")
    assert (await post(client, "events", {"label": "motion", "state": "begin"}))[0] == 200
    assert (await post(client, "keep", {}))[0] == 201


async def test_a_foreign_form_changes_nothing(client: Client, cameras: Cameras) -> None:
    for path in ("mode", "events", "keep"):
        async with client.post(f"/api/cameras/cam0/{path}", data=b'{"mode": "always"}') as answer:
            assert answer.status == 415
    assert cameras.ledger.puts == cameras.mode_memory.saved == []
