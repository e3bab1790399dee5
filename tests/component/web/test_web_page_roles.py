"""What the pages show to whom, and what becomes of them when somebody may not watch any more; in Chromium."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect
from support.browser import CHROMIUM, chromium
from support.household import CONSOLE, household, password_of, sign_in, signed_in, visitor
from support.waiting import until

from livecam_nvr.domain.access import Role

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

ANNA = ("anna", Role.ADMIN)
ROLES = [Role.VIEWER, Role.WATCHER, Role.OPERATOR]
VISIBLE = "selector => [...document.querySelectorAll(selector)].some((one) => one.checkVisibility())"
# What each role is the first to see.
LIVE = {
    ".pages a[href='past']": Role.WATCHER,
    ".tile .recorded": Role.WATCHER,
    ".tile .switch": Role.OPERATOR,
    ".tile .keep": Role.OPERATOR,
    ".tile .quality": Role.OPERATOR,
    ".tile .enable": Role.OPERATOR,
    ".tile .restart": Role.OPERATOR,
    ".tile .snapshot": Role.VIEWER,
    ".tile .figures": Role.VIEWER,
    ".tile video": Role.VIEWER,
    ".tile .addresses": Role.VIEWER,
}
PAST = {
    "#lanes": Role.WATCHER,
    "#selection [data-do='download']": Role.WATCHER,
    "#selection [data-do='keep']": Role.OPERATOR,
    "#selection [data-do='export']": Role.OPERATOR,
    "#selection .exact": Role.OPERATOR,
    "#exports a": Role.WATCHER,
    "#exports button": Role.OPERATOR,
    "#clips .link": Role.WATCHER,
    "#clips button:not(.link)": Role.OPERATOR,
}
EXPORT = {
    "id": "e1",
    "state": "done",
    "cameras": ["cam0"],
    "title": "",
    "from_utc_s": 1e9,
    "to_utc_s": 1e9 + 5,
    "size": 1000,
    "name": "x.mp4",
    "url": "/api/exports/e1/file",
    "gaps": [],
    "notes": [],
}
CLIP = {"id": "c1", "camera_id": "cam0", "title": "", "by": "anna", "begin_utc_s": 1e9, "end_utc_s": 1e9 + 5}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def seen(page: Page, parts: dict[str, Role]) -> list[str]:
    return [selector for selector in parts if await page.evaluate(VISIBLE, selector)]


async def sees(page: Page, parts: dict[str, Role], role: Role) -> None:
    """Returns when what is shown is what this role may see."""
    meant = [selector for selector, least in parts.items() if role.includes(least)]

    async def shown() -> bool:
        return await seen(page, parts) == meant

    await until(shown, f"{meant}")


async def answer_with(page: Page, path: str, body: Any) -> None:
    """The service's own answer would need all of an archive."""

    async def fulfil(route: Route) -> None:
        await route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    await page.route(f"**/{path}", fulfil)


async def menu_of(page: Page, name: str) -> None:
    await page.get_by_role("button", name=f"{name}: account").click()


async def sign_out(page: Page, name: str) -> None:
    await menu_of(page, name)
    await page.get_by_role("button", name="Sign out").click()


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_sees_what_it_may_do(tmp_path: Path, browser: Browser, role: Role) -> None:
    async with household(tmp_path, ANNA, ("ben", role)) as home, visitor(browser) as page:
        home.site.home.state("cam0", home.site.home.cameras["cam0"].state)
        await signed_in(page, home.url, "ben")
        await page.locator(".tile").first.wait_for()
        await page.keyboard.press("i")
        await sees(page, LIVE, role)
        await menu_of(page, "ben")
        await page.get_by_text(f"{role.title()} · May").wait_for()
        await page.keyboard.press("Escape")
        await expect(page.get_by_text(f"{role.title()} · May")).to_be_hidden()
        if not role.includes(Role.WATCHER):
            await page.goto(f"{home.url}past")
            await page.get_by_text("ben may watch live, but not what was recorded.").wait_for()
            assert await seen(page, PAST) == []
            return
        await answer_with(page, "api/exports", {"exports": []})
        await answer_with(page, "api/clips", {"clips": [CLIP]})
        await page.get_by_role("link", name="Recordings").click()
        none = "Select a time above" if role.includes(Role.OPERATOR) else "There is none."
        await page.locator("#exports").get_by_text(none).wait_for()
        await answer_with(page, "api/exports", {"exports": [EXPORT]})
        await page.reload()
        await page.get_by_role("button", name="Select").click()
        await page.locator("#exports a").wait_for()
        assert await page.locator("#exports a").get_attribute("href") == f"{home.url}api/exports/e1/file"
        await page.locator("#clips .link").wait_for()
        await sees(page, PAST, role)


async def test_people_see_their_cameras_only(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA) as home:
        await home.add("ben", Role.OPERATOR, ["cam1"])
        async with visitor(browser) as page:
            await signed_in(page, home.url, "ben")
            await page.locator(".tile").first.wait_for()
            await expect(page.locator(".tile .title")).to_have_text(["Camera 1"])
            await menu_of(page, "ben")
            await page.get_by_text("only cam1").wait_for()
            del home.site.home.cameras["cam1"]
            await page.get_by_text("None of the cameras here is open to you").wait_for()


async def test_in_a_demo_there_is_nothing_to_sign_out_of(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, demo=True) as home, visitor(browser) as page:
        await page.goto(home.url)
        await page.locator(".account").get_by_text("Demo", exact=True).wait_for()
        await page.locator(".tile").first.wait_for()
        assert await page.locator(".account button").count() == 0
        await page.keyboard.press("i")
        await sees(page, LIVE, Role.OPERATOR)


async def test_signing_out_ends_what_is_watched_in_all_windows(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA) as home, visitor(browser) as page:
        for camera_id in home.site.hubs:
            await home.site.live(camera_id)
        await signed_in(page, home.url, "anna")
        await page.locator('.state[data-state="LIVE"]').first.wait_for()
        other = await page.context.new_page()
        await other.goto(f"{home.url}#cam1")
        await other.locator('.tile:not([hidden]) .state[data-state="LIVE"]').wait_for()
        recordings = await page.context.new_page()
        await recordings.goto(f"{home.url}past")
        await recordings.locator(".lane").first.wait_for()
        await page.get_by_role("link", name="Recordings").click()
        await page.locator(".lane").first.wait_for()
        await sign_out(page, "anna")
        await expect(page).to_have_url(f"{home.url}signin")
        await expect(other).to_have_url(f"{home.url}signin?next=.%2F%23cam1")
        await expect(recordings).to_have_url(f"{home.url}signin?next=past")
        await until(lambda: not any(hub.viewers for hub in home.site.hubs.values()), "nobody watching")
        # The page that was left does not come back from the browser's memory.
        await page.go_back()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await sign_in(other, "anna")
        await expect(other).to_have_url(f"{home.url}#cam1")


async def test_a_new_password_signs_out_everywhere_else(tmp_path: Path, browser: Browser) -> None:
    async with (
        household(tmp_path, ANNA) as home,
        visitor(browser) as page,
        visitor(browser) as elsewhere,
    ):
        await home.site.live("cam0")
        for one in (page, elsewhere):
            await signed_in(one, f"{home.url}#cam0", "anna")
            await one.locator('.state[data-state="LIVE"]').first.wait_for()
        await menu_of(page, "anna")
        await page.get_by_role("button", name="Change my password").click()
        dialog = page.get_by_role("dialog", name="Change my password")
        old = dialog.get_by_label("The present password", exact=True)
        new = "quite another one"
        await old.fill("not this one")
        for label in ("The new password", "The new password again"):
            await dialog.get_by_label(label, exact=True).fill(new)
        await dialog.get_by_role("button", name="Change").click()
        await dialog.get_by_text("The present password is wrong.").wait_for()
        await expect(old).to_be_focused()
        await old.fill(password_of("anna"))
        await old.press("Enter")
        await dialog.get_by_text("It is changed").wait_for()
        await dialog.get_by_role("button", name="Close").click()
        await expect(page.get_by_role("button", name="anna: account")).to_be_focused()
        await expect(elsewhere).to_have_url(f"{home.url}signin?next=.%2F%23cam0")
        await page.locator('.state[data-state="LIVE"]').first.wait_for()
        assert page.url == f"{home.url}#cam0"
        await sign_in(elsewhere, "anna", new)
        await expect(elsewhere).to_have_url(f"{home.url}#cam0")


async def test_another_role_shows_at_once(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA, ("ben", Role.OPERATOR)) as home, visitor(browser) as page:
        await signed_in(page, home.url, "ben")
        await page.locator(".tile .switch").first.wait_for()
        await home.access.change_user("ben", role=Role.VIEWER, by="test", client=CONSOLE)
        await expect(page.locator(".tile .switch").first).to_be_hidden()
        await page.locator(".tile video").first.wait_for()
        await page.keyboard.press("i")
        await sees(page, LIVE, Role.VIEWER)
        await home.access.remove_user("ben", by="test", client=CONSOLE)
        await expect(page).to_have_url(f"{home.url}signin")


async def test_without_web_sockets_it_notices_too(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA, ("ben", Role.VIEWER)) as home, visitor(browser) as page:
        await home.site.live("cam0")
        await page.add_init_script(
            "delete window.MediaSource; delete window.ManagedMediaSource;"
            "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.()); } close() {} };"
        )
        await signed_in(page, home.url, "ben")
        await page.locator('.state[data-state="LIVE"]').first.wait_for()
        await home.access.remove_user("ben", by="test", client=CONSOLE)
        await expect(page).to_have_url(f"{home.url}signin")


async def test_it_waits_for_a_service_that_does_not_answer_yet(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA) as home, visitor(browser) as page:
        await signed_in(page, home.url, "anna")
        await page.route("**/api/session", lambda route: route.abort())
        await page.reload()
        await page.get_by_text("The service does not answer. Trying again").wait_for()
        assert await seen(page, LIVE) == []
        await page.unroute("**/api/session")
        await page.locator(".tile").first.wait_for()
        await expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_account_fits_into_the_header(tmp_path: Path, browser: Browser, width: int) -> None:
    name = "anna-with-a-rather-long-name@example.com"
    size = {"viewport": {"width": width, "height": 700}}
    async with household(tmp_path, (name, Role.ADMIN)) as home, visitor(browser, **size) as page:
        for path in ("", "past"):
            if path:
                await page.goto(home.url + path)
            else:
                await signed_in(page, home.url, name)
            await menu_of(page, name)
            await page.locator(".account .menu").wait_for()
            box = await page.locator(".account .menu").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
