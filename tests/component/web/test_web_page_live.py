"""What can be done on the live page: switch, zoom, keep a picture, full screen, keys, undo; in Chromium."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fakes.web_service import Site, running
from playwright.async_api import Browser, Page, Route, expect
from support.browser import CHROMIUM, PATIENCE_MS, chromium
from support.waiting import until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import ProcessStatus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

TILE = '[data-camera="cam0"]'
SHOWN = "[...document.querySelectorAll('.tile:not([hidden])')].map((tile) => tile.dataset.camera)"
STATES = "[...document.querySelectorAll('.tile:not([hidden]) .state')].map((state) => state.textContent)"
MOVED = f"new DOMMatrix(getComputedStyle(document.querySelector('{TILE} .layers')).transform)"
# What a key shows at once: the camera, its state, the height of its picture, if there is one; then the next one is
# waited for.
SWITCH = """(key) => {
  dispatchEvent(new KeyboardEvent("keydown", { key }));
  const tile = document.querySelector(".tile:not([hidden])");
  const video = tile.querySelector("video");
  const height = video.readyState > 1 ? video.videoHeight : 0;
  const found = [tile.dataset.camera, tile.querySelector(".state").textContent, height];
  return new Promise((resolve) => video.requestVideoFrameCallback(() => resolve(found)));
}"""
ALL_STATES = "[...document.querySelectorAll('.tile .state')].map((state) => state.textContent)"
# Nobody has to hurry while the pointer is on what a toast says: so it is, from the beginning.
HOLD = """new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) {
    if (node.classList?.contains("toast")) node.dispatchEvent(new Event("pointerenter"));
  }
}).observe(document, { subtree: true, childList: true })"""
FIT = """([count, width, height, options]) => import("./static/js/live/grid.js")
  .then(({ fit }) => fit(count, width, height, 16 / 9, options))"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def opened(browser: Browser, url: str, **how: Any) -> AsyncIterator[Page]:
    """A page; what it complains of besides refusals fails the test."""
    complaints: list[str] = []
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **how})
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(HOLD)
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda m: (
            complaints.append(m.text)
            if m.type == "error" and not m.text.startswith(("Failed to load", "WebSocket connection"))
            else None
        ),
    )
    try:
        await page.goto(url)
        await page.locator(".tile").first.wait_for(state="attached")
        yield page
        assert complaints == []
    finally:
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        yield site


async def live(site: Site, page: Page) -> None:
    """All cameras are, and the page shows it."""
    for camera_id in site.hubs:
        await site.live(camera_id)

    await are(page, STATES, *["LIVE"] * len(site.hubs))


async def are(page: Page, what: str, *wanted: str) -> None:
    """Returns when the states, or the cameras that are shown, are these."""

    async def so() -> bool:
        return list(await page.evaluate(what)) == list(wanted)

    await until(so, f"{what} are {wanted}")


async def test_the_other_camera_is_there_at_once(site: Site, browser: Browser) -> None:
    async with opened(browser, site.url) as page:
        await live(site, page)
        await page.keyboard.press("1")
        watching = [hub._subscriptions[0] for hub in site.hubs.values()]
        for key, camera in (("2", "cam1"), ("1", "cam0")) * 4:
            await are(page, ALL_STATES, "LIVE", "LIVE")
            shown, state, height = await page.evaluate(SWITCH, key)
            assert (shown, height) == (camera, 180)
            assert state in ("LIVE", "DELAY"), "no new beginning; its frames may be late on a busy machine"
        # It was there all the time, and nothing was opened anew.
        assert [hub._subscriptions for hub in site.hubs.values()] == [[one] for one in watching]


async def test_cameras_are_shown_by_title_arrow_and_finger(site: Site, browser: Browser) -> None:
    async with opened(browser, site.url, has_touch=True) as page:
        await page.get_by_role("link", name="Camera 1").click()
        await are(page, SHOWN, "cam1")
        await page.keyboard.press("ArrowRight")
        await are(page, SHOWN, "cam0")
        await page.keyboard.press("ArrowLeft")
        await are(page, SHOWN, "cam1")
        box = await page.locator(".tile:not([hidden]) .screen").bounding_box()
        assert box is not None
        touch = await page.context.new_cdp_session(page)
        y = box["y"] + box["height"] / 2
        at_s = time.time()
        for kind, x, after_s in (("touchStart", 700, 0), ("touchMove", 500, 0.1), ("touchEnd", None, 0.2)):
            points = [] if x is None else [{"x": x, "y": y}]
            event = {"type": kind, "touchPoints": points, "timestamp": at_s + after_s}
            await touch.send("Input.dispatchTouchEvent", event)
        await are(page, SHOWN, "cam0")  # to the left means the next one
        await page.keyboard.press("Escape")
        await are(page, SHOWN, "cam0", "cam1")


async def test_a_closer_look_has_limits_and_a_way_back(site: Site, browser: Browser) -> None:
    async with opened(browser, f"{site.url}/#cam0") as page:
        screen = page.locator(f"{TILE} .screen")
        box = await screen.bounding_box()
        assert box is not None

        async def near() -> list[float]:
            return [round(await page.evaluate(f"{MOVED}.{part}"), 2) for part in ("a", "e", "f")]

        await screen.dblclick(position={"x": 0, "y": 0})
        assert await near() == [2.5, 0, 0], "the corner stays where it is"
        await page.mouse.move(box["x"] + 300, box["y"] + 300)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 200, box["y"] + 250)
        await page.mouse.up()
        assert await near() == [2.5, -100, -50]
        await page.keyboard.press("ArrowLeft")
        assert (await near())[1] == 0, "and not beyond the picture's edge"
        for _ in range(9):
            await page.keyboard.press("+")
        assert (await near())[0] == 8
        await page.get_by_role("button", name="Back to the whole picture").click()
        assert await near() == [1, 0, 0]
        await page.mouse.move(box["x"] + 200, box["y"] + 250)
        await page.mouse.wheel(0, 500)
        assert await near() == [1, 0, 0], "away from it, the wheel is the page's"
        await page.mouse.wheel(0, -300)
        await until(lambda: page.evaluate(f"{MOVED}.a > 1"), "a closer look")
        scale, left, top = await near()
        assert 1.5 < scale < 2.2
        # The point below the pointer stays there.
        assert left == pytest.approx(-200 * (scale - 1), abs=2)
        assert top == pytest.approx(-250 * (scale - 1), abs=2)
        await page.keyboard.press("Escape")
        assert await near() == [1, 0, 0]
        await are(page, SHOWN, "cam0")


async def test_figures_come_on_request_and_stay(site: Site, browser: Browser) -> None:
    site.home.change("cam0", fps=14.96, frames=12345, bytes=8_123_456, viewers=3, codec="avc1.42c01e")
    site.home.process = ProcessStatus(12.34, 180_000_000, 4)
    async with opened(browser, site.url) as page:
        figures = page.locator(f"{TILE} .figures")
        await expect(figures).to_be_hidden()
        await page.keyboard.press("i")
        await expect(figures).to_be_visible()
        wanted = {"fps": "15.0", "Frames": "12,345", "Bytes": "8.1 MB", "Viewers": "3", "Codec": "H.264"}
        for name, value in wanted.items():
            await expect(figures.locator(f'dt:text-is("{name}") + dd')).to_have_text(value)
        await page.get_by_text("CPU 12 % · 180 MB").wait_for()
        await page.reload()
        await expect(figures).to_be_visible()
        await page.locator(f"{TILE} .details").click()
        await expect(figures).to_be_hidden()


async def test_a_picture_is_saved_under_a_name_that_says_what_it_is(site: Site, browser: Browser) -> None:
    site.home.change("cam0", name="Front: door/1")
    async with opened(browser, f"{site.url}/#cam0") as page:
        await page.keyboard.press("s")
        await page.get_by_text("There is no picture to save.").wait_for()
        await site.live("cam0")
        await page.locator(f'{TILE} .state[data-state="LIVE"]').wait_for()
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Save this picture").click()
        name = (await download.value).suggested_filename
        assert re.fullmatch(r"Front  ?door 1 \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.jpg", name), name
        assert (await (await download.value).path()).read_bytes()[:3] == b"\xff\xd8\xff"


async def test_one_camera_fills_the_screen_and_goes_back(site: Site, browser: Browser) -> None:
    async with opened(browser, site.url) as page:
        await page.locator(f"{TILE} .full").click()
        await until(lambda: page.evaluate("document.fullscreenElement?.id === 'tiles'"), "a full screen")
        await are(page, SHOWN, "cam0")
        await page.keyboard.press("2")
        await are(page, SHOWN, "cam1")
        await page.keyboard.press("f")
        await are(page, SHOWN, "cam0", "cam1")
        await until(lambda: page.evaluate("document.fullscreenElement === null"), "no full screen")


async def test_two_pages_that_switch_the_same_stay_right(site: Site, browser: Browser) -> None:
    site.home.set_recording("cam0", True, "somebody")
    async with opened(browser, site.url) as one, opened(browser, site.url) as other:
        switches = [page.get_by_role("switch", name="Record Camera 0") for page in (one, other)]
        for switch in switches:
            await expect(switch).to_have_attribute("aria-checked", "true")
        await switches[0].click()
        for switch in switches:
            await expect(switch).to_have_attribute("aria-checked", "false")
        await other.bring_to_front()
        await switches[1].click()
        for switch in switches:
            await expect(switch).to_have_attribute("aria-checked", "true")
        # The one who switched it off may take it back, and it is on already then: nothing happens.
        await one.get_by_role("button", name="Undo").click()
        await until(lambda: len(site.home.asked) == 4, "the order")
        assert [on for _, on, _ in site.home.asked] == [True, False, True, True]
        await expect(switches[0]).to_have_attribute("aria-checked", "true")


async def test_the_switch_does_not_lie_while_the_answer_is_out(site: Site, browser: Browser) -> None:
    async with opened(browser, f"{site.url}/#cam0") as page:
        switch = page.get_by_role("switch", name="Record Camera 0")
        answers: list[Route] = []
        await page.route("**/recording", lambda route: answers.append(route))  # noqa: PLW0108 - it marks its handlers
        await switch.click()
        await expect(switch).to_have_attribute("aria-busy", "true")
        await expect(switch).to_have_attribute("aria-checked", "false")
        await page.keyboard.press("r")
        await until(lambda: answers, "the order")
        error = {"error": {"kind": "disk", "message": "the disk is full", "hint": "delete something"}}
        await answers[0].fulfill(status=507, json=error)
        await page.get_by_text("the disk is full; delete something").wait_for()
        await expect(switch).to_have_attribute("aria-checked", "false")
        await expect(switch).not_to_have_attribute("aria-busy", re.compile(""))
        assert len(answers) == 1, "the same was not asked for twice"


async def test_a_camera_is_switched_off_and_on_again(site: Site, browser: Browser) -> None:
    async with opened(browser, f"{site.url}/#cam0") as page:
        asked: list[Any] = []

        async def answer(route: Route) -> None:
            asked.append(route.request.post_data_json)
            site.home.change("cam0", enabled=asked[-1]["on"])
            await route.fulfill(json={"camera_id": "cam0", "enabled": asked[-1]["on"]})

        await page.route("**/enabled", answer)
        await page.keyboard.press("i")
        switch = page.get_by_role("switch", name="Camera Camera 0")
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", "false")
        await page.get_by_text("Camera 0 is switched off.").wait_for()
        await expect(page.locator(f"{TILE} .restart")).to_be_hidden()
        await page.get_by_role("button", name="Undo").click()
        await expect(switch).to_have_attribute("aria-checked", "true")
        assert asked == [{"on": False}, {"on": True}]
        await page.locator(f"{TILE} .restart").click()
        await until(lambda: site.control.restarts == [("cam0", "tester (127.0.0.1)")], "the restart")


async def test_a_change_of_quality_can_be_taken_back(site: Site, browser: Browser) -> None:
    async with opened(browser, f"{site.url}/#cam0") as page:
        await page.keyboard.press("i")
        await page.locator(f"{TILE} select.height").select_option("480")
        await page.get_by_text("Camera 0: 480p, 30 fps").wait_for()
        await page.get_by_role("button", name="Undo").click()
        await until(lambda: len(site.control.orders) == 2, "the second order")
        assert [order[1:3] for order in site.control.orders] == [(480, None), (720, 30)]


async def test_a_camera_that_is_removed_says_so_and_goes(site: Site, browser: Browser) -> None:
    async with opened(browser, f"{site.url}/#cam1") as page:
        await page.locator('[data-camera="cam1"]').wait_for()
        del site.home.cameras["cam1"]
        await page.get_by_text("This camera is no longer there.").wait_for()
        await page.get_by_text("Camera 1 is no longer there.").wait_for()
        await are(page, SHOWN, "cam0")
        await expect(page.locator('[data-camera="cam1"]')).to_have_count(0)
        del site.home.cameras["cam0"]
        await page.get_by_text("No camera is configured").wait_for()


async def test_the_keys_are_listed_and_can_be_turned_off(site: Site, browser: Browser) -> None:
    async with opened(browser, site.url) as page:
        await page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        await expect(dialog).to_be_visible()
        await page.keyboard.press("1")
        assert await page.evaluate(SHOWN) == ["cam0", "cam1"], "the dialog has the keys"
        await dialog.get_by_label("Use letters and digits as keys").uncheck()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await page.keyboard.press("1")
        await are(page, SHOWN, "cam0", "cam1")
        await page.keyboard.press("?")
        await dialog.get_by_label("Use letters and digits as keys").check()
        await dialog.get_by_role("button", name="Close").click()
        await page.keyboard.press("1")
        await are(page, SHOWN, "cam0")


async def test_where_several_are_shown_a_key_needs_to_know_which(site: Site, browser: Browser) -> None:
    async with opened(browser, site.url) as page:
        await page.mouse.move(2, 2)
        await page.keyboard.press("r")
        await page.get_by_text("Several cameras are shown").wait_for()
        assert site.home.asked == []
        await page.locator('[data-camera="cam1"] .screen').hover()
        await page.keyboard.press("r")
        await until(lambda: site.home.asked, "an order")
        assert [camera for camera, _, _ in site.home.asked] == ["cam1"]


async def test_any_number_of_cameras_fits(site: Site, browser: Browser) -> None:
    async with opened(browser, site.url) as page:

        async def fit(count: int, width: int, height: int, **options: Any) -> tuple[int, int]:
            found = await page.evaluate(FIT, [count, width, height, options])
            return found["columns"], found["tile"]

        assert await fit(1, 1600, 900) == (1, 1600)
        assert await fit(2, 1600, 450, extra=90) == (2, 640), "no wider than it is high"
        assert await fit(4, 1600, 900, gap=10) == (2, 791)
        assert await fit(9, 1600, 900) == (3, 533)
        assert await fit(64, 1920, 1080, scrolls=False) == (8, 240)
        columns, tile = await fit(64, 1280, 720, gap=10, extra=80)
        assert tile >= 240, "rather, the page scrolls"
        assert columns * tile + (columns - 1) * 10 <= 1280
        assert await fit(2, 340, 600, gap=8) == (1, 340)
        assert await fit(12, 340, 600, gap=8) == (2, 165)
        assert (await fit(0, 1280, 720))[0] == 1


async def test_of_many_cameras_those_in_sight_play(tmp_path: Path, browser: Browser) -> None:
    ids = [f"cam{at}" for at in range(40)]
    async with running(tmp_path, ids) as site, opened(browser, site.url) as page:

        def watched() -> list[str]:
            return [camera_id for camera_id in ids if site.hubs[camera_id].viewers]

        await until(lambda: "cam0" in watched(), "viewers")
        await expect(page.get_by_role("combobox", name="One camera", exact=True)).to_be_visible()
        assert len(watched()) < 25
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await until(lambda: "cam39" in watched() and "cam0" not in watched(), "others")
        await page.get_by_role("combobox", name="One camera", exact=True).select_option("Camera 20")
        await are(page, SHOWN, "cam20")
        await until(lambda: {"cam19", "cam20", "cam21"} <= set(watched()), "it and its neighbours")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_cannot_be_done_is_told(site: Site, browser: Browser) -> None:
    site.control.hold = True
    async with opened(browser, f"{site.url}/#cam0") as page:
        await page.keyboard.press("i")
        await page.locator(f"{TILE} select.fps").select_option("15")
        await until(lambda: site.control.is_changing("cam0"))
        site.control.finish("cam0", LivecamError(ErrorKind.UNAVAILABLE, "no", "it is set back"))
        await page.get_by_text("no; it is set back").wait_for()
        await expect(page.get_by_role("button", name="Undo")).to_have_count(0)
        await page.route("**/keep", lambda route: route.abort())
        await page.keyboard.press("k")
        await page.get_by_text("The service does not answer.", exact=True).wait_for()
