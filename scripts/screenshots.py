"""Takes pictures of every page, light and dark, wide and on a phone: `.venv/bin/python scripts/screenshots.py`.

They lie in build/screenshots, or in the folder that is named. `--language ko` shows the pages in that language,
`--only past` those whose name begins so, `--readme` renews the README's picture. Needs Debian's chromium.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.async_api import Browser, Page  # noqa: E402
from support.browser import chromium, shown_frame  # noqa: E402
from support.page_tour import FRESH, INSIDE, OUTSIDE, Stop, served, visit  # noqa: E402
from support.service import Service  # noqa: E402
from support.waiting import until  # noqa: E402

SIZES = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
SCHEMES = ("light", "dark")
README = ROOT / "docs" / "images" / "page.png"


async def main(wanted: argparse.Namespace) -> None:
    """Runs two test cameras, and goes through all pages."""
    wanted.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async for service in served(Path(folder)):
            async with chromium() as browser:
                # The first password can be set only before anybody has one.
                for stops, signed_in in ((FRESH, False), (OUTSIDE, False), (INSIDE, True)):
                    chosen = [stop for stop in stops if stop.name.startswith(wanted.only)]
                    if chosen:
                        await _each_way(browser, service, chosen, wanted, signed_in=signed_in)
    if wanted.readme:
        shutil.copyfile(wanted.folder / "live-wide-light.png", README)
        print(README)


async def _each_way(
    browser: Browser, service: Service, stops: list[Stop], wanted: argparse.Namespace, *, signed_in: bool
) -> None:
    for size, viewport in SIZES.items():
        for scheme in SCHEMES:
            context = await browser.new_context(
                viewport=viewport,  # type: ignore[arg-type]
                color_scheme=scheme,  # type: ignore[arg-type]
                locale=wanted.language,
                is_mobile=size == "phone",
                has_touch=size == "phone",
            )
            page = await context.new_page()
            if signed_in:
                await service.sign_in(page)
            for stop in stops:
                await visit(page, service.url, stop)
                await _pictures(page, stop)
                target = wanted.folder / f"{stop.name}-{size}-{scheme}.png"
                await page.screenshot(path=target, full_page=True)
                print(target)
            await context.close()


async def _pictures(page: Page, stop: Stop) -> None:
    if not stop.name.startswith(("live", "wall")):
        return

    async def shown() -> bool:
        live = stop.name.startswith("wall") or await page.get_by_text("LIVE", exact=True).count() > 1
        return live and min([await shown_frame(page, index) for index in range(2)]) > 0

    await until(shown, "live pictures")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Takes pictures of every page.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--language", default="en-GB")
    parser.add_argument("--only", default="")
    parser.add_argument("--readme", action="store_true")
    asyncio.run(main(parser.parse_args()))
