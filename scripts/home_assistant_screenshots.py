"""Takes the pictures of homeassistant/README.md: `.venv/bin/python scripts/home_assistant_screenshots.py`.

They are made from a real Home Assistant with the integration and the dashboard, beside a real service with two
test cameras; it takes some minutes, most of which it waits for something to have been recorded. They lie in
homeassistant/images, or in the folder that is named. Needs Debian's chromium, ffmpeg and mosquitto.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.async_api import Browser, Page  # noqa: E402
from support.browser import chromium  # noqa: E402
from support.home_assistant import INTEGRATION, HomeAssistant  # noqa: E402
from support.home_assistant_home import add_integration, home  # noqa: E402
from support.home_assistant_pages import DASHBOARD, look, paste_dashboard, signed_in  # noqa: E402
from support.service import Service  # noqa: E402
from support.waiting import until  # noqa: E402

CAMERAS = [{"id": f"cam{number}", "kind": "test", "name": f"Camera {number}"} for number in range(2)]
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 400, "height": 860}, "is_mobile": True, "has_touch": True}
RECORDED_S = 90
"""So much is recorded before the first picture, so that there is something to be seen in lists and curves."""


async def main(wanted: argparse.Namespace) -> None:
    """Everything from the broker to the pictures."""
    wanted.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        async with home(Path(name), CAMERAS) as (service, ha):
            await add_integration(service, ha)
            await _happen(service)
            await paste_dashboard(ha)
            async with chromium() as browser:
                await _pictures(browser, ha, wanted.folder)


async def _happen(service: Service) -> None:
    """Some minutes of a day, in short."""
    for label in ("motion", "person", "motion"):
        await service.post("/api/cameras/cam0/events", {"label": label, "state": "begin"})
        await asyncio.sleep(RECORDED_S / 6)
        await service.post("/api/cameras/cam0/events", {"label": label, "state": "end"})
        await service.post("/api/cameras/cam1/events", {"label": "doorbell"})
        await asyncio.sleep(RECORDED_S / 6)


async def _pictures(browser: Browser, ha: HomeAssistant, folder: Path) -> None:
    dashboard = f"{ha.url}/{DASHBOARD}"
    async with signed_in(browser, ha, **DESK) as page:
        for name, path, videos in (
            ("dashboard", "live", 2),
            ("wall", "wall", 2),
            ("single", "camera-0", 1),
            ("state", "state", 0),
        ):
            await page.goto(f"{dashboard}/{path}")
            await _settled(page, videos)
            await _save(page, folder / f"{name}.png")
        entry = next(found for found in await ha.entities() if found["entity_id"] == "camera.camera_0")
        await page.goto(f"{ha.url}/config/devices/device/{entry['device_id']}")
        await _settled(page)
        await _save(page, folder / "device.png")
        await page.goto(f"{ha.url}/media-browser/browser/{await _events(ha)}")
        await _settled(page)
        await _save(page, folder / "media.png")
    async with signed_in(browser, ha, **PHONE) as page:
        await page.goto(f"{dashboard}/live")
        await _settled(page, 2)
        await _save(page, folder / "phone.png")


async def _events(ha: HomeAssistant) -> str:
    """Where the media browser has the first camera's events of today: each folder's kind and id, in a row."""
    ways, here = (
        [],
        {"children": [{"media_content_type": "app", "media_content_id": f"media-source://{INTEGRATION}"}]},
    )
    for at in (0, 0, 1, 0):
        child = here["children"][at]
        ways.append(quote(f"{child['media_content_type']},{child['media_content_id']}", safe=""))
        here = await ha.ask("media_source/browse_media", media_content_id=child["media_content_id"])
    return "/".join(ways)


async def _settled(page: Page, videos: int = 0) -> None:
    """Waits for live video; then for what moves only once, such as the needle of a gauge."""

    async def shown() -> bool:
        found = await look(page)
        if found.errors:
            raise RuntimeError(f"cards with errors: {found.errors}")
        return found.videos >= videos

    await until(shown, "live video")
    await asyncio.sleep(4)


async def _save(page: Page, target: Path) -> None:
    """As PNG with 256 colours, which halves it."""
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "whole.png"
        await page.screenshot(path=whole)
        colours = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"
        argv = ["ffmpeg", "-v", "error", "-y", "-i", str(whole), "-filter_complex", colours, str(target)]
        await asyncio.to_thread(subprocess.run, argv, check=True)
    print(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Takes the pictures of homeassistant/README.md.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "homeassistant" / "images")
    asyncio.run(main(parser.parse_args()))
