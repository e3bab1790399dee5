"""The live page in real browsers."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fakes.web_marionette import firefox
from fakes.web_service import Site, running
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from support.browser import PATIENCE_MS
from support.waiting import until

from livecam_nvr.domain.status import CameraState, DiskStatus, Fault

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
VIDEOS = """[...document.querySelectorAll('.tile:not([hidden]) video')].map(v => (
    {time: v.currentTime, ready: v.readyState, width: v.videoWidth,
     behind: v.buffered.length ? v.buffered.end(v.buffered.length - 1) - v.currentTime : null}))"""
STATES = "[...document.querySelectorAll('.tile:not([hidden]) .state')].map(s => s.textContent)"
WAYS = "[...document.querySelectorAll('.tile:not([hidden]) .way')].map(s => s.hidden ? '' : s.textContent)"
# A changing picture changes this number.
CANVAS = """(() => { const shown = document.querySelector('canvas');
    if (!shown || shown.hidden) return 0;
    const copy = new OffscreenCanvas(64, 36).getContext('2d', {willReadFrequently: true});
    copy.drawImage(shown, 0, 0, 64, 36);
    return copy.getImageData(0, 0, 64, 36).data.reduce((a, b, at) => (a * 31 + b) % 1000003, 1) })()"""

needs_chromium = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium")
needs_firefox = pytest.mark.skipif(shutil.which("firefox-esr") is None, reason="there is no firefox-esr")
Open = Callable[..., Any]


@asynccontextmanager
async def page_of(context: BrowserContext, url: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """An opened page, and what it complained of."""
    complaints: list[str] = []
    page = await context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    yield page, complaints
    await page.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Of somebody who has not been here before."""
    made = await chromium.new_context(viewport={"width": 1280, "height": 800})
    made.set_default_timeout(PATIENCE_MS)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def live_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two cameras that are live."""
    async with running(tmp_path) as site:
        for camera_id in ("cam0", "cam1"):
            await site.live(camera_id)
        yield site


async def are(ask: Callable[[str], Any], what: str, *wanted: str) -> None:
    """Waits until the cameras' states (or ways, or what else) are these."""

    async def told() -> bool:
        return list(await ask(what)) == list(wanted)

    await until(told, f"{wanted}")


async def plays(ask: Callable[[str], Any], count: int) -> None:
    """Waits until `count` videos play, and go on playing."""

    async def moving() -> list[dict[str, float]] | None:
        videos = list(await ask(VIDEOS))
        return videos if len(videos) == count and all(v["ready"] >= 3 for v in videos) else None

    first = await until(moving, f"{count} videos")

    async def later() -> bool:
        now = await ask(VIDEOS)
        return len(now) == count and all(
            b["time"] > a["time"] + 1
            for a, b in zip(first, now, strict=True)  # type: ignore[call-overload]
        )

    await until(later, "time to pass in the videos")


@needs_chromium
async def test_both_cameras_play_close_to_live_without_a_complaint(
    live_site: Site, context: BrowserContext
) -> None:
    async with page_of(context, live_site.url) as (page, complaints):
        await plays(page.evaluate, 2)

        async def close_to_live() -> bool:
            return all(0 <= v["behind"] < 0.5 and v["width"] == 320 for v in await page.evaluate(VIDEOS))

        await until(close_to_live, "both close to the newest frame")

        await are(page.evaluate, STATES, "LIVE", "LIVE")
        await are(page.evaluate, WAYS, "MSE", "MSE")
        assert await page.title() == "Home"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []


@needs_chromium
async def test_views_by_buttons_keys_and_address(live_site: Site, context: BrowserContext) -> None:
    async with page_of(context, live_site.url) as (page, complaints):
        await plays(page.evaluate, 2)
        shown = "[...document.querySelectorAll('.tile:not([hidden])')].map(t => t.dataset.camera)"
        hubs = live_site.hubs

        async def shows(cameras: list[str], pressed: str) -> None:
            await are(page.evaluate, shown, *cameras)
            await expect(page.locator('[aria-pressed="true"]')).to_have_text([pressed])
            # What is not shown is there all the same: to go there takes no time.
            await until(lambda: all(hub.viewers for hub in hubs.values()), "viewers of all")

        await shows(["cam0", "cam1"], "Dual")
        await page.get_by_role("button", name="Camera 1", exact=True).click()
        await shows(["cam1"], "Camera 1")
        assert page.url.endswith("#cam1")
        await page.keyboard.press("1")
        await shows(["cam0"], "Camera 0")
        await page.reload()
        await shows(["cam0"], "Camera 0")
        await page.keyboard.press("9")
        await shows(["cam0"], "Camera 0")
        await page.keyboard.press("0")
        await shows(["cam0", "cam1"], "Dual")
        await plays(page.evaluate, 2)
        assert complaints == []


@needs_chromium
async def test_an_address_that_names_no_camera_shows_all(live_site: Site, context: BrowserContext) -> None:
    async with page_of(context, live_site.url + "/#%E0%A4%A") as (page, complaints):
        await plays(page.evaluate, 2)
        await expect(page.locator('[aria-pressed="true"]')).to_have_text(["Dual"])
        assert complaints == []


@needs_chromium
async def test_without_media_source_it_shows_jpegs_and_says_so(live_site: Site, context: BrowserContext) -> None:
    await context.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource;")
    async with page_of(context, live_site.url) as (page, complaints):
        await until(lambda: page.evaluate(CANVAS), "a picture")
        first = await page.evaluate(CANVAS)

        async def moved() -> bool:
            return bool(await page.evaluate(CANVAS) != first)

        await until(moved, "another picture")

        async def both_tell() -> bool:
            ways = await page.evaluate(WAYS)
            return len(ways) == 2 and all(way.startswith("MJPEG") for way in ways)

        await until(both_tell, "both labelled")
        await are(page.evaluate, STATES, "LIVE", "LIVE")
        assert complaints == []


@needs_chromium
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("MediaSource.isTypeSupported = () => false;", "codec"),
        (
            "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.()); } close() {} };",
            "WebSocket",
        ),
    ],
)
async def test_where_a_codec_or_web_sockets_do_not_work_it_shows_jpegs(
    live_site: Site, context: BrowserContext, script: str, why: str
) -> None:
    await context.add_init_script(script)
    async with page_of(context, live_site.url) as (page, _):

        async def told() -> bool:
            ways = await page.evaluate(WAYS)
            return len(ways) == 2 and all(why in way for way in ways)

        await until(told, "both fall back")
        await are(page.evaluate, STATES, "LIVE", "LIVE")


@needs_chromium
async def test_an_old_picture_is_never_shown_as_live(live_site: Site, context: BrowserContext) -> None:
    async with page_of(context, live_site.url) as (page, complaints):
        await plays(page.evaluate, 2)
        tile = page.locator(".tile").first
        await live_site.cameras[0].kill()

        async def state(wanted: str, words: str) -> bool:
            texts = await tile.inner_text()
            return await tile.locator(".state").text_content() == wanted and words in texts

        # The service has not noticed yet: the page tells by the frames that do not come.
        await until(lambda: state("DELAY", "No new frame for"), "DELAY")
        assert "stale" in (await tile.get_attribute("class") or "")
        await are(page.evaluate, STATES, "DELAY", "LIVE")
        live_site.home.state("cam0", CameraState.OFFLINE, Fault("Connection refused", "is it on?"))
        await until(lambda: state("OFFLINE", "Connection refused; is it on?"), "OFFLINE")

        await live_site.cameras[0].start(size="160x120")
        live_site.home.state("cam0", CameraState.LIVE)
        await are(page.evaluate, f"{VIDEOS}.map(v => String(v.width))", "160", "320")
        await until(lambda: state("LIVE", ""), "LIVE again, with another size")
        await expect(tile).not_to_have_class(re.compile("stale"))
        assert complaints == []


@needs_chromium
async def test_it_comes_back_when_the_service_does(live_site: Site, context: BrowserContext) -> None:
    async with page_of(context, live_site.url) as (page, _):
        await plays(page.evaluate, 2)
        await live_site.server.stop()

        await are(page.evaluate, STATES, "OFFLINE", "OFFLINE")
        await expect(page.locator("#notice")).to_contain_text("does not answer")
        live_site.server = live_site.server_of()
        await live_site.server.start()
        await are(page.evaluate, STATES, "LIVE", "LIVE")
        await are(page.evaluate, WAYS, "MSE", "MSE")
        await page.locator("#notice").wait_for(state="hidden")


@needs_chromium
async def test_the_recording_switch_shows_what_the_recorder_does(live_site: Site, context: BrowserContext) -> None:
    async with page_of(context, live_site.url) as (page, complaints):
        switch = page.get_by_role("switch", name="Record Camera 0")
        await switch.wait_for()
        await expect(switch).to_have_attribute("aria-checked", "false")
        await switch.focus()
        await page.keyboard.press("Space")
        rec = page.locator(".tile").first.locator(".rec")
        await rec.wait_for(state="visible")
        await expect(switch).to_have_attribute("aria-checked", "true")
        assert [(camera, on) for camera, on, _ in live_site.home.asked] == [("cam0", True)]
        live_site.home.set_recording("cam0", False, "somebody else")
        await rec.wait_for(state="hidden")
        live_site.home.disk = DiskStatus("/srv", 10, 1, problem=True, reason="1 B free, less than min_free")
        await page.get_by_text("Recordings: 1 B free").wait_for()
        assert complaints == []


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_is_wider_than_the_window(tmp_path: Path, context: BrowserContext, width: int) -> None:
    ids = [f"camera-with-a-rather-long-name-{at}" for at in range(5)]
    async with running(tmp_path, ids) as site:
        for camera_id in ids:
            site.home.change(camera_id, name="A camera with a rather long name " + camera_id)
        fault = Fault("x" * 300, "y " * 100)
        site.home.state(ids[0], CameraState.OFFLINE, fault)
        async with page_of(context, site.url) as (page, complaints):
            await page.set_viewport_size({"width": width, "height": 700})
            await expect(page.locator(".tile")).to_have_count(len(ids))
            await page.keyboard.press("i")
            await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            # What draws itself anew for another width does so a little later.
            fits = f"document.documentElement.scrollWidth <= {width}"
            await until(lambda: page.evaluate(fits), "all in sight")
            assert complaints == []


@needs_chromium
async def test_texts_are_text(tmp_path: Path, context: BrowserContext) -> None:
    async with running(tmp_path, ["cam0"]) as site:
        evil = "<img src=x onerror=alert(1)>"
        site.home.change("cam0", name=evil)
        site.home.state("cam0", CameraState.OFFLINE, Fault(evil, evil))
        async with page_of(context, site.url) as (page, complaints):
            await page.get_by_role("heading", name=evil).wait_for()
            assert await page.evaluate("document.querySelectorAll('main img').length") == 0
            assert complaints == []


@needs_firefox
async def test_firefox_plays_both(live_site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with firefox(tmp_path_factory.mktemp("firefox")) as browser:
        await browser.open(live_site.url)
        await plays(browser.evaluate, 2)
        await are(browser.evaluate, STATES, "LIVE", "LIVE")
        await are(browser.evaluate, WAYS, "MSE", "MSE")
        assert json.dumps(await browser.evaluate(VIDEOS))
