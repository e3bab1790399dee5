"""WebRTC on the page, through the service to a real MediaMTX, in a real browser; and what comes in its place."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import median

import pytest
from playwright.async_api import Page
from support.browser import chromium, frame_shown_by, shown_frame
from support.service import Service, command_line, kill, small_camera
from support.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.browser, pytest.mark.mediamtx]

# Frames, at 30 a second: on a machine that is short of CPU pictures come late, but not for ever.
MOST_BEHIND, MOST_APART = 15, 5
SHOWN = """() => [...document.querySelectorAll('.tile')].map((tile) => [
    tile.querySelector('.way').textContent, tile.querySelector('.state').textContent])"""


@asynccontextmanager
async def opened(service: Service, *, blocked: str = "", script: str = "") -> AsyncIterator[Page]:
    """The live page; what it complains of fails the test."""
    complaints: list[str] = []
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if blocked:
            await page.route(blocked, lambda route: route.abort())
        if script:
            await page.add_init_script(script)
        await service.sign_in(page)
        await page.goto(service.url)
        yield page
        assert complaints == []


async def comes_by(page: Page, way: str) -> None:
    """Returns when all cameras are shown this way, and said to be live; a better one is tried now and then."""

    async def told() -> bool:
        shown = await page.evaluate(SHOWN)
        return bool(shown) and all(one == [way, "LIVE"] for one in shown)

    await until(told, f"{way} and LIVE everywhere", within_s=2 * PATIENCE_S)


async def moves(page: Page, index: int = 0, frames: int = 15) -> None:
    """Returns when so many more frames have been shown."""
    seen = await shown_frame(page, index)

    async def later() -> bool:
        return await shown_frame(page, index) >= seen + frames

    await until(later, f"{frames} more frames after {seen}")


async def behind(service: Service, page: Page) -> list[int]:
    """By how many frames each of two pictures is behind what the service had got a moment before."""
    got = [int(camera["frames"]) - 1 for camera in (await service.status())["cameras"]]
    shown = await page.evaluate(f"[{frame_shown_by(0)}, {frame_shown_by(1)}]")
    return [newest - seen for newest, seen in zip(got, shown, strict=True)]


async def test_webrtc_is_live_and_comes_back(make_service: Callable[..., Service]) -> None:
    service = make_service("mediamtx", cameras=[small_camera("cam0", fps=30), small_camera("cam1", fps=30)])
    await service.start()
    async with opened(service) as page:
        await comes_by(page, "WebRTC")
        for index in (0, 1):
            await moves(page, index)

        async def of_now() -> bool:
            looks = [await behind(service, page) for _ in range(25)]
            apart = abs(median(first - second for first, second in looks))
            return all(median(one) <= MOST_BEHIND for one in zip(*looks, strict=True)) and apart <= MOST_APART

        await until(of_now, "pictures that are of now, and in step", within_s=2 * PATIENCE_S)

        # The camera stands still: so does its picture, and that is said.
        victim = next(pid for pid in service.children("ffmpeg") if "cam0" in command_line(pid))
        kill(victim, signal.SIGSTOP)

        async def told() -> bool:
            return [state for _, state in await page.evaluate(SHOWN)] == ["DELAY", "LIVE"]

        await until(told, "DELAY")
        kill(victim, signal.SIGCONT)
        await comes_by(page, "WebRTC")

        # Without the media server the pictures go on, and no reload is needed to have the better way back.
        (server,) = service.children("mediamtx.yml")
        os.kill(server, signal.SIGKILL)
        await comes_by(page, "MSE")
        await moves(page)
        await comes_by(page, "WebRTC")
        await moves(page)


async def test_webrtc_that_is_blocked(make_service: Callable[..., Service]) -> None:
    service = make_service("mediamtx", cameras=[small_camera("cam0")])
    await service.start()
    asked: list[str] = []
    async with opened(service, blocked="**/whep") as page:
        page.on("requestfailed", lambda request: asked.append(request.url))
        await until(lambda: asked, "WebRTC is asked for")
        await comes_by(page, "MSE")
        await moves(page)


async def test_a_browser_without_media_source_extensions_gets_webrtc(make_service: Callable[..., Service]) -> None:
    service = make_service("mediamtx", cameras=[small_camera("cam0")])
    await service.start()
    async with opened(service, script="delete window.MediaSource; delete window.ManagedMediaSource;") as page:
        await comes_by(page, "WebRTC")
        await moves(page)
        assert await page.locator("canvas").first.is_hidden()


async def test_sound_over_webrtc(make_service: Callable[..., Service]) -> None:
    service = make_service("mediamtx", cameras=[small_camera("cam0", sound=True)])
    await service.start()
    async with opened(service) as page:
        await comes_by(page, "WebRTC")
        video = "document.querySelector('video')"
        sound = f"[{video}.muted, {video}.srcObject?.getAudioTracks().length]"
        assert await page.evaluate(sound) == [True, 0]
        await page.get_by_role("button", name="Sound of cam0").click()

        async def heard() -> bool:
            return bool(await page.evaluate(sound) == [False, 1])

        await until(heard, "sound by WebRTC")
        await comes_by(page, "WebRTC")
        await moves(page)
        assert await page.get_by_role("button", name="Sound of cam0").get_attribute("aria-pressed") == "true"
