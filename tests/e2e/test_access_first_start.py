"""The very first start: how the first person gets in, nobody else does, and what a demo shows."""

import asyncio
import re
from collections.abc import Callable

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect
from support.browser import chromium, shown_frame
from support.household import sign_in, visitor
from support.service import Service, small_camera
from support.viewers import plays, probed
from support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.browser

PASSWORD = "seven pale horses"


async def live(page: Page, index: int) -> None:
    """Waits for moving pictures of the page's camera number `index`."""

    async def seen() -> bool:
        return await shown_frame(page, index) > 0

    await until(seen, "a picture")
    first = await shown_frame(page, index)

    async def moved() -> bool:
        return await shown_frame(page, index) > first

    await until(moved, "moving pictures")


def rtsp(service: Service, who: str) -> str:
    at = f"{who}@" if who else ""
    return f"rtsp://{at}127.0.0.1:{service.ports['rtsp_port']}/cam0"


async def test_the_first_password_opens_every_door_and_nothing_does_before(
    make_service: Callable[..., Service],
) -> None:
    service = make_service()
    await service.start()
    link = re.search(r"(http\S+setup)#code=(\S+)", service.read_log())
    assert link, service.read_log()
    for who in ("", "admin:admin", f"admin:{link[2]}"):
        assert "401 Unauthorized" in await probed(rtsp(service, who))
    async with aiohttp.ClientSession(service.url) as stranger:
        for path in ("/api/status", "/api/cameras/cam0/live.mp4", "/api/cameras/cam0/snapshot.jpg"):
            async with stranger.get(path) as answer:
                assert answer.status == 401
                assert "set the first password" in await answer.text()
    async with chromium() as browser:
        await first_person(service, browser, link)
        await plays(rtsp(service, f"admin:{PASSWORD.replace(' ', '%20')}"))
        assert "401 Unauthorized" in await probed(rtsp(service, f"admin:{link[2]}"))


async def first_person(service: Service, browser: Browser, link: re.Match[str]) -> None:
    """They set the first password, a second person has to sign in, and a restart changes nothing of that."""
    async with visitor(browser) as page, visitor(browser) as other:
        await other.goto(service.url)
        await expect(other).to_have_url(link[1])
        await page.goto(link[0])
        for label in ("Password", "Password again"):
            await page.get_by_label(label, exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await expect(page).to_have_url(f"{service.url}/")
        for index in (0, 1):
            await live(page, index)

        told = {"code": link[2], "name": "eve", "password": "another one of mine"}
        headers = {"Origin": service.url}
        late = await other.request.post(f"{service.url}/api/setup", data=told, headers=headers)
        assert late.status == 409
        await other.goto(service.url)
        await expect(other).to_have_url(f"{service.url}/signin")
        await sign_in(other, "admin", "not the right one")
        await expect(other.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        await sign_in(other, "admin", PASSWORD)
        await expect(other).to_have_url(f"{service.url}/")
        await live(other, 0)

        said = len(service.read_log())
        await service.stop()
        await service.start()
        assert "code" not in service.read_log()[said:]
        await page.reload()
        await expect(page).to_have_url(f"{service.url}/")
        await live(page, 0)
    assert PASSWORD not in service.read_log()


async def test_a_demo_is_open_to_everybody_and_only_a_demo(
    make_service: Callable[..., Service], server: str
) -> None:
    service = make_service(server)
    await service.start("--demo")
    assert "everybody who can reach this page may watch" in service.read_log()
    assert "code" not in service.read_log()
    await plays(rtsp(service, ""))
    async with aiohttp.ClientSession(service.url) as anybody:
        for path in ("status", "cameras/cam1/snapshot.jpg", "cameras/cam0/recordings", "exports", "clips"):
            async with anybody.get(f"/api/{path}") as answer:
                assert answer.status == 200, path
        async with anybody.post("/api/cameras/cam0/recording", json={"on": False}) as answer:
            assert (answer.status, (await answer.json())["wanted"]) == (200, False)
        async with anybody.get("/api/status", headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401, "what is brought has to be right"
        for path in ("users", "tokens", "audit"):
            async with anybody.get(f"/api/{path}") as answer:
                assert answer.status == 403, path
        elsewhere = {"Origin": "http://example.com"}
        async with anybody.post("/api/cameras/cam0/recording", json={"on": True}, headers=elsewhere) as answer:
            assert answer.status == 403
    async with chromium() as browser, visitor(browser) as page:
        await page.goto(service.url)
        await page.get_by_text("Demo", exact=True).wait_for()
        await live(page, 0)
    assert await service.stop() == 0

    service.config["cameras"] = [small_camera("cam0"), {"id": "door", "kind": "file", "path": "door.mp4"}]
    await service.start("--demo", wait=False)
    assert service.process is not None
    assert await asyncio.to_thread(service.process.wait, PATIENCE_S) == 2
    assert "door is no test camera" in service.read_log()
