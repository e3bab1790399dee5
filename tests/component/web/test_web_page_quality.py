"""Quality, complaints and smaller streams on the page, in a real browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes.core_control import COPIED
from fakes.web_service import Site, running
from playwright.async_api import Page
from support.browser import CHROMIUM, chromium
from support.waiting import until

from livecam_nvr.core.events import ComplaintsChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import CameraState, Complaint, Fault

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]

TILE = '[data-camera="cam0"]'
WIDTH = f"document.querySelector('{TILE} video').videoWidth"
TIME = f"document.querySelector('{TILE} video').currentTime"


@asynccontextmanager
async def opened(site: Site, width: int = 1280) -> AsyncIterator[tuple[Page, list[str]]]:
    """The page, and what it complained of besides refusals, which the browser notes by itself."""
    complaints: list[str] = []

    def heard(kind: str, text: str) -> None:
        if kind in ("error", "warning") and "responded with a status" not in text:
            complaints.append(text)

    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 800})
        page.on("console", lambda m: heard(m.type, m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(site.url)
        await page.locator(TILE).wait_for()
        await page.keyboard.press("i")
        yield page, complaints


async def test_the_quality_is_chosen_and_told_in_words(site: Site) -> None:
    site.control.now["cam1"] = COPIED
    site.home.change("cam1", quality=COPIED)
    await site.live("cam0")
    async with opened(site) as (page, complaints):
        tile = page.locator(TILE)
        height, fps, note = tile.locator("select.height"), tile.locator("select.fps"), tile.locator(".note")
        assert await height.locator("option").all_text_contents() == ["480p", "720p", "1080p"]
        assert (await height.input_value(), await fps.input_value()) == ("720", "30")
        assert not await page.locator('[data-camera="cam1"] .quality').is_visible()

        site.control.hold = True
        await height.select_option("480")
        await until(lambda: site.control.is_changing("cam0"))
        assert await height.is_disabled()
        assert await fps.is_disabled()
        assert await note.text_content() == "Changing…"
        site.control.finish("cam0")
        await until(height.is_enabled, "another choice")
        assert await height.input_value() == "480"
        assert site.control.orders == [("cam0", 480, None, "tester (127.0.0.1)")]

        await fps.select_option("15")
        await until(lambda: site.control.is_changing("cam0"))
        refusal = LivecamError(ErrorKind.UNAVAILABLE, "15 a second failed: no", "it is set back to 720p")
        site.control.finish("cam0", refusal)
        site.control.settle("cam0")
        await until(note.text_content, "words")
        assert await note.text_content() == "15 a second failed: no; it is set back to 720p"
        await until(fps.is_enabled)

        async def back() -> bool:
            return (await height.input_value(), await fps.input_value()) == ("720", "30")

        await until(back, "what runs")
        # The digits that choose in a list do not choose a camera.
        await height.focus()
        await page.keyboard.press("1")
        assert "#" not in page.url
        assert complaints == []


async def test_a_new_quality_goes_on_by_itself(site: Site) -> None:
    camera = await site.live("cam0")
    async with opened(site) as (page, complaints):
        await until(lambda: page.evaluate(f"{WIDTH} === 320"), "the first quality")
        await camera.kill()
        await camera.start("640x360")
        await until(lambda: page.evaluate(f"{WIDTH} === 640"), "the second quality")
        before = await page.evaluate(TIME)
        await until(lambda: page.evaluate(f"{TIME} > {before} + 1"), "moving pictures")
        site.home.change("cam0", width=640, height=360)
        words = page.get_by_text(re.compile("The camera sends 640.360 instead"))
        await words.wait_for(timeout=5000)
        assert complaints == []


@pytest.mark.parametrize("width", [1280, 360])
async def test_complaints_and_faults_come_with_what_to_do(site: Site, width: int) -> None:
    async with opened(site, width) as (page, complaints):
        tile = page.locator(TILE)
        assert not await tile.locator(".complaints").is_visible()
        dark = Complaint("black", "<b>The picture is black.</b>", "Is the lens covered?", 1_795_000_000 * 10**9)
        site.home.change("cam0", complaints=(dark,), latency_s=0.012, encoder="x264", phase_ms=-0.4)
        site.bus.publish(ComplaintsChanged("cam0", (dark,)))
        await tile.locator(".complaints").get_by_text("Is the lens covered?").wait_for(timeout=5000)
        assert await tile.locator(".complaints strong").text_content() == dark.message
        figures = dict(
            zip(
                await tile.locator("dt").all_text_contents(),
                await tile.locator("dd").all_text_contents(),
                strict=True,
            )
        )
        assert (figures["Latency"], figures["Encoder"], figures["Phase"]) == ("12 ms", "x264", "-0.4 ms")
        site.home.state("cam0", CameraState.OFFLINE, Fault("no such device", "is its cable in?"))
        await tile.get_by_text("no such device; is its cable in?").wait_for(timeout=5000)
        site.home.change("cam0", complaints=())
        site.bus.publish(ComplaintsChanged("cam0", ()))
        await tile.locator(".complaints").wait_for(state="hidden", timeout=5000)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []


async def test_small_pictures_play_the_smaller_stream(tmp_path: Path) -> None:
    async with running(tmp_path, ["cam0", "cam1", "cam0_sub"]) as site:
        del site.home.cameras["cam0_sub"]
        site.home.change("cam0", sub_stream="cam0_sub")
        smaller = None
        for camera_id in site.hubs:
            smaller = await site.live(camera_id, size="160x90" if camera_id == "cam0_sub" else "320x180")
        assert smaller is not None
        hubs = site.hubs

        async def watched(*ids: str) -> None:
            await until(
                lambda: [i for i in hubs if hubs[i].viewers] == list(ids), f"viewers of {ids} and no others"
            )

        async with opened(site) as (page, complaints):
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
