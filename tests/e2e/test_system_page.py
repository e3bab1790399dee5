"""The system's page on the whole service: settings that are changed, and diagnostics that give nothing away."""

import asyncio
import io
import json
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import expect
from support.browser import CHROMIUM, chromium
from support.household import visitor
from support.ports import free_port
from support.service import Service, small_camera
from support.waiting import until

MARK = "S3CRET"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]


def planted() -> dict[str, object]:
    """A config with secrets in all the places that it has for them."""
    here = f"127.0.0.1:{free_port()}"
    gone = {"kind": "rtsp", "id": "gone", "name": "Gone"}
    return {
        "cameras": [
            small_camera("cam0", name="Door"),
            {**gone, "url": f'rtsp://me:{MARK}-6@{MARK}"-7@{here}/user=a_password={MARK}-4&pwd={MARK}-5'},
            {
                **gone,
                "id": "lost",
                "url": "rtsp://me:${PLANTED}@" + here,
                "onvif_url": f"http://me:{MARK}-3@{here}/",
            },
        ],
        "mqtt": {"host": "127.0.0.1", "port": free_port(), "username": "me", "password": f"{MARK}-mqtt"},
    }


async def test_settings_are_changed_and_diagnostics_give_nothing_away(tmp_path: Path) -> None:
    service = Service(tmp_path, **planted())
    service.env["PLANTED"] = f"{MARK}-2"
    await service.start("--verbose", wait=False)

    async def told() -> bool:
        try:
            status = await service.status()
        except OSError:
            return False
        kinds = {alarm["camera_id"] or alarm["kind"] for alarm in status["alarms"]}
        live = status["cameras"][0]["state"] == "LIVE"
        return live and {"gone", "lost", "broker"} <= kinds

    try:
        await until(told, f"a picture, and all alarms; log:\n{service.read_log()}")
        async with chromium() as browser, visitor(browser) as page:
            await service.sign_in(page)
            await page.goto(f"{service.url}/system#settings")
            await page.locator("details.camera > summary").nth(0).click()
            await page.locator("#setting-cameras-0-name").fill("Gate")
            await page.locator("#setting-cameras-0-fps").fill("10")
            await page.get_by_role("button", name="Review and save").click()
            dialog = page.get_by_role("dialog")
            await expect(dialog).to_contain_text("Gate restarts")
            assert MARK not in await page.content()
            await dialog.get_by_role("button", name="Save", exact=True).click()
            await expect(page.locator(".settings-said")).to_contain_text("Saved, and in force.")
            written = json.loads((tmp_path / "config.yaml").read_text())["cameras"]
            assert (written[0]["name"], written[0]["fps"]) == ("Gate", 10)
            assert written[1]["url"].startswith(f"rtsp://me:{MARK}-6@")
            await page.goto(f"{service.url}/system#state")
            # At least: a machine that is short of CPU may have more to complain of.
            await page.locator(".alarms li").nth(2).wait_for()
            await expect(page.locator(".coverage")).to_have_count(3)
            async with page.expect_download() as download:
                await page.get_by_role("button", name="Download diagnostics").click()
            body = await asyncio.to_thread((await (await download.value).path()).read_bytes)
        log = (await service.get("/api/log?limit=1000")).decode()
    finally:
        await service.stop()
    assert "connection refused" in log
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(texts["config.json"])["cameras"][0]["name"] == "Gate"
    assert "ffmpeg" in texts["versions.json"]
    assert "MediaMTX" in texts["checks.txt"]
    assert [camera["camera_id"] for camera in json.loads(texts["coverage.json"])] == ["cam0", "gone", "lost"]
    for name, text in {**texts, "log": log}.items():
        assert text, name
        assert [line for line in text.splitlines() if MARK in line] == [], name
