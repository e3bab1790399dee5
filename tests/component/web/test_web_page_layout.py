"""How the live page fits: its header at any width, all tools on a phone, and switches where colours are forced."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.web_service import running
from playwright.async_api import Browser, Page
from support.browser import CHROMIUM, chromium
from support.household import visitor
from support.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

_CAMERAS = [f"a_camera_with_a_long_name_{number}" for number in range(4)]
_IN_FIRST_ROW = """(() => {
  const middle = (selector) => {
    const { top, height } = document.querySelector(selector).getBoundingClientRect();
    return top + height / 2;
  };
  return Math.abs(middle(".account") - middle(".brand")) < 8;
})()"""
_LAST_IN_FIRST_ROW = "innerWidth - document.querySelector('.account').getBoundingClientRect().right < 50"
_TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
_OUTSIDE = """(() => {
  const { right } = document.querySelector(".foot").getBoundingClientRect();
  return [...document.querySelectorAll(".tile:first-child .foot button")]
    .filter((one) => one.getBoundingClientRect().right > right)
    .map((one) => one.className);
})()"""
_SHOWN = """[...document.querySelectorAll(".tile:first-child .tools button")]
  .filter((one) => one.offsetWidth)
  .map((one) => one.className)"""
_COLOURS = """[".switch i", ".switch i::after"].map((name) => {
  const [selector, part] = name.split("::");
  return getComputedStyle(document.querySelector(selector), part && `::${part}`).backgroundColor;
})"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def arrive(page: Page, url: str) -> None:
    await page.goto(url)
    await page.locator(".tile .switch").first.wait_for()


@pytest.mark.parametrize("width", [1920, 1440, 1300, 1100, 800, 600])
async def test_the_account_ends_the_headers_first_row(tmp_path: Path, browser: Browser, width: int) -> None:
    async with running(tmp_path, _CAMERAS) as site, visitor(browser) as page:
        await page.set_viewport_size({"width": width, "height": 900})
        await arrive(page, site.url)
        await until(lambda: page.evaluate("document.querySelector('.facts').children.length > 0"), "the facts")
        assert await page.evaluate(_IN_FIRST_ROW)
        assert await page.evaluate(_LAST_IN_FIRST_ROW)
        assert not await page.evaluate(_TOO_WIDE)


@pytest.mark.parametrize("width", [360, 375, 390])
async def test_a_phone_has_all_tools(tmp_path: Path, browser: Browser, width: int) -> None:
    async with running(tmp_path) as site, visitor(browser) as page:
        await page.set_viewport_size({"width": width, "height": 740})
        await arrive(page, site.url)
        await until(lambda: page.evaluate(f"{_SHOWN}.length > 0"), "the tools")
        assert {"snapshot", "full", "details"} <= set(await page.evaluate(_SHOWN))
        assert await page.evaluate(_OUTSIDE) == []


async def test_a_switch_is_told_from_its_ground_where_colours_are_forced(tmp_path: Path, browser: Browser) -> None:
    async with running(tmp_path) as site, visitor(browser) as page:
        await page.emulate_media(forced_colors="active")
        await arrive(page, site.url)
        track, knob = await page.evaluate(_COLOURS)
        assert track != knob
