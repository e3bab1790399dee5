"""Makes the README's picture: `.venv/bin/python scripts/screenshot.py` (needs Debian's chromium)."""

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.browser import chromium, shown_frame  # noqa: E402
from support.service import Service  # noqa: E402
from support.waiting import until  # noqa: E402

CAMERAS = [{"id": "cam0", "name": "Front door", "kind": "test"}, {"id": "cam1", "name": "Garden", "kind": "test"}]


async def main() -> None:
    """Runs two test cameras, waits for their pictures and a finished file, and takes the page's picture."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), cameras=CAMERAS)
        await service.start()
        try:
            async with chromium() as browser:
                page = await browser.new_page(viewport={"width": 1280, "height": 700})
                await service.sign_in(page)
                await page.goto(service.url)

                async def ready() -> bool:
                    cameras = (await service.status())["cameras"]
                    done = all(camera["recording"]["last_segment"] for camera in cameras)
                    return done and min([await shown_frame(page, index) for index in range(2)]) > 0

                await until(ready, 30, "pictures and files")
                target = ROOT / "docs" / "images" / "page.png"
                await page.screenshot(path=target)
                print(target)
        finally:
            await service.stop()


asyncio.run(main())
