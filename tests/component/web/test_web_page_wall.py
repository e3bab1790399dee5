"""The wall in Chromium: pictures only, for ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.web_service import running
from playwright.async_api import Browser, expect
from support.browser import CHROMIUM, chromium
from support.household import CONSOLE, household, sign_in, visitor
from support.waiting import until

from livecam_nvr.domain.access import Role
from livecam_nvr.domain.status import CameraState, Fault

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

SHOWN = "[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.camera)"
STATES = "[...document.querySelectorAll('.state')].map((state) => state.textContent)"
CONTROLS = "document.querySelectorAll('a, button, select, input').length"
FILLED = """[...document.querySelectorAll('.tile')].reduce((sum, { offsetWidth, offsetHeight }) =>
  sum + offsetWidth * offsetHeight, 0) / (innerWidth * innerHeight)"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def test_it_shows_what_its_address_says_and_nothing_else(tmp_path: Path, browser: Browser) -> None:
    async with running(tmp_path, ["cam0", "cam1", "cam2"]) as site, visitor(browser) as page:
        for camera_id in ("cam0", "cam2"):
            await site.live(camera_id)
        await page.goto(f"{site.url}/wall?cameras=cam2,%20cam0,attic")
        await page.get_by_text("There is no camera “attic”.").wait_for()
        await expect(page.locator(".tile")).to_have_count(2)
        assert await page.evaluate(SHOWN) == ["cam2", "cam0"]

        async def live() -> bool:
            return bool(await page.evaluate(STATES) == ["LIVE", "LIVE"])

        await until(live, "both live")
        assert await page.locator(".title").all_text_contents() == ["Camera 2", "Camera 0"]
        assert await page.evaluate(CONTROLS) == 0
        assert await page.evaluate("getComputedStyle(document.querySelector('video')).cursor") == "none"
        await until(lambda: page.evaluate(f"{FILLED} > 0.99"), "a screen full of pictures")
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")

        # Nobody is there to load it anew: it comes back by itself.
        await site.server.stop()

        async def away() -> bool:
            return bool(await page.evaluate(STATES) == ["OFFLINE", "OFFLINE"])

        await until(away, "both offline")
        site.server = site.server_of()
        await site.server.start()
        await until(live, "both live again")


async def test_without_labels_it_still_says_what_is_wrong(tmp_path: Path, browser: Browser) -> None:
    async with running(tmp_path, ["cam0", "cam1"]) as site, visitor(browser) as page:
        await site.live("cam0")
        site.home.state("cam1", CameraState.OFFLINE, Fault("no such device", "is its cable in?"))
        await page.goto(f"{site.url}/wall?labels=0")
        await page.locator('[data-camera="cam0"] .state[data-state="LIVE"]').wait_for(state="attached")
        for part in (".head", ".title", ".clock"):
            await expect(page.locator(f'[data-camera="cam0"] {part}')).to_be_hidden()
        await page.get_by_text("no such device; is its cable in?").wait_for()
        await expect(page.locator('[data-camera="cam1"] .state')).to_be_visible()
        del site.home.cameras["cam1"]
        await expect(page.locator(".tile")).to_have_count(1)


async def test_the_sign_in_leads_back_to_what_was_to_be_shown(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ("anna", Role.ADMIN), ("ben", Role.VIEWER)) as home, visitor(browser) as page:
        await page.goto(f"{home.url}wall?cameras=cam1&labels=0")
        await sign_in(page, "ben")
        await page.locator(".tile").wait_for()
        assert page.url == f"{home.url}wall?cameras=cam1&labels=0"
        assert await page.evaluate(SHOWN) == ["cam1"]
        await home.access.remove_user("ben", by="test", client=CONSOLE)
        await expect(page).to_have_url(f"{home.url}signin?next=wall%3Fcameras%3Dcam1%26labels%3D0")
