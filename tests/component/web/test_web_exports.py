"""Exports over HTTP: a real desk, real footage, a real socket."""

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fakes.export_footage import BEGAN, ClipFootage
from fakes.runtime_clock import FakeClock
from fakes.web_gate import as_somebody, provide
from fakes.web_service import Site
from support import clips
from support.ports import free_port
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.desk import ExportDesk
from livecam_nvr.media.export.maker import ExportMaker
from livecam_nvr.media.export.store import ExportStore
from livecam_nvr.web import exports
from livecam_nvr.web.errors import error_middleware
from livecam_nvr.web.keys import PORTS

FROM, TO = "2026-09-21T14:13:20Z", "2026-09-21T14:13:24Z"


@pytest.fixture
async def site(tmp_path: Path, fragmented_clip: Path) -> AsyncIterator[aiohttp.ClientSession]:
    footage = ClipFootage()
    footage.add("cam0", fragmented_clip)
    desk = ExportDesk(ExportMaker(footage, {"cam0": "Door"}), ExportStore(tmp_path), FakeClock(BEGAN + 3600 * NS))
    await desk.start()
    app = web.Application(middlewares=[error_middleware(), as_somebody()])
    provide(app)
    app[PORTS] = Site(tmp_path, ["cam0"]).ports
    app[exports.EXPORTS] = desk
    one = "/api/exports/{export_id}"
    app.add_routes(
        [
            web.post("/api/exports", exports.submit),
            web.get("/api/exports", exports.list_exports),
            web.get(one, exports.get_export),
            web.delete(one, exports.remove),
            web.get(f"{one}/file", exports.get_file),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await desk.stop()
    await runner.cleanup()


async def ordered(site: aiohttp.ClientSession, **more: Any) -> dict[str, Any]:
    body = {"cameras": ["cam0"], "from": FROM, "to": TO, **more}
    async with site.post("/api/exports", json=body) as answer:
        assert answer.status == 202, await answer.text()
        taken = await answer.json()
        assert answer.headers["Location"] == f"/api/exports/{taken['id']}"
    found: dict[str, Any] = {}

    async def over() -> bool:
        async with site.get(f"/api/exports/{taken['id']}") as answer:
            found.update(await answer.json())
        return found["state"] not in ("queued", "running")

    await until(over, what="the export is over")
    return found


async def test_order_look_fetch_delete(site: aiohttp.ClientSession, tmp_path: Path) -> None:
    done = await ordered(site, title="A fox")
    assert (done["state"], done["progress"], done["frames"], done["gaps"]) == ("done", 1.0, 60, [])
    assert (done["title"], done["exact"], done["duration_s"]) == ("A fox", False, 4.0)
    assert (done["from_utc_s"], done["to_utc"]) == (BEGAN / NS, "2026-09-21T14:13:24.000Z")
    assert done["segments"] == [
        {
            "camera_id": "cam0",
            "path": "cam0/260921/cam0_0.mp4",
            "begin_utc": "2026-09-21T14:13:20.000Z",
            "begin_utc_s": BEGAN / NS,
            "frames": 60,
        }
    ]
    async with site.get("/api/exports") as answer:
        (listed,) = (await answer.json())["exports"]
        assert listed == {key: value for key, value in done.items() if key != "segments"}
    async with site.get(done["url"]) as answer:
        data = await answer.read()
        assert answer.headers["Content-Type"] == "video/mp4"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{done["name"]}"'
        assert len(data) == done["size"]
    async with site.get(done["url"], headers={"Range": "bytes=10-19"}) as answer:
        assert (answer.status, await answer.read()) == (206, data[10:20])
        assert answer.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    async with site.get(done["url"], headers={"Range": f"bytes={len(data)}-"}) as answer:
        assert answer.status == 416
    (tmp_path / "fetched.mp4").write_bytes(data)
    assert clips.probe(tmp_path / "fetched.mp4")["packets"] == 60
    assert json.loads(_tags(tmp_path / "fetched.mp4"))["format"]["tags"]["title"] == "A fox"
    async with site.delete(f"/api/exports/{done['id']}") as answer:
        assert answer.status == 200
    for path in (done["url"], f"/api/exports/{done['id']}"):
        async with site.get(path) as answer:
            assert answer.status == 404


async def test_exact_and_unix_seconds(site: aiohttp.ClientSession) -> None:
    done = await ordered(site, **{"from": BEGAN / NS + 1.5, "to": BEGAN // NS + 3, "exact": True})
    assert done["frames"] == 22
    assert 0 < done["recoded"] < 15


async def test_what_failed_has_no_file(site: aiohttp.ClientSession) -> None:
    failed = await ordered(site, **{"from": "2026-09-21T14:20:00Z", "to": "2026-09-21T14:21:00Z"})
    assert (failed["state"], failed["url"]) == ("failed", None)
    assert "nothing of cam0 was recorded" in failed["words"]
    async with site.get(f"/api/exports/{failed['id']}/file") as answer:
        assert answer.status == 409


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"cameras": "cam0"}, 400),
        ({"cameras": [1]}, 400),
        ({"cameras": []}, 400),
        ({"cameras": ["cam9"]}, 404),
        ({"from": None}, 400),
        ({"from": True}, 400),
        ({"from": "yesterday"}, 400),
        ({"from": "2026-09-21T14:13:20"}, 400),
        ({"from": float("inf")}, 400),
        ({"to": FROM}, 400),
        ({"from": "2030-01-01T00:00:00Z", "to": "2030-01-01T00:01:00Z"}, 400),
        ({"to": "2026-09-30T00:00:00Z"}, 400),
        ({"exact": "yes"}, 400),
        ({"title": 5}, 400),
        ({"quality": "best"}, 400),
    ],
)
async def test_orders_that_are_not_right(site: aiohttp.ClientSession, change: dict[str, Any], status: int) -> None:
    async with site.post("/api/exports", json={"cameras": ["cam0"], "from": FROM, "to": TO, **change}) as answer:
        assert answer.status == status, await answer.text()
        assert (await answer.json())["error"]["message"]
    async with site.get("/api/exports") as answer:
        assert (await answer.json())["exports"] == []


async def test_a_form_of_another_page_is_refused(site: aiohttp.ClientSession) -> None:
    async with site.post("/api/exports", data=b"{}", headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415


def _tags(path: Path) -> bytes:
    argv = ["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", str(path)]
    return subprocess.run(argv, check=True, capture_output=True, timeout=PATIENCE_S).stdout
