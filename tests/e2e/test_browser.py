"""The page in a real browser: what its pixels show is live, and of the right camera."""

import signal
from collections.abc import Callable

import pytest
from support.browser import PATIENCE_MS, chromium, shown_frame
from support.service import Service, command_line, kill
from support.waiting import until

pytestmark = pytest.mark.browser


async def test_both_cameras_are_live_and_say_so_when_they_are_not(make_service: Callable[..., Service]) -> None:
    service = make_service()
    await service.start()
    async with chromium() as browser:
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await service.sign_in(page)
        await page.goto(service.url)
        for index, camera in enumerate(("cam0", "cam1")):

            async def moves(index: int = index) -> bool:
                return await shown_frame(page, index) > 0

            await until(moves, f"a picture of {camera}")
            seen = await shown_frame(page, index)

            async def later(index: int = index, seen: int = seen) -> bool:
                return await shown_frame(page, index) >= seen + 15

            await until(later, "moving pictures")

            async def of_now(index: int = index, camera: str = camera) -> bool:
                made = (await service.camera(camera))["frames"]
                return made - await shown_frame(page, index) <= 15

            # What comes late is played a little faster until it is not.
            await until(of_now, "a picture that is less than a second old")
        assert complaints == []

        victim = next(pid for pid in service.children("ffmpeg") if "cam0" in command_line(pid))
        kill(victim, signal.SIGSTOP)
        await page.get_by_text("DELAY").first.wait_for(timeout=PATIENCE_MS)
        kill(victim, signal.SIGCONT)
        await until(service.all_live, "cam0 LIVE again")
        await until(lambda: page.get_by_text("LIVE", exact=True).count())
