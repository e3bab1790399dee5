"""Draws the icons of the web app manifest from static/icon.svg: `.venv/bin/python scripts/icons.py`."""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.browser import chromium  # noqa: E402

STATIC = ROOT / "livecam_nvr" / "web" / "static"
# Masks leave a circle of 80 % of the width for certain; there the ground goes to the edges, without round corners.
_KINDS = {"192": (192, False), "512": (512, False), "maskable": (512, True), "180": (180, True)}


async def main() -> None:
    """Each icon is a page's picture."""
    (STATIC / "icons").mkdir(exist_ok=True)
    svg = (STATIC / "icon.svg").read_text()
    async with chromium() as browser:
        for name, (size, whole) in _KINDS.items():
            drawn = svg.replace('rx="8"', 'rx="0"') if whole else svg
            page = await browser.new_page(viewport={"width": size, "height": size})
            await page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:100vw}}</style>{drawn}")
            target = STATIC / "icons" / f"{name}.png"
            await page.screenshot(path=target, omit_background=True)
            await page.close()
            print(target.relative_to(ROOT))


asyncio.run(main())
