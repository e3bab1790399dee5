"""The page's sound in a real browser: nothing is heard unasked, and what is asked for is decoded."""

from collections.abc import Callable

import pytest
from playwright.async_api import Page
from support.browser import chromium, shown_frame
from support.service import Service, small_camera
from support.waiting import until

pytestmark = pytest.mark.browser


async def heard_bytes(page: Page) -> int:
    """Bytes of sound that the first video has decoded since its stream was opened."""
    return int(await page.evaluate("document.querySelector('video').webkitAudioDecodedByteCount"))


async def moves(page: Page) -> None:
    seen = await shown_frame(page, 0)

    async def later() -> bool:
        return await shown_frame(page, 0) >= max(0, seen) + 10

    await until(later, "moving pictures")


async def test_sound_is_off_until_somebody_turns_it_on(make_service: Callable[..., Service]) -> None:
    service = make_service(cameras=[small_camera("cam0", sound=True), small_camera("cam1")])
    await service.start()
    async with chromium() as browser:
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await service.sign_in(page)
        await page.goto(service.url)
        await moves(page)
        assert await heard_bytes(page) == 0
        button, none = page.get_by_role("button", name="Sound of cam0"), page.locator(".sound").nth(1)
        assert await button.get_attribute("aria-pressed") == "false"
        assert not await none.is_visible()

        await button.click()

        async def heard() -> bool:
            return await heard_bytes(page) > 4000

        await until(heard, "sound is decoded")
        await moves(page)
        assert not await page.evaluate("document.querySelector('video').muted")

        await button.click()
        await moves(page)
        assert await page.evaluate("document.querySelector('video').muted")

        async def silent() -> bool:
            return await heard_bytes(page) == 0

        await until(silent, "a stream without sound")
        assert complaints == []
