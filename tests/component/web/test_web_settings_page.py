"""The settings in a browser: forms from the schema, mistakes at their fields, the change shown, applied or not."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.settings_desk import HIDDEN, FakeSettingsDesk
from fakes.web_service import Site
from playwright.async_api import Browser, Locator, Page, expect
from support.browser import CHROMIUM, chromium
from support.household import visitor

from livecam_nvr.core.settings import Effect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]


class Form:
    """The page, and the desk behind it."""

    def __init__(self, page: Page, desk: FakeSettingsDesk, site: Site) -> None:
        self.page, self.desk, self.site = page, desk, site

    async def open(self) -> None:
        await self.page.goto(f"{self.site.url}/system#settings")
        await expect(self.page.locator("details.camera")).to_have_count(len(self.desk.values["cameras"]))

    async def camera(self, number: int) -> None:
        await self.page.locator("details.camera > summary").nth(number).click()

    def field(self, path: str) -> Locator:
        return self.page.locator(f"#setting-{path.replace('.', '-')}")

    async def section(self, name: str) -> None:
        await self.page.get_by_role("navigation", name="Sections").get_by_role("button", name=name).click()

    async def review(self) -> None:
        await self.page.get_by_role("button", name="Review and save").click()

    async def save(self) -> None:
        await self.review()
        await self.page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def form(browser: Browser, tmp_path: Path) -> AsyncIterator[Form]:
    site, desk = Site(tmp_path, ["cam0", "cam1"]), FakeSettingsDesk()
    site.server = site.server_of(ports=replace(site.ports, settings=desk))
    await site.server.start()
    try:
        async with visitor(browser) as page:
            form = Form(page, desk, site)
            await form.open()
            yield form
    finally:
        await site.close()


async def test_a_change_is_shown_and_then_put_in_force(form: Form) -> None:
    page = form.page
    await form.camera(0)
    await form.field("cameras.0.name").fill("Gate")
    await form.field("cameras.0.fps").fill("12")
    await form.field("cameras.0.sound").check()
    await expect(page.locator(".save-bar")).to_contain_text("3 changes are not saved")
    await form.review()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Gate restarts")
    await expect(dialog.locator(".diff .added").filter(has_text="Gate")).to_have_count(1)
    assert form.desk.applied == []
    await dialog.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".settings-said")).to_contain_text("Saved, and in force.")
    await expect(page.locator(".save-bar")).to_be_hidden()
    (saved,) = form.desk.applied
    assert saved["cameras"][0] == {"id": "cam0", "name": "Gate", "kind": "test", "fps": 12, "sound": True}
    # Nobody has touched the secrets: they go back as they came.
    assert saved["cameras"][1]["url"] == saved["mqtt"]["password"] == HIDDEN


async def test_a_mistake_is_told_at_its_field_before_anything_is_saved(form: Form) -> None:
    await form.camera(1)
    name = form.field("cameras.1.name")
    await name.fill("wrong")
    await expect(form.page.locator("#setting-cameras-1-name-mistake")).to_have_text("is not a name; write another")
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(form.page.locator(".save-bar")).to_contain_text("1 setting is not right yet")
    await form.section("Recording")
    await form.review()
    await expect(form.field("cameras.1.name")).to_be_focused()
    await expect(form.page.get_by_role("dialog")).to_have_count(0)
    await form.field("cameras.1.name").fill("Yard")
    await expect(form.page.locator("#setting-cameras-1-name-mistake")).to_be_empty()
    assert form.desk.applied == []


async def test_what_could_not_be_applied_is_told_and_stays_to_be_changed(form: Form) -> None:
    await form.camera(0)
    await form.field("cameras.0.name").fill("dead")
    await form.save()
    dialog = form.page.get_by_role("dialog")
    await expect(dialog.get_by_role("alert")).to_have_text("cam0 shows no picture; all is as it was before")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(form.field("cameras.0.name")).to_have_value("dead")
    await expect(form.page.locator(".save-bar")).to_be_visible()


async def test_somebody_else_changed_the_file(form: Form) -> None:
    form.desk.revision = 7
    await form.camera(0)
    await form.field("cameras.0.name").fill("Gate")
    await form.review()
    await expect(form.page.locator(".settings-said")).to_contain_text("the file was changed meanwhile")


async def test_secrets_are_written_anew_taken_out_or_left(form: Form) -> None:
    await form.section("MQTT")
    password = form.field("mqtt.password")
    await expect(password).to_have_value("")
    await expect(password).to_have_attribute("type", "password")
    await password.fill("new one")
    await password.fill("")
    await expect(form.page.locator(".save-bar")).to_be_hidden()
    await password.fill("new one")
    await form.save()
    await expect(form.page.locator(".settings-said")).to_contain_text("in force")
    assert form.desk.values["mqtt"]["password"] == "new one"


async def test_defaults_come_back_by_emptying_a_field(form: Form) -> None:
    await form.camera(0)
    await form.page.get_by_role("button", name="Use the default: Frames a second").click()
    fps = form.field("cameras.0.fps")
    await expect(fps).to_be_focused()
    await expect(fps).to_have_value("")
    await expect(fps).to_have_attribute("placeholder", "30")
    await form.section("Recording")
    await form.field("recording.min_free").fill("3GB")
    await form.field("recording.segment_seconds").fill("60")
    await form.field("recording.segment_seconds").fill("")
    await form.save()
    await expect(form.page.locator(".settings-said")).to_contain_text("in force")
    assert "fps" not in form.desk.values["cameras"][0]
    assert form.desk.values["recording"] == {"min_free": "3GB"}


async def test_cameras_are_added_copied_moved_and_removed(form: Form) -> None:
    page = form.page
    await page.get_by_label("Kind").select_option("v4l2")
    await page.get_by_role("button", name="Add a camera").click()
    await expect(page.locator("details.camera")).to_have_count(3)
    await expect(page.locator("#setting-cameras-2-device")).to_be_visible()
    await form.camera(1)
    await page.get_by_role("button", name="Duplicate: Garden").click()
    await expect(page.locator("#setting-cameras-2-id")).to_have_value("cam3")
    # The address is that of another camera, and a secret.
    await form.field("cameras.2.url").fill("rtsp://10.0.0.9/1")
    await form.camera(0)
    await page.get_by_role("button", name="Down: Door").click()
    await form.save()
    await expect(page.locator(".settings-said")).to_contain_text("in force")
    cameras = form.desk.values["cameras"]
    assert [(camera["id"], camera["kind"]) for camera in cameras] == [
        ("cam1", "rtsp"),
        ("cam0", "test"),
        ("cam3", "rtsp"),
        ("cam2", "v4l2"),
    ]
    assert cameras[2]["url"] == "rtsp://10.0.0.9/1"
    assert cameras[0]["url"] == HIDDEN
    # It is still open, where it is now.
    await expect(form.field("cameras.1.id")).to_have_attribute("readonly", "")
    await page.get_by_role("button", name="Remove: Door").click()
    await form.save()
    await expect(page.locator("details.camera")).to_have_count(3)
    assert "cam0" not in [camera["id"] for camera in form.desk.values["cameras"]]


async def test_lists_and_structures(form: Form) -> None:
    page = form.page
    await form.camera(0)
    await page.locator("details.more > summary").click()
    await form.field("cameras.0.schedule").click()
    await page.get_by_label("Sat", exact=True).uncheck()
    await page.get_by_label("Begin", exact=True).fill("07:30")
    await form.field("cameras.0.masks").fill("[[[0, 0], [1, 0], [1, 1]]]")
    await form.section("Network")
    await form.field("listen.trusted_proxies").fill("10.0.0.1\n\n 10.1.0.0/16 ")
    await form.save()
    await expect(page.locator(".settings-said")).to_contain_text("in force")
    camera = form.desk.values["cameras"][0]
    assert camera["schedule"] == [{"days": ["mon", "tue", "wed", "thu", "fri", "sun"], "begin": "07:30"}]
    assert camera["masks"] == [[[0, 0], [1, 0], [1, 1]]]
    assert form.desk.values["listen"] == {"trusted_proxies": ["10.0.0.1", "10.1.0.0/16"]}


async def test_nobody_leaves_their_changes_by_mistake(form: Form) -> None:
    page = form.page
    await form.camera(0)
    await form.field("cameras.0.name").fill("Gate")
    await page.locator("#parts").get_by_role("link", name="Log", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await expect(form.field("cameras.0.name")).to_have_value("Gate")
    await expect(page).to_have_url(re.compile("#settings$"))
    await page.locator("#parts").get_by_role("link", name="Log", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("log")).to_be_visible()


async def test_what_waits_for_a_restart_is_told(form: Form) -> None:
    form.desk.pending = (Effect("listen", "", "needs_restart"),)
    await form.page.reload()
    await expect(form.page.locator(".settings-said")).to_contain_text("Network needs a restart of the service")


async def test_without_a_camera_in_the_file_there_are_those_by_default(form: Form) -> None:
    del form.desk.values["cameras"]
    await form.page.reload()
    await expect(form.page.locator("details.camera")).to_have_count(2)
    await expect(form.page.locator(".save-bar")).to_be_hidden()
