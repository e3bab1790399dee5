"""The page of recordings while one of the cameras is not recorded at all: it says so, and holds up nobody."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from playwright.async_api import Page
from support.browser import CHROMIUM, PATIENCE_MS, chromium
from support.service import Service, small_camera
from support.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]

RECORDED_S = 6
_SEATS = "[...document.querySelectorAll('.seat .veil')].map((veil) => (veil.hidden ? '' : veil.innerText))"
# From now on: whether a camera is said to load although the first one has a picture.
_WATCH = """
() => {
  window.waited = 0;
  setInterval(() => {
    const [first, second] = document.querySelectorAll(".seat");
    if (!first.querySelector(".veil").hidden || first.querySelector("video").currentTime <= 0) return;
    const veil = second.querySelector(".veil");
    if (!veil.hidden && !veil.innerText.includes("switched off")) window.waited += 1;
  }, 50);
}
"""


async def recorded(service: Service, camera_id: str) -> bool:
    found = json.loads(await service.get(f"/api/cameras/{camera_id}/timeline"))["spans"]
    return bool(found) and found[-1]["duration_s"] > RECORDED_S


async def click_shortly_before_now(page: Page) -> None:
    await page.locator('[data-span="600"]').click()
    for _ in range(4):
        await page.locator('[data-zoom="0.5"]').click()
    await page.locator("#now").click()
    lanes = page.locator("#lanes")

    async def place() -> float | None:
        begin, end = [float(await lanes.get_attribute(f"data-{edge}") or 0) for edge in ("begin", "end")]
        now = float(await page.evaluate("Date.now() / 1000"))
        aim = (now - RECORDED_S / 2 - begin) / (end - begin)
        return aim if 0 < aim < 1 else None

    aim = cast("float", await until(place, "the timeline to show what was recorded last"))
    width = float(await lanes.evaluate("lanes => lanes.clientWidth"))
    await lanes.click(position={"x": aim * width, "y": 60})


@asynccontextmanager
async def played(service: Service) -> AsyncIterator[Page]:
    """The page, playing what was recorded some seconds ago."""
    async with chromium() as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await service.sign_in(page)
        await page.goto(f"{service.url}/past")
        await page.locator(".lane .covered:not(:empty)").first.wait_for()
        await click_shortly_before_now(page)
        yield page


async def reason_is_told(page: Page) -> bool:
    first, second = await page.evaluate(_SEATS)
    return first == "" and "recording was switched off" in second


async def plays_on_without_waiting(page: Page) -> None:
    await until(lambda: reason_is_told(page), "cam0 to be shown and cam1's reason")
    await page.evaluate(f"({_WATCH})()")
    time = "document.querySelector('.seat video').currentTime"
    begun = float(await page.evaluate(time))

    async def went_on() -> bool:
        return float(await page.evaluate(time)) > begun + RECORDED_S

    await until(went_on, "cam0 to be played on while it is being recorded")
    assert await page.evaluate("window.waited") == 0


async def test_a_camera_that_was_never_recorded_says_why_and_the_other_plays(tmp_path: Path) -> None:
    service = Service(tmp_path, cameras=[small_camera("cam0"), small_camera("cam1", record=False)])
    try:
        await service.start()
        await until(lambda: recorded(service, "cam0"), "some seconds of cam0")
        async with played(service) as page:
            await plays_on_without_waiting(page)
    finally:
        await service.stop()


async def test_a_camera_that_is_recorded_no_more_says_why_and_the_other_plays(tmp_path: Path) -> None:
    service = Service(tmp_path, cameras=[small_camera("cam0"), small_camera("cam1")])
    try:
        await service.start()
        await until(lambda: recorded(service, "cam0"), "some seconds of cam0")
        await until(lambda: recorded(service, "cam1"), "some seconds of cam1")
        async with played(service) as page:
            await service.post("/api/cameras/cam1/recording", {"on": False})
            await plays_on_without_waiting(page)
    finally:
        await service.stop()
