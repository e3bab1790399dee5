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
from support.waiting import until

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

# Each state that is shown, however short.
NOTES = """
window.states = [];
const note = () => document.querySelectorAll(".tile .state").forEach((one) => window.states.push(one.textContent));
new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true });
"""


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
        await page.add_init_script(NOTES)
        await page.goto(wire.url)
        state = page.locator(".tile .state")
        await expect(page.locator(".tile .way")).to_contain_text(way)
        await expect(state).to_have_text("LIVE")
        await page.evaluate("window.states.length = 0")
        wire.cut()
        await until(lambda: page.evaluate("window.states.some((state) => state !== 'LIVE')"), "it notices")
        await expect(state).to_have_text("LIVE")
        await expect(page.locator(".tile .way")).to_contain_text(way)
        site.home.set_recording("cam0", True, "somebody else")
        await page.locator(".tile .rec").wait_for()
