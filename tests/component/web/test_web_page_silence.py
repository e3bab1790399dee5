"""The live page on connections that are dead and never say so, as after a computer slept; in Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.web_service import running
from playwright.async_api import Browser, expect
from support.browser import CHROMIUM, chromium
from support.household import visitor
from support.relay import relay

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

WITHOUT = {
    "MSE": "",
    "HLS": "const Real = WebSocket; window.WebSocket = class { constructor(url) {"
    " if (!url.includes('live.ws')) return new Real(url);"
    " setTimeout(() => this.onclose?.()); } close() {} };",
    "MJPEG": "delete window.MediaSource; delete window.ManagedMediaSource;",
}
COMES_BACK_MS = 40_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


# The other ways notice it as slowly as browsers give up on each dead connection that they keep for later.
@pytest.mark.parametrize("way", ["MSE", *(pytest.param(way, marks=pytest.mark.soak) for way in ("HLS", "MJPEG"))])
async def test_it_notices_and_goes_on(tmp_path: Path, browser: Browser, way: str) -> None:
    async with running(tmp_path, ["cam0"]) as site, relay(site.port) as wire, visitor(browser) as page:
        await site.live("cam0")
        await page.add_init_script(WITHOUT[way])
        await page.goto(wire.url)
        state = page.locator(".tile .state")
        await expect(page.locator(".tile .way")).to_contain_text(way, timeout=COMES_BACK_MS)
        await expect(state).to_have_text("LIVE", timeout=COMES_BACK_MS)
        wire.cut()
        await expect(state).not_to_have_text("LIVE", timeout=5000)
        await expect(state).to_have_text("LIVE", timeout=COMES_BACK_MS)
        await expect(page.locator(".tile .way")).to_contain_text(way)
        site.home.set_recording("cam0", True, "somebody else")
        await page.locator(".tile .rec").wait_for(timeout=COMES_BACK_MS)
