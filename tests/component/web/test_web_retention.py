"""GET /api/retention."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiohttp import web
from fakes.core_shedding import FakeShedding
from fakes.runtime_clock import FakeClock
from fakes.storage_recordings import DAY, NOW_UTC_NS, FakeLedger
from fakes.web_gate import as_somebody, provide
from fakes.web_service import Site
from support.ports import free_port

from livecam_nvr.config.models import RtspCamera
from livecam_nvr.config.recording import RecordingConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.janitor import Janitor
from livecam_nvr.core.retention import Settings
from livecam_nvr.domain.retention import Recorded
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.retention import RETENTION, get_retention


@pytest.fixture
async def client(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """Of a server with a janitor that does not run: ten recordings of a GB, a year apart, the last in 2026."""
    files = [
        Recorded("cam0", f"{at}", end - 60 * NS, end, 10**9)
        for at, end in enumerate(NOW_UTC_NS - (10 - at) * 365 * DAY for at in range(10))
    ]
    settings = Settings.of(
        RecordingConfig.model_validate({"retention": {"keep_free": 0}}),
        [RtspCamera.model_validate({"id": "cam0", "kind": "rtsp", "url": "rtsp://host/"})],
    )
    janitor = Janitor(FakeShedding(files, 5 * 10**9), FakeLedger(), EventBus(), FakeClock(NOW_UTC_NS), settings)
    app = web.Application(middlewares=[error_middleware(), as_somebody()])
    provide(app)
    app[PORTS] = site.ports
    app[RETENTION] = janitor
    app.router.add_get("/api/retention", get_retention)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await runner.cleanup()
    await janitor.stop()


async def get(client: aiohttp.ClientSession, query: Mapping[str, str]) -> tuple[int, dict[str, object]]:
    async with client.get("/api/retention", params=query) as response:
        return response.status, await response.json()


async def test_what_there_is_and_that_nothing_goes(client: aiohttp.ClientSession) -> None:
    status, found = await get(client, {})
    assert status == 200
    assert found["bytes"] == 10**10
    assert found["oldest_utc"] == "2016-11-23T09:59:00.000Z"
    assert found["bytes_per_day"] == 1000.0
    assert found["days_until_full"] == pytest.approx((5 * 10**9 - 2**30) / 1000)
    assert found["full_utc"] is None, "no calendar goes so far"
    assert found["deletes"] == []
    assert found["limits"] == {
        "max_age_days": None, "event_max_age_days": None, "max_size": None, "keep_free": 0,
    }  # fmt: skip
    (camera,) = found["cameras"]  # type: ignore[misc]
    assert camera["camera_id"] == "cam0"
    assert camera["files"] == 10


async def test_what_other_limits_would_delete(client: aiohttp.ClientSession) -> None:
    status, found = await get(client, {"max_size": "8GB", "max_age_days": "3200.5"})
    assert status == 200
    assert [(part["reason"], part["files"], part["bytes"]) for part in found["deletes"]] == [  # type: ignore[attr-defined]
        ("age", 2, 2 * 10**9)
    ]
    assert found["deletes"][0]["begin_utc"] == "2016-11-23T09:59:00.000Z"  # type: ignore[index]
    assert found["limits"] == {
        "max_age_days": 3200.5, "event_max_age_days": None, "max_size": 8 * 10**9, "keep_free": 0,
    }  # fmt: skip
    _, found = await get(client, {"max_size": "2.5 GB", "camera": "cam0"})
    assert [(part["reason"], part["files"]) for part in found["deletes"]] == [("size", 8)]  # type: ignore[attr-defined]
    assert found["cameras"][0]["limits"]["max_size"] == 2_500_000_000  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"max_age": "3"}, 400, "max_age"),
        ({"max_size": "lots"}, 400, "max_size"),
        ({"max_age_days": "0"}, 400, "max_age_days"),
        ({"keep_free": "1kB"}, 400, "warning_free"),
        ({"camera": "cam9", "max_size": "1GB"}, 404, "cam9"),
    ],
)
async def test_what_is_not_right(
    client: aiohttp.ClientSession, query: dict[str, str], status: int, said: str
) -> None:
    found_status, found = await get(client, query)
    assert found_status == status
    assert said in found["error"]["message"]  # type: ignore[index]
