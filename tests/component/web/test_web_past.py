"""Coverage, timeline and days over HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fakes.chronicle_ledger import FakeLedger
from fakes.runtime_clock import FakeClock
from fakes.web_gate import as_somebody, provide
from fakes.web_service import Site
from support.ports import free_port

from livecam_nvr.core.past import DayTotal
from livecam_nvr.domain.coverage import Coverage, Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.gaps import Stretch, coverage
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS
from livecam_nvr.web import past
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.keys import PORTS

CAMERA = "/api/cameras/{camera_id}"
NOW = FakeClock().utc_ns()


class PastOfAnHour:
    """See core.past.Past: the last hour but for ten minutes was recorded."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.has_index = True

    async def coverage(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        if not self.has_index:
            raise LivecamError(ErrorKind.UNAVAILABLE, "there is no index of the recordings", "look at the log")
        self.asked.append((begin_utc_ns, end_utc_ns))
        footage = [
            Stretch(NOW - 3600 * NS, NOW - 2400 * NS, EndCause.CAMERA),
            Stretch(NOW - 1800 * NS, NOW, EndCause.CLOCK),
        ]
        entries = [
            Entry(camera_id, EntryKind.STATE, NOW - 3600 * NS, data={"cause": ""}),
            Entry(camera_id, EntryKind.STATE, NOW - 2399 * NS, data={"cause": "camera", "words": "no power"}),
        ]
        return coverage(camera_id, Span(begin_utc_ns, end_utc_ns), footage, entries, now_utc_ns=NOW, frames=7)

    async def days(self, camera_id: str) -> list[DayTotal]:
        return [DayTotal("2025-11-21", 100, 90_000, 5, 3000 * NS)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[tuple[PastOfAnHour, FakeLedger, str]]:
    site = Site(tmp_path, ["cam0"])
    app = web.Application(middlewares=[error_middleware(), as_somebody()])
    provide(app)
    ledger, found = FakeLedger(), PastOfAnHour()
    app[PORTS] = replace(site.ports, clock=FakeClock())
    app[past.PAST], app[past.LEDGER] = found, ledger
    app.add_routes(
        [
            web.get(f"{CAMERA}/coverage", past.get_coverage),
            web.get(f"{CAMERA}/timeline", past.get_timeline),
            web.get(f"{CAMERA}/days", past.get_days),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield found, ledger, f"http://127.0.0.1:{port}/api/cameras/cam0"
    await runner.cleanup()
    await site.close()


async def get(url: str, **query: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
        return answer.status, json.loads(await answer.read())


async def test_coverage(world: tuple[PastOfAnHour, FakeLedger, str]) -> None:
    found, _, url = world
    status, body = await get(f"{url}/coverage", **{"from": str(NOW // NS - 7200), "to": str(NOW // NS)})
    assert status == 200
    assert body["recorded_s"] == 3000
    assert body["share"] == pytest.approx(3000 / 7200, abs=1e-6)
    assert body["share_of_wanted"] == pytest.approx(3000 / 3600, abs=1e-6)
    assert body["frames"] == 7
    assert body["last_hour"]["share"] == pytest.approx(3000 / 3600, abs=1e-6)
    assert body["last_day"]["recorded_s"] == 3000
    never, camera = body["gaps"]
    assert (never["cause"], never["meant"], never["duration_s"]) == ("never", True, 3600)
    assert camera == {
        "begin_utc": "2025-11-21T11:20:00.000Z",
        "begin_utc_s": NOW / NS - 2400,
        "end_utc": "2025-11-21T11:30:00.000Z",
        "end_utc_s": NOW / NS - 1800,
        "duration_s": 600,
        "cause": "camera",
        "by": "",
        "words": "no power",
        "meant": False,
        "text": "the camera was away: no power",
    }
    assert (await get(f"{url}/coverage"))[0] == 200
    assert found.asked[-3] == (NOW - 86_400 * NS, NOW), "the last day is what is usually meant"


async def test_timeline_and_days(world: tuple[PastOfAnHour, FakeLedger, str]) -> None:
    _, ledger, url = world
    ledger.put(Entry("cam0", EntryKind.EVENT, NOW - 60 * NS, None, {"label": "fox", "source": "mqtt"}, "e1"))
    ledger.put(Entry("cam0", EntryKind.CLIP, NOW - 60 * NS, NOW, {"title": "the fox", "by": "me"}, "c1"))
    status, body = await get(f"{url}/timeline", **{"from": "2025-11-21T12:00:00+01:00"})
    assert status == 200
    assert [span["duration_s"] for span in body["spans"]] == [1200, 1800]
    assert [gap["cause"] for gap in body["gaps"]] == ["camera"]
    assert [(event["id"], event["label"], event["end_utc"]) for event in body["events"]] == [("e1", "fox", None)]
    assert [(clip["title"], clip["by"], clip["end_utc_s"]) for clip in body["clips"]] == [
        ("the fox", "me", NOW / NS)
    ]
    assert (await get(f"{url}/days"))[1] == {
        "days": [{"day": "2025-11-21", "segments": 100, "frames": 90_000, "bytes": 5, "duration_s": 3000}]
    }


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from": "200", "to": "100"}, "before"),
        ({"from": "2030-01-01T00:00:00Z"}, "future"),
        ({"from": "0"}, "too long"),
        ({"from": "yesterday"}, "no moment"),
        ({"from": "2025-11-21T12:00:00"}, "no moment"),
        ({"from": "9" * 400}, "no moment"),
    ],
)
async def test_ranges_that_are_not_right(
    world: tuple[PastOfAnHour, FakeLedger, str], query: dict[str, str], says: str
) -> None:
    for what in ("coverage", "timeline"):
        status, body = await get(f"{world[2]}/{what}", **query)
        assert (status, body["error"]["kind"]) == (400, "invalid")
        assert says in body["error"]["message"]
        assert body["error"]["hint"]


async def test_unknown_cameras_and_no_index(world: tuple[PastOfAnHour, FakeLedger, str]) -> None:
    found, _, url = world
    for what in ("coverage", "timeline", "days"):
        status, body = await get(f"{url[:-4]}cam7/{what}")
        assert (status, body["error"]["kind"]) == (404, "not_found")
    found.has_index = False
    status, body = await get(f"{url}/timeline")
    assert (status, body["error"]["kind"]) == (503, "unavailable")
