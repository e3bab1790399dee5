"""The pages against the whole service: what they show is so, whatever is done to what is behind them."""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import pytest_asyncio
from fakes.web_marionette import Firefox, firefox
from playwright.async_api import Browser, Page, expect
from support.browser import CHROMIUM, PATIENCE_MS, chromium, frame_shown_by, shown_frame
from support.household import sign_in, visitor
from support.service import Service, command_line, kill, small_camera
from support.waiting import PATIENCE_S, until

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]

FPS = 15
MOST_APART = 3
PASSWORD = "correct horse battery"
DOOR, GARDEN = '[data-camera="cam0"]', '[data-camera="cam1"]'
STATES = "[...document.querySelectorAll('.tile .state')].map((state) => state.textContent)"
ALONE = "[...document.querySelectorAll('video')].indexOf(document.querySelector('.tile:not([hidden]) video'))"
# Notes which states are shown, and each time that a picture is called live which has not changed for too long: in
# the page's own time, in which a machine that stands still takes no longer than a look.
WITNESS = """
window.states = []; window.lies = [];
const changed = new Map();
let last = performance.now(), now = 0;
setInterval(() => {
  now += Math.min(performance.now() - last, 200);
  last = performance.now();
  for (const tile of document.querySelectorAll(".tile")) {
    const { camera } = tile.dataset;
    const state = tile.querySelector(".state").textContent;
    const time = tile.querySelector("video").currentTime;
    if (changed.get(camera)?.time !== time) changed.set(camera, { time, now });
    const age = now - changed.get(camera).now;
    if (state === "LIVE" && age > 4000) window.lies.push([camera, age]);
    if (state !== window.states.findLast(([id]) => id === camera)?.[1]) window.states.push([camera, state]);
  }
}, 100);
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One for all tests: each leaves it as it was."""
    cameras = [small_camera("cam0", name="Door"), small_camera("cam1", name="Garden")]
    made = Service(tmp_path_factory.mktemp("page"), cameras=cameras)
    await asyncio.to_thread(add_people, made)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
        print(made.read_log())


@asynccontextmanager
async def watching(browser: Browser, service: Service, view: str = "", script: str = "") -> AsyncIterator[Page]:
    """The live page, with both cameras live, and a witness of what it says."""
    async with visitor(browser) as page:
        await page.add_init_script(WITNESS + script)
        await service.sign_in(page)
        await page.goto(f"{service.url}/{view}")
        await live(page.evaluate)
        await page.evaluate("window.states.length = 0")
        yield page
        assert await page.evaluate("window.lies") == []


async def live(ask: Callable[[str], Awaitable[Any]]) -> None:
    """Returns when both cameras are, and new frames come."""
    await until(lambda: _all_live(ask), "both cameras LIVE")
    for index in (0, 1):
        await moves(ask, index)


async def _all_live(ask: Callable[[str], Awaitable[Any]]) -> bool:
    return bool(await ask(STATES) == ["LIVE", "LIVE"])


async def moves(ask: Callable[[str], Awaitable[Any]], index: int = 0, frames: int = 8) -> None:
    """Returns when so many more frames are shown."""
    first = max(0, await ask(frame_shown_by(index)))

    async def later() -> bool:
        return int(await ask(frame_shown_by(index))) >= first + frames

    await until(later, f"{frames} frames after {first}")


async def states_of(page: Page, camera_id: str) -> set[str]:
    """What has been said of a camera; that it is late may be so at any time on a busy machine."""
    return {state for camera, state in await page.evaluate("window.states") if camera == camera_id}


def add_people(service: Service) -> None:
    with AccessStore(service.access) as store:
        store.add_user("vera", PASSWORD, Role.VIEWER, None)
        store.add_user("fiona", PASSWORD, Role.WATCHER, None)


async def test_two_pictures_are_in_step(service: Service, browser: Browser) -> None:
    async with watching(browser, service) as page:
        assert await page.locator(".way").all_text_contents() == ["MSE", "MSE"]
        behind: list[tuple[int, int]] = []

        async def in_step() -> bool:
            behind.clear()
            for _ in range(15):
                made = [int(camera["frames"]) for camera in (await service.status())["cameras"]]
                seen = await page.evaluate(f"[{frame_shown_by(0)}, {frame_shown_by(1)}]")
                behind.append((made[0] - seen[0], made[1] - seen[1]))
            apart = abs(median(door - garden for door, garden in behind))
            return apart <= MOST_APART and median(max(pair) for pair in behind) <= FPS

        # Whatever comes late at first is played a little faster until it is not.
        await until(in_step, "pictures that are in step", within_s=2 * PATIENCE_S)


async def test_a_camera_is_switched_off_and_on_and_each_is_the_one_it_says(
    service: Service, browser: Browser
) -> None:
    async with watching(browser, service) as page:
        await page.keyboard.press("i")
        switch = page.get_by_role("switch", name="Camera Garden")
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", "false")
        await page.locator(f"{GARDEN} .veil").get_by_text("off").first.wait_for()
        await expect(page.locator(f"{GARDEN} .state")).to_have_text("OFFLINE")

        async def is_off() -> bool:
            camera = await service.camera("cam1")
            running = [pid for pid in service.children("ffmpeg") if "Garden" in command_line(pid)]
            return (camera["enabled"], camera["state"], running) == (False, "OFFLINE", [])

        await until(is_off, "the camera is off")
        camera = await service.camera("cam1")
        assert camera["fault"]["message"].startswith("switched off by tester")
        await moves(page.evaluate, 0)
        await page.get_by_role("button", name="Undo").click()
        await expect(switch).to_have_attribute("aria-checked", "true")
        await live(page.evaluate)

        # Its frames are counted anew: by their numbers, the cameras can be told apart.
        for key, index in (("1", 0), ("2", 1), ("1", 0)):
            await page.keyboard.press(key)
            assert await page.evaluate(ALONE) == index
            await moves(page.evaluate, index)
            seen = await shown_frame(page, index)
            of_garden = (await service.camera("cam1"))["frames"]
            assert (seen > of_garden) == (index == 0), (seen, of_garden)


async def test_two_tabs_that_switch_the_same_at_once_agree_with_the_recorder(
    service: Service, browser: Browser
) -> None:
    async with watching(browser, service) as one, watching(browser, service) as other:
        pages = (one, other)
        switches = [page.get_by_role("switch", name="Record Door") for page in pages]
        for _ in range(3):
            await asyncio.gather(*(switch.click() for switch in switches))

        async def agreed() -> bool:
            recording = (await service.camera("cam0"))["recording"]
            wanted = "true" if recording["wanted"] else "false"
            told = [await switch.get_attribute("aria-checked") for switch in switches]
            busy = [await switch.get_attribute("aria-busy") for switch in switches]
            shown = [await page.locator(f"{DOOR} .rec").is_visible() for page in pages]
            return told == [wanted, wanted] and busy == [None, None] and shown == 2 * [recording["active"]]

        await until(agreed, "both tabs and the recorder agree")
        await service.post("/api/cameras/cam0/recording", {"on": True})
        for switch in switches:
            await expect(switch).to_have_attribute("aria-checked", "true")


async def test_it_goes_on_without_a_reload(service: Service, browser: Browser) -> None:
    async with watching(browser, service) as page:
        await page.evaluate("window.mark = 'the same page'")
        other = (await service.camera("cam1"))["restarts"]
        (victim,) = [pid for pid in service.children("ffmpeg") if "Door" in command_line(pid)]
        kill(victim, signal.SIGSTOP)

        async def noticed() -> bool:
            return any(
                camera == "cam0" and state != "LIVE" for camera, state in await page.evaluate("window.states")
            )

        await until(noticed, "it is told that the picture stands")
        kill(victim)
        await live(page.evaluate)
        assert await states_of(page, "cam1") <= {"LIVE", "DELAY"}
        assert (await service.camera("cam1"))["restarts"] == other

        await service.kill()
        await expect(page.locator("#notice")).to_contain_text("does not answer")
        await expect(page.locator(f"{DOOR} .state")).to_have_text("OFFLINE")
        await service.start()
        await live(page.evaluate)
        await expect(page.locator("#notice")).to_be_hidden()
        assert await page.evaluate("window.mark") == "the same page"
        # Whoever was signed in still is, and may still do what they may.
        await page.get_by_role("button", name="Keep that, Door").click()
        await page.get_by_text("Kept: ").wait_for()


async def test_settings_that_do_not_run_are_rolled_back(
    service: Service, browser: Browser, tmp_path: Path
) -> None:
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(b"no film" * 1000)
    before = (service.folder / "config.yaml").read_bytes()
    restarts = (await service.camera("cam1"))["restarts"]
    async with watching(browser, service) as live_page, visitor(browser) as page:
        await service.sign_in(page)
        await page.goto(f"{service.url}/system#settings")
        await page.locator("details.camera > summary").nth(0).click()
        await page.locator("#setting-cameras-0-fps").fill("10")
        await page.get_by_label("Kind").select_option("file")
        await page.get_by_role("button", name="Add a camera").click()
        await page.locator("#setting-cameras-2-path").fill(str(garbage))
        await page.get_by_role("button", name="Review and save").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Door restarts")
        await dialog.get_by_role("button", name="Save", exact=True).click()
        await expect(dialog.get_by_role("alert")).to_contain_text(
            "does not run with these settings", timeout=2 * PATIENCE_MS
        )
        assert (service.folder / "config.yaml").read_bytes() == before
        status = await service.status()
        assert [camera["id"] for camera in status["cameras"]] == ["cam0", "cam1"]
        # Who watches meanwhile sees the cameras as they were, and no reload was needed.
        await live(live_page.evaluate)
        await until(lambda: live_page.locator(".tile").count())
        assert await live_page.locator(".tile").count() == 2
        assert await states_of(live_page, "cam1") <= {"LIVE", "DELAY"}
        assert status["cameras"][1]["restarts"] == restarts


ORDERS = [
    ("api/cameras/cam0/recording", {"on": False}),
    ("api/cameras/cam0/enabled", {"on": False}),
    ("api/cameras/cam0/quality", {"fps": 5}),
    ("api/cameras/cam0/restart", {}),
    ("api/cameras/cam0/keep", {}),
    ("api/exports", {"cameras": ["cam0"], "from": 1, "to": 2}),
    ("api/settings", {}),
    ("api/users", {"name": "me", "password": PASSWORD, "role": "admin"}),
]
SEND = """([path, body]) => fetch(path, {
  method: body ? "POST" : "GET",
  headers: { "Content-Type": "application/json" },
  body: body && JSON.stringify(body),
}).then((answer) => answer.status)"""


async def test_a_viewer_sees_and_can_do_nothing_else(service: Service, browser: Browser) -> None:
    restarts = (await service.camera("cam0"))["restarts"]
    async with visitor(browser) as page:
        await page.goto(service.url)
        await sign_in(page, "vera", PASSWORD)
        await page.get_by_role("button", name="vera: account").wait_for()
        await live(page.evaluate)
        await page.keyboard.press("i")
        for part in ("switch", "keep", "enable", "restart", "quality"):
            assert not await page.locator(f"{DOOR} .{part}").first.is_visible(), part
        for path, body in ORDERS:
            assert await page.evaluate(SEND, [path, body]) == 403, path
        for path in ("api/cameras/cam0/timeline", "api/cameras/cam0/thumbnail.jpg", "api/log", "api/settings"):
            assert await page.evaluate(SEND, [path, None]) == 403, path
        camera = await service.camera("cam0")
        assert (camera["enabled"], camera["recording"]["wanted"], camera["restarts"]) == (True, True, restarts)


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_clock_that_differs_changes_nothing(service: Service, browser: Browser, hours: int) -> None:
    wrong = f"window.right = Date.now; Date.now = () => right() + {hours} * 3600e3;"
    async with watching(browser, service, script=wrong) as page:
        clock = page.locator(f"{DOOR} .clock")

        async def tells_the_time_of_the_service() -> bool:
            hour = await page.evaluate("new Date(right()).getHours()")
            return int((await clock.text_content() or "-1").split(":")[0]) % 12 == hour % 12

        await until(tells_the_time_of_the_service, "the service's time")


@pytest.mark.skipif(shutil.which("firefox-esr") is None, reason="there is no firefox-esr")
async def test_firefox_signs_in_watches_and_looks_back(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with firefox(tmp_path_factory.mktemp("firefox")) as visitor:
        await visitor.open(f"{service.url}/past")
        await has(visitor, "#password")
        await visitor.type("#user", "fiona")
        await visitor.type("#password", PASSWORD)
        await visitor.click("button[type='submit']")
        await has(visitor, ".lane")
        await has(visitor, "#lanes[data-begin]")
        await visitor.type("#lanes", "\ue006")  # Enter, as WebDriver names it
        await until(lambda: _plays(visitor), "footage plays")
        await moves(visitor.evaluate, 0)
        await visitor.open(f"{service.url}/")
        await live(visitor.evaluate)


async def has(browser: Firefox, selector: str) -> None:
    there = f"Boolean(document.querySelector({json.dumps(selector)})?.checkVisibility())"
    await until(lambda: browser.evaluate(there), selector)


async def _plays(browser: Firefox) -> bool:
    return bool(await browser.evaluate("[...document.querySelectorAll('video')].some((v) => v.readyState >= 3)"))
