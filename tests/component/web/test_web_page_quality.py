"""Quality, complaints and smaller streams on the page, in a real browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.core_control import COPIED
from fakes.web_service import Site, running
from playwright.async_api import Browser, Page, expect
from support.browser import CHROMIUM, PATIENCE_MS, chromium
from support.waiting import PATIENCE_S, until

from livecam_nvr.core.events import ComplaintsChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import CameraState, Complaint, Fault

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

SMALLER_AGAIN_S = 60
"""A smaller stream that did not play at once, as on a busy machine, is tried again after so long."""
TILE = '[data-camera="cam0"]'
WIDTH = f"document.querySelector('{TILE} video').videoWidth"
TIME = f"document.querySelector('{TILE} video').currentTime"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        yield site


@asynccontextmanager
async def opened(browser: Browser, site: Site, width: int = 1280) -> AsyncIterator[tuple[Page, list[str]]]:
    """The page, and what it complained of besides refusals, which the browser notes by itself."""
    complaints: list[str] = []

    def heard(kind: str, text: str) -> None:
        if kind in ("error", "warning") and "responded with a status" not in text:
            complaints.append(text)

    page = await browser.new_page(viewport={"width": width, "height": 800})
    try:
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda m: heard(m.type, m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(site.url)
        await page.locator(TILE).wait_for()
        await page.keyboard.press("i")
        yield page, complaints
    finally:
        await page.close()


async def test_the_quality_is_chosen_and_told_in_words(browser: Browser, site: Site) -> None:
    site.control.now["cam1"] = COPIED
    site.home.change("cam1", quality=COPIED)
    await site.live("cam0")
    async with opened(browser, site) as (page, complaints):
        tile = page.locator(TILE)
        height, fps, note = tile.locator("select.height"), tile.locator("select.fps"), tile.locator(".note")
        await expect(height.locator("option")).to_have_text(["480p", "720p", "1080p"])
        await expect(height).to_have_value("720")
        await expect(fps).to_have_value("30")
        assert not await page.locator('[data-camera="cam1"] .quality').is_visible()

        site.control.hold = True
        await height.select_option("480")
        await until(lambda: site.control.is_changing("cam0"))
        await expect(height).to_be_disabled()
        await expect(fps).to_be_disabled()
        await expect(note).to_have_text("Changing…")
        site.control.finish("cam0")
        await expect(height).to_be_enabled()
        await expect(height).to_have_value("480")
        assert site.control.orders == [("cam0", 480, None, "tester (127.0.0.1)")]

        await fps.select_option("15")
        await until(lambda: site.control.is_changing("cam0"))
        refusal = LivecamError(ErrorKind.UNAVAILABLE, "15 a second failed: no", "it is set back to 720p")
        site.control.finish("cam0", refusal)
        site.control.settle("cam0")
        await expect(note).to_have_text("15 a second failed: no; it is set back to 720p")
        await expect(fps).to_be_enabled()
        await expect(height).to_have_value("720")
        await expect(fps).to_have_value("30")
        # The digits that choose in a list do not choose a camera.
        await height.focus()
        await page.keyboard.press("1")
        assert "#" not in page.url
        assert complaints == []


async def test_a_new_quality_goes_on_by_itself(browser: Browser, site: Site) -> None:
    camera = await site.live("cam0")
    async with opened(browser, site) as (page, complaints):
        await until(lambda: page.evaluate(f"{WIDTH} === 320"), "the first quality")
        await camera.kill()
        await camera.start("640x360")
        await until(lambda: page.evaluate(f"{WIDTH} === 640"), "the second quality")
        before = await page.evaluate(TIME)
        await until(lambda: page.evaluate(f"{TIME} > {before} + 1"), "moving pictures")
        site.home.change("cam0", width=640, height=360)
        words = page.get_by_text(re.compile("The camera sends 640.360 instead"))
        await words.wait_for()
        assert complaints == []


@pytest.mark.parametrize("width", [1280, 360])
async def test_complaints_and_faults_come_with_what_to_do(browser: Browser, site: Site, width: int) -> None:
    async with opened(browser, site, width) as (page, complaints):
        tile = page.locator(TILE)
        assert not await tile.locator(".complaints").is_visible()
        dark = Complaint("black", "<b>The picture is black.</b>", "Is the lens covered?", 1_795_000_000 * 10**9)
        site.home.change("cam0", complaints=(dark,), latency_s=0.012, encoder="x264", phase_ms=-0.4)
        site.bus.publish(ComplaintsChanged("cam0", (dark,)))
        await tile.locator(".complaints").get_by_text("Is the lens covered?").wait_for()
        await expect(tile.locator(".complaints strong")).to_have_text(dark.message)
        for name, value in (("Latency", "12 ms"), ("Encoder", "x264"), ("Phase", "-0.4 ms")):
            await expect(tile.locator(f'dt:text-is("{name}") + dd')).to_have_text(value)
        site.home.state("cam0", CameraState.OFFLINE, Fault("no such device", "is its cable in?"))
        await tile.get_by_text("no such device; is its cable in?").wait_for()
        site.home.change("cam0", complaints=())
        site.bus.publish(ComplaintsChanged("cam0", ()))
        await tile.locator(".complaints").wait_for(state="hidden")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []


async def test_small_pictures_play_the_smaller_stream(browser: Browser, tmp_path: Path) -> None:
    async with running(tmp_path, ["cam0", "cam1", "cam0_sub"]) as site:
        del site.home.cameras["cam0_sub"]
        site.home.change("cam0", sub_stream="cam0_sub")
        smaller = None
        for camera_id in site.hubs:
            smaller = await site.live(camera_id, size="160x90" if camera_id == "cam0_sub" else "320x180")
        assert smaller is not None
        hubs = site.hubs

        async def watched(*ids: str) -> None:
            def so() -> bool:
                return [camera_id for camera_id in hubs if hubs[camera_id].viewers] == list(ids)

            await until(so, f"viewers of {ids} and no others", within_s=PATIENCE_S + SMALLER_AGAIN_S)

        async with opened(browser, site) as (page, complaints):
            await watched("cam1", "cam0_sub")
            await until(lambda: page.evaluate(f"{WIDTH} === 160"), "the smaller picture")
            await page.keyboard.press("1")
            await watched("cam0", "cam1")
            await until(lambda: page.evaluate(f"{WIDTH} === 320"), "the whole picture")
            await page.keyboard.press("0")
            await watched("cam1", "cam0_sub")
            await until(lambda: page.evaluate(f"{WIDTH} === 160"), "the smaller picture again")
            # A smaller stream that dies is none: the main one is there.
            await smaller.kill()
            await watched("cam0", "cam1")
            await until(lambda: page.evaluate(f"{WIDTH} === 320"), "the main stream's picture")
            assert complaints == []
