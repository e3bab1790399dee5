"""The client, against real HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from custom_components.livecam_nvr.client import (
    ApiError,
    CannotConnect,
    Carrier,
    Forbidden,
    InvalidAnswer,
    InvalidAuth,
    LivecamClient,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
)
from custom_components.livecam_nvr.client.models import Camera, Status
from custom_components.livecam_nvr.client.reading import Reading
from custom_components.livecam_nvr.client.transport import camera_path, unreachable

from fake_service import TOKEN, FakeService, recorded

BEGIN, END = datetime(2026, 11, 21, 9, tzinfo=UTC), datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[LivecamClient]:
    async with aiohttp.ClientSession() as session:
        yield LivecamClient(session, service.url, TOKEN)


async def test_who_is_who(client: LivecamClient, service: FakeService) -> None:
    info = await client.info()
    assert (info.name, info.api, info.carrier, info.cameras) == ("Home", 1, Carrier.MQTT, ("cam0", "cam1"))
    assert info.mqtt is not None
    assert info.mqtt.devices["cam0"] == "livecam-nvr_livecam_cam0"
    assert info.mqtt.unique_ids[""]["disk_free"] == "livecam_disk_free"
    assert (await client.session()).may_operate
    assert (await client.carry(Carrier.MOVING)).carrier is Carrier.MOVING
    assert (await client.raw_status())["name"] == "Home"


async def test_status(client: LivecamClient) -> None:
    status = await client.status()
    camera = status.camera("cam0")
    assert camera is not None
    assert (camera.name, camera.delivers, camera.quality.heights) == ("Front door", True, (360, 480, 720, 1080))
    assert camera.recording.last_segment is not None
    assert camera.recording.last_segment.start == datetime(2026, 11, 21, 22, 51, 40, 247000, UTC)
    assert status.camera("nobody") is None


async def test_events(client: LivecamClient, service: FakeService) -> None:
    events = client.events()
    assert (await anext(events)).name == "Home"
    service.status["name"] = "House"
    await service.push()
    assert (await anext(events)).name == "House"
    await service.hang_up()
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_what_was_recorded(client: LivecamClient, service: FakeService) -> None:
    (day,) = await client.days("cam0")
    assert (day.day, day.segments > 0) == (date(2026, 11, 21), True)
    segments = await client.segments("cam0", BEGIN, END, limit=3)
    assert [one.end - one.start for one in segments.segments][1] <= timedelta(seconds=11)
    assert segments.more
    timeline = await client.timeline("cam0", BEGIN, END)
    assert (timeline.clips[0].title, timeline.clips[0].camera_id) == ("hello", "")
    assert timeline.events[0].label == "motion"
    assert timeline.spans[0].begin < timeline.spans[0].end
    assert (await client.coverage("cam0", BEGIN, END)).last_day.share == 0.002694
    assert (await client.events_of("cam0", BEGIN, END))[0].source == "http"
    assert (await client.clips("cam0"))[0].id == (await client.clips())[0].id == "219e5fd92c234209"


async def test_pictures(client: LivecamClient) -> None:
    assert await client.snapshot("cam0") == b"/api/cameras/cam0/snapshot.jpg"
    assert await client.snapshot("cam0", 480) == b"/api/cameras/cam0/snapshot.jpg?height=480"
    picture = await client.thumbnail("cam 0", BEGIN, 90)
    assert picture == b"/api/cameras/cam%200/thumbnail.jpg?at=2026-11-21T09:00:00%2B00:00&height=90"


async def test_webrtc(client: LivecamClient, service: FakeService) -> None:
    assert await client.whep_offer("cam0", "offer") == ("answer", "session1")
    await client.whep_candidate("cam0", "session1", "a=candidate")
    await client.whep_end("cam0", "session1")
    path = "/api/cameras/cam0/whep"
    assert service.orders == [
        ("POST", path, "offer"),
        ("PATCH", f"{path}/session1", "a=candidate"),
        ("DELETE", f"{path}/session1", ""),
    ]


async def test_orders(client: LivecamClient, service: FakeService) -> None:
    event = await client.report_event("cam0", "motion", "begin")
    assert event is not None
    assert event.label == "motion"
    await client.set_quality("cam0", height=720, fps=10)
    assert service.ordered("/api/cameras/cam0/quality") == [{"height": 720, "fps": 10}]
    ticket = await client.ticket("/api/exports/1/file", 300)
    assert (ticket.url, ticket.expires) == ("/x?ticket=1", datetime(2026, 11, 22, tzinfo=UTC))


async def test_streams(client: LivecamClient) -> None:
    async with client.request("GET", camera_path("cam0", "nothing"), headers={"Range": "bytes=0-1"}) as response:
        assert response.status == 404
        assert response.request_info.headers["Accept-Encoding"] == "identity"
        assert response.request_info.headers["Range"] == "bytes=0-1"


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid", Refused),
        (401, "unauthenticated", InvalidAuth),
        (403, "forbidden", Forbidden),
        (404, "not_found", NotFound),
        (404, "", InvalidAnswer),
        (409, "conflict", Refused),
        (429, "throttled", Throttled),
        (302, "", InvalidAnswer),
        (502, "media", Unavailable),
        (503, "", Unavailable),
        (507, "disk", Unavailable),
        (500, "internal", ApiError),
    ],
)
async def test_refusals(
    client: LivecamClient, service: FakeService, status: int, kind: str, expected: type[ApiError]
) -> None:
    service.refusals["/api/status"] = (status, kind, "words", "hint")
    with pytest.raises(ApiError) as refused:
        await client.status()
    assert type(refused.value) is expected or issubclass(type(refused.value), Refused)
    if kind:
        assert refused.value.words == "words: hint"
    if isinstance(refused.value, Throttled):
        assert refused.value.retry_after_s == 7.0


async def test_nobody(client: LivecamClient, service: FakeService) -> None:
    await service.stop()
    with pytest.raises(CannotConnect):
        await client.status()
    with pytest.raises(CannotConnect):
        await client.snapshot("cam0")
    with pytest.raises(CannotConnect):
        await anext(client.events())


def test_why_nobody() -> None:
    assert "in time" in str(unreachable(TimeoutError()))


@pytest.mark.parametrize("answer", [[], "text", 5, None])
async def test_raw_status_of_another(client: LivecamClient, service: FakeService, answer: Any) -> None:
    service.status = answer
    with pytest.raises(InvalidAnswer):
        await client.raw_status()
    with pytest.raises(InvalidAnswer):
        await client.status()


def test_unknown_keys_are_nobodys_business() -> None:
    status = recorded("status")
    status["new"] = {"a": 1}
    status["cameras"][0]["new"] = 5
    assert Status.of(Reading(status, "status")).cameras[0].id == "cam0"


@pytest.mark.parametrize("key", ["name", "version", "cameras", "disk", "clock", "process", "alarms", "media_server"])
def test_missing_keys_are_told(key: str) -> None:
    status = recorded("status")
    del status[key]
    with pytest.raises(InvalidAnswer, match=f"status has no `{key}`"):
        Status.of(Reading(status, "status"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 5),
        ("enabled", 1),
        ("fps", True),
        ("fps", "15"),
        ("lasting", "motion"),
        ("lasting", [1]),
        ("complaints", {}),
        ("complaints", [1]),
        ("recording", None),
    ],
)
def test_wrong_values_are_told(key: str, value: Any) -> None:
    camera = {**recorded("status")["cameras"][0], key: value}
    with pytest.raises(InvalidAnswer, match=key):
        Camera.of(Reading(camera, "camera"))


@pytest.mark.parametrize("value", ["yesterday", "2026-11-21T10:00:00"])
def test_moments(value: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"status\.at"):
        Reading({"at": value}, "status").moment("at")
    with pytest.raises(InvalidAnswer, match="heights"):
        Reading({"heights": ["x"]}, "status").numbers("heights")


async def test_strange_answers(client: LivecamClient, service: FakeService) -> None:
    service.info["carrier"] = "pigeon"
    with pytest.raises(InvalidAnswer, match="pigeon"):
        await client.info()
