"""How the page's pictures come, in a real browser: in which way, and what becomes of those unseen or too old."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.web_service import Site, read_clip, running
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

NO_SOCKETS = "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.()); } close() {} };"
SHOWN = """() => [...document.querySelectorAll('.tile')].map((tile) => [
    tile.querySelector('.way').textContent, tile.querySelector('.state').textContent])"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def live_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two cameras that are live."""
    async with running(tmp_path) as site:
        for camera_id in ("cam0", "cam1"):
            await site.live(camera_id)
        yield site


async def are(page: Page, *wanted: list[str]) -> None:
    """Returns when the cameras are shown like that: the way begins so, and the state is that."""

    async def told() -> bool:
        shown = await page.evaluate(SHOWN)
        return len(shown) == len(wanted) and all(
            way.startswith(begin) and state == which
            for (way, state), (begin, which) in zip(shown, wanted, strict=True)
        )

    await until(told, f"{wanted}")


async def test_without_web_sockets_it_takes_whole_segments_and_without_them_jpegs(
    live_site: Site, browser: Browser
) -> None:
    async with visitor(browser) as page:
        await page.add_init_script(NO_SOCKETS)
        await page.goto(live_site.url)
        before: float | None = None

        async def plays_on() -> bool:
            nonlocal before
            shown = await page.evaluate(SHOWN)
            if any(way.startswith("MJPEG") for way, _ in shown):
                # They were too late for too long, as on a busy machine; so once more.
                before = None
                await page.reload()
                return False
            if len(shown) < 2 or not all(way.startswith("HLS · no WebSocket") for way, _ in shown):
                return False
            now = float(await page.evaluate("document.querySelector('video').currentTime"))
            before = now if before is None else before
            return now > before + 3 and all(state == "LIVE" for _, state in shown)

        await until(plays_on, "it plays on over the end of a segment")
        await page.route("**/hls/**", lambda route: route.abort())
        await are(page, ["MJPEG · no WebSocket", "LIVE"], ["MJPEG · no WebSocket", "LIVE"])
        hidden = "[...document.querySelectorAll('video')].every((video) => video.hidden)"
        await until(lambda: page.evaluate(hidden), "no video in sight")


async def test_out_of_sight_it_stays_connected_and_decodes_keyframes_only(
    live_site: Site, browser: Browser
) -> None:
    async with visitor(browser) as page:
        await page.goto(live_site.url)
        await are(page, ["MSE", "LIVE"], ["MSE", "LIVE"])
        await page.keyboard.press("1")
        hidden = page.locator(".tile[data-camera=cam1] video")

        async def rests() -> bool:
            return bool(await hidden.evaluate("video => video.paused"))

        await until(rests, "cam1 rests")
        watching = live_site.hubs["cam1"]._subscriptions[0]
        decoded = "video => [video.getVideoPlaybackQuality().totalVideoFrames, video.currentTime]"

        # What was under way when it came to rest is done when the next keyframe has come.
        await until(lambda: hidden.evaluate("video => video.currentTime % 1 < 0.01"), "a keyframe")
        (count, time_s), now = await hidden.evaluate(decoded), [0, 0.0]

        async def four_more() -> bool:
            now[:] = await hidden.evaluate(decoded)
            return now[0] >= count + 4

        await until(four_more, "keyframes are shown")
        # By the camera's time, as several may come at once after they were late.
        assert now[0] - count <= now[1] - time_s + 2, "a keyframe a second, and no other"
        await are(page, ["MSE", "LIVE"], ["MSE", "LIVE"])

        # Back at once: the stream is the same, and what is seen is the newest picture.
        await page.evaluate(
            """() => {
                window.back = null;
                const began = performance.now();
                document.querySelector('[data-view="cam1"]').click();
                const video = document.querySelector('.tile[data-camera=cam1] video');
                const look = () => {
                    const { buffered, currentTime, paused } = video;
                    const behind = buffered.end(buffered.length - 1) - currentTime;
                    if (!paused && behind >= 0 && behind < 0.3) window.back = performance.now() - began;
                    else requestAnimationFrame(look);
                };
                look();
            }"""
        )
        assert await until(lambda: page.evaluate("window.back"), "cam1 is back")
        assert live_site.hubs["cam1"]._subscriptions == [watching]
        await are(page, ["MSE", "LIVE"], ["MSE", "LIVE"])


async def test_old_pictures_from_memory_are_not_shown_as_live(
    tmp_path: Path, browser: Browser, fragmented_clip: Path
) -> None:
    async with running(tmp_path, ["cam0"]) as site, visitor(browser) as page:
        # It is said to be live, but nothing new has come for a minute.
        for fragment in await asyncio.to_thread(read_clip, fragmented_clip, itertools.count()):
            old = {"arrived_s": fragment.arrived_s - 60, "utc_ns": fragment.utc_ns - 60 * 10**9}
            site.hubs["cam0"].publish(fragment._replace(**old))
        await page.goto(site.url)
        states: set[str] = set()

        async def late() -> bool:
            states.update(state for _, state in await page.evaluate(SHOWN))
            return "late" in (await page.locator(".veil").inner_text()).lower()

        await until(late, "so late")
        assert "LIVE" not in states


async def test_a_new_stream_of_another_size_goes_on_by_itself(live_site: Site, browser: Browser) -> None:
    async with visitor(browser) as page:
        await page.goto(live_site.url)
        await are(page, ["MSE", "LIVE"], ["MSE", "LIVE"])
        await live_site.cameras[0].kill()
        await are(page, ["MSE", "DELAY"], ["MSE", "LIVE"])
        await live_site.cameras[0].start(size="160x120")
        await are(page, ["MSE", "LIVE"], ["MSE", "LIVE"])
        await until(lambda: page.evaluate("document.querySelector('video').videoWidth === 160"), "the new size")
        uncovered = "[...document.querySelectorAll('canvas')].every((canvas) => canvas.hidden)"
        await until(lambda: page.evaluate(uncovered), "the new picture in sight")
