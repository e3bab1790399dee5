"""The page of the system in a browser: who sees what, users and tokens, the log, alarms."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from support.browser import CHROMIUM, chromium
from support.household import Household, household, password_of, signed_in, visitor

from livecam_nvr.domain.access import Role
from livecam_nvr.domain.status import Alarm, ServiceStatus, Severity

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

LOGGER = logging.getLogger("livecam_nvr.example")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path) -> AsyncIterator[Household]:
    people = ("anna", Role.ADMIN), ("willi", Role.WATCHER), ("vera", Role.VIEWER)
    async with household(tmp_path, *people) as found:
        with found.site.ports.log.collecting():
            yield found


async def opened(page: Page, house: Household, name: str, part: str = "") -> None:
    await signed_in(page, f"{house.url}system{part}", name)


async def test_each_sees_what_is_their_affair(browser: Browser, house: Household) -> None:
    async with visitor(browser) as page:
        await opened(page, house, "willi", "#users")
        await expect(page.get_by_text("All is well.")).to_be_visible()
        await expect(page.locator("#parts a:visible")).to_have_text(["State"])
    async with visitor(browser) as page:
        await opened(page, house, "vera")
        await expect(page.locator("#notice")).to_contain_text("may watch recordings")
        await expect(page.locator("#part")).to_be_hidden()
    async with visitor(browser) as page:
        await opened(page, house, "anna")
        await expect(page.locator("#parts a:visible")).to_have_count(6)
        await expect(page.get_by_role("heading", name="Diagnostics")).to_be_visible()


async def test_alarms_say_what_to_do(browser: Browser, house: Household) -> None:
    home = house.site.home
    whole = home.status
    alarm = Alarm(Severity.ERROR, "camera", "it refuses the password", "correct it", 1_795_000_000 * 10**9, "cam0")

    def status() -> ServiceStatus:
        return replace(whole(), alarms=(alarm,))

    home.status = status  # type: ignore[method-assign]
    async with visitor(browser) as page:
        await opened(page, house, "willi")
        item = page.locator(".alarms li")
        await expect(item).to_contain_text("Camera 0: it refuses the password")
        await expect(item).to_contain_text("correct it")
        home.status = whole  # type: ignore[method-assign]
        await expect(page.get_by_text("All is well.")).to_be_visible()


async def test_users_are_added_changed_and_removed(browser: Browser, house: Household) -> None:
    async with visitor(browser) as page:
        await opened(page, house, "anna", "#users")
        await page.get_by_role("button", name="Add a user").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name", exact=True).fill("otto")
        await dialog.get_by_label("New password", exact=True).fill("short")
        await dialog.get_by_label("New password again", exact=True).fill("short")
        await dialog.get_by_role("button", name="Add").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("at least 10 characters")
        for label in ("New password", "New password again"):
            await dialog.get_by_label(label, exact=True).fill(password_of("otto"))
        await dialog.get_by_label("All cameras").uncheck()
        await dialog.get_by_label("Camera 1").uncheck()
        await dialog.get_by_role("button", name="Add").click()
        row = page.get_by_role("row", name="otto")
        await expect(row).to_contain_text("Camera 0")
        await expect(row).not_to_contain_text("Camera 1")
        await row.get_by_role("button", name="Change").click()
        await page.get_by_role("dialog").get_by_label("Role").select_option("operator")
        await page.get_by_role("dialog").get_by_role("button", name="Save").click()
        await expect(row).to_contain_text("Operator")
        await row.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        await expect(row).to_be_visible()
        await row.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(row).to_have_count(0)
        # The last admin cannot be removed: the dialog says why, and stays.
        await page.get_by_role("row", name="anna").get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("admin")
    assert [user.name for user in await house.access.users()] == ["anna", "vera", "willi"]


async def test_a_token_is_shown_once(browser: Browser, house: Household) -> None:
    async with visitor(browser) as page:
        await opened(page, house, "anna", "#tokens")
        await expect(page.get_by_text("There is none.")).to_be_visible()
        await page.get_by_role("button", name="Make a token").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("player")
        await dialog.get_by_label("Valid for").select_option("30")
        await dialog.get_by_role("button", name="Add").click()
        await expect(dialog.locator("code")).to_have_count(3)
        secret, rtsp, http = await dialog.locator("code").all_inner_texts()
        assert secret.startswith("lnv_")
        assert rtsp == f"rtsp://player:{secret}@127.0.0.1:8554/cam0"
        assert f"Bearer {secret}" in http
        await dialog.get_by_role("button", name="Close").click()
        row = page.get_by_role("row", name="player")
        await expect(row).to_contain_text("never")
        assert secret not in await page.content()
        found = await page.request.get(f"{house.url}api/session", headers={"Authorization": f"Bearer {secret}"})
        assert (await found.json())["name"] == "player"
        await row.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("There is none.")).to_be_visible()


async def test_the_log_follows_and_can_be_filtered(browser: Browser, house: Household) -> None:
    LOGGER.warning("an early line")
    async with visitor(browser) as page:
        await opened(page, house, "anna", "#log")
        lines = page.get_by_role("log")
        await expect(lines).to_contain_text("an early line")
        LOGGER.error("it failed with rtsp://me:secret@cam")
        await expect(lines).to_contain_text("it failed with rtsp://me:***@cam")
        await page.get_by_label("From").select_option("ERROR")
        await expect(lines.get_by_role("listitem")).to_have_count(1)
        await page.get_by_label("Only with").fill("nowhere")
        await expect(lines).to_have_text("No line fits.")


async def test_the_audit_log_is_paged_and_filtered(browser: Browser, house: Household) -> None:
    for count in range(60):
        await house.add(f"user{count}", Role.VIEWER)
    async with visitor(browser) as page:
        await opened(page, house, "anna", "#audit")
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(50)
        await page.get_by_role("button", name="Older").click()
        await expect(page.get_by_role("button", name="Older")).to_be_hidden()
        await page.get_by_label("What").select_option("sign_in")
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text("anna")
        await expect(rows).to_contain_text("page · 127.0.0.1")
