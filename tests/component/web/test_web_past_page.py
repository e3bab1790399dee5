"""The page of recordings, and what the live page has of it, in a real Chromium over the real service."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from fakes.web_service import running
from playwright.async_api import Browser, Page, expect
from support import clips
from support.browser import CHROMIUM, PATIENCE_MS, chromium, shown_frame
from support.service import Service, command_line, kill, small_camera
from support.waiting import until

from livecam_nvr.domain.status import DiskLevel, DiskStatus, DiskTrouble

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]

FPS = 15
MOST_OFTEN_S = 0.06
"""While the pointer moves, the page asks for pictures no more often."""
# What the first video has around the moment that it shows: from when to when.
_HAS = """
() => {
  const { buffered, currentTime } = document.querySelector("video");
  const ranges = Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)]);
  return ranges.find(([begin, end]) => begin <= currentTime && currentTime <= end) ?? null;
}
"""
# The colour of a lane at a point of it.
_COLOUR = """
([camera, x]) => {
  const canvas = document.querySelector(`.lane[data-camera="${camera}"] canvas`);
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const ratio = canvas.width / canvas.clientWidth;
  return [...copy.getImageData(Math.round(x * ratio), Math.round(14 * ratio), 1, 1).data].join();
}
"""


class History:
    """A service with a past: files, a time when cam0 was switched off, a time when cam1's ffmpeg was dead."""

    def __init__(self, folder: Path) -> None:
        self.service = Service(
            folder, cameras=[small_camera("cam0", name="Door"), small_camera("cam1", name="Garden")]
        )

    async def live_through_it(self) -> None:
        service = self.service
        await service.start()
        await until(self.border, "a file that lasted some seconds, and another one after it")
        await service.post("/api/cameras/cam0/events", {"label": "person", "state": "moment", "lasted_s": 1})
        await self.recorded("cam0", 3)
        await service.post("/api/cameras/cam0/recording", {"on": False})
        (child,) = [pid for pid in service.children("ffmpeg") if "text=Garden" in command_line(pid)]
        kill(child)
        await until(self._missed, "cam1's gap")
        await self._elapsed_off()
        off = await self.gap("cam0", "switched_off")
        await service.post("/api/cameras/cam0/recording", {"on": True})
        await self.recorded("cam0", 5, since=off["begin_utc_s"])

    async def border(self) -> list[dict[str, Any]]:
        """Two files of cam0, one after the other; files begin on the clock, so the first one may be short."""
        files = await self.files("cam0")
        return next(([a, b] for a, b in pairwise(files) if a["duration_s"] > 4), [])

    async def json(self, path: str) -> dict[str, Any]:
        return dict(json.loads(await self.service.get(path)))

    async def timeline(self, camera_id: str) -> dict[str, Any]:
        return await self.json(f"/api/cameras/{camera_id}/timeline")

    async def recorded(self, camera_id: str, seconds: float, since: float = 0) -> None:
        """Waits until what is being recorded (since a moment) is so long, without a gap."""

        async def long_enough() -> bool:
            spans = (await self.timeline(camera_id))["spans"]
            return bool(spans) and spans[-1]["begin_utc_s"] > since and spans[-1]["duration_s"] > seconds

        await until(long_enough, f"{seconds} s of {camera_id}")

    async def _missed(self) -> bool:
        gaps = (await self.timeline("cam1"))["gaps"]
        return any("signal 9" in gap["text"] for gap in gaps) and (await self.service.all_live())

    async def _elapsed_off(self) -> None:
        async def off_for_a_while() -> bool:
            last = (await self.timeline("cam0"))["gaps"][-1]
            return last["cause"] == "switched_off" and float(last["duration_s"]) > 3

        await until(off_for_a_while, "cam0 to be off for a while")

    async def gap(self, camera_id: str, cause: str) -> dict[str, Any]:
        return next(gap for gap in (await self.timeline(camera_id))["gaps"] if gap["cause"] == cause)

    async def killed(self) -> dict[str, Any]:
        """The gap of the camera whose ffmpeg was killed."""
        return next(gap for gap in (await self.timeline("cam1"))["gaps"] if "signal 9" in gap["text"])

    async def files(self, camera_id: str) -> list[dict[str, Any]]:
        found = await self.json(f"/api/cameras/{camera_id}/segments")
        return list(found["segments"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def history(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[History]:
    """Lived through once for all tests; they only look, and keep and export."""
    made = History(tmp_path_factory.mktemp("history"))
    try:
        await made.live_through_it()
        yield made
    finally:
        await made.service.stop()
        print(made.service.read_log())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


class Past:
    """The opened page, and what it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on(
            "console",
            lambda m: self.complaints.append(f"{m.text} {m.location}") if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def x(self, time: float) -> float:
        """Where a moment is on the lanes."""
        lanes = self.page.locator("#lanes")
        begin, end = [float(await lanes.get_attribute(f"data-{edge}") or 0) for edge in ("begin", "end")]
        box = await self.box()
        assert begin < time < end
        return (time - begin) / (end - begin) * box["width"]

    async def box(self) -> Any:
        box = await self.page.locator("#lanes").bounding_box()
        assert box is not None
        return box

    async def y(self, camera_id: str) -> float:
        canvas = await self.page.locator(f'.lane[data-camera="{camera_id}"] canvas').bounding_box()
        assert canvas is not None
        return canvas["y"] + canvas["height"] / 2

    async def hover(self, camera_id: str, time: float) -> None:
        left = (await self.box())["x"]
        await self.page.mouse.move(left + await self.x(time) + 1, await self.y(camera_id) + 3)
        await self.page.mouse.move(left + await self.x(time), await self.y(camera_id))

    async def click(self, camera_id: str, time: float) -> None:
        await self.hover(camera_id, time)
        await self.page.mouse.down()
        await self.page.mouse.up()

    async def select(self, begin: float, end: float) -> None:
        await self.page.keyboard.down("Shift")
        await self.hover("cam0", begin)
        await self.page.mouse.down()
        await self.page.mouse.move((await self.box())["x"] + await self.x(end), await self.y("cam0"), steps=3)
        await self.page.mouse.up()
        await self.page.keyboard.up("Shift")

    async def frame(self, index: int = 0) -> int:
        return await shown_frame(self.page, index)

    async def still_frame(self) -> int:
        """The frame that a paused player shows: its newest picture may come some moments after it has paused."""
        read: list[int] = []

        async def same() -> bool:
            await self.page.evaluate("new Promise((done) => requestAnimationFrame(done))")
            read.append(await self.frame())
            return len(read) >= 10 and len(set(read[-10:])) == 1

        await until(same, "one picture that stays")
        return read[-1]

    async def shows(self, index: int = 0) -> int:
        """The number of the first frame that is shown; 0 is what black reads as, too."""

        async def some() -> int:
            return max(0, await self.frame(index))

        return int(str(await until(some, "a picture")))

    async def playing_at(self) -> list[dict[str, Any]]:
        return list(
            await self.page.evaluate(
                "[...document.querySelectorAll('video')].map("
                "v => ({time: v.currentTime, paused: v.paused && !v.seeking}))"
            )
        )


@asynccontextmanager
async def opened(browser: Browser, history: History, *, width: int = 1280, view: str = "") -> AsyncIterator[Past]:
    """The page, showing the last minutes."""
    context = await browser.new_context(viewport={"width": width, "height": 1000}, accept_downloads=True)
    past = Past(await context.new_page())
    await history.service.sign_in(past.page)
    await past.page.goto(f"{history.service.url}/past{view}")
    await past.page.locator(".lane").first.wait_for()
    begin = (await history.files("cam0"))[0]["start_utc_s"]
    await past.page.get_by_role("button", name="10 min").click()
    await past.page.get_by_role("button", name="Now").click()

    async def fits() -> bool:
        lanes = past.page.locator("#lanes")
        left, right = [float(await lanes.get_attribute(f"data-{edge}") or 0) for edge in ("begin", "end")]
        if right - left > 2 * (right - begin) + 20:
            await past.page.get_by_role("button", name="More detail").click()
            await past.page.get_by_role("button", name="Now").click()
            return False
        return right - left < 900

    await until(fits, "the last minutes to be shown")
    yield past
    await context.close()


class Shot(NamedTuple):
    """A frame of a file."""

    number: int
    at_s: float
    """From the file's beginning."""


Shots = dict[str, list[Shot]]


def expected(files: list[dict[str, Any]], shots: Shots, time: float) -> int:
    """The number of the frame that was shown to the camera at a moment."""
    file = next(f for f in files if 0 <= time - f["start_utc_s"] < f["duration_s"])
    return max(shot.number for shot in shots[file["path"]] if shot.at_s <= time - file["start_utc_s"])


async def read_numbers(history: History, files: list[dict[str, Any]]) -> Shots:
    def read(path: Path) -> list[Shot]:
        times = clips.frame_times(path)
        return [Shot(number, at - times[0]) for number, at in zip(clips.frame_numbers(path), times, strict=False)]

    return {f["path"]: await asyncio.to_thread(read, history.service.recordings / f["path"]) for f in files}


async def test_lanes_show_footage_and_gaps_with_their_causes_in_words(history: History, browser: Browser) -> None:
    async with opened(browser, history) as past:
        off = await history.gap("cam0", "switched_off")
        middle = (off["begin_utc_s"] + off["end_utc_s"]) / 2
        what = past.page.locator("#preview .what")

        async def says(camera_id: str, time: float, words: str) -> bool:
            await past.hover(camera_id, time)
            return words in (await what.text_content() or "")

        await until(lambda: says("cam0", middle, "recording was switched off by"))
        assert await what.get_attribute("data-kind") == "meant"
        assert await past.page.locator("#preview img").is_hidden()
        event = (await history.timeline("cam0"))["events"][0]
        await until(lambda: says("cam0", event["begin_utc_s"] + 0.5, "person"))
        assert await what.get_attribute("data-kind") == "footage"

        killed = await history.killed()

        async def drawn() -> bool:
            nothing, before, after, missing = [
                await past.page.evaluate(_COLOUR, [camera_id, await past.x(time)])
                for camera_id, time in (
                    ("cam0", middle),
                    ("cam0", off["begin_utc_s"] - 2),
                    ("cam0", off["end_utc_s"] + 2),
                    ("cam1", killed["begin_utc_s"] + 0.1),
                )
            ]
            return nothing != before == after and missing not in (nothing, before)

        await until(drawn, "three colours: of footage, of what is meant to be missing, and of what is not")

        # What is missing is in a list, too, and leads there.
        row = past.page.locator("#gaps button").filter(has_text="ended by signal 9").first
        await row.wait_for()
        await expect(past.page.locator("#gaps")).to_contain_text("Garden")
        await expect(past.page.locator('.lane[data-camera="cam1"] .covered')).to_contain_text("last hour")
        await row.focus()
        await past.page.keyboard.press("Enter")

        async def zoomed() -> bool:
            lanes = past.page.locator("#lanes")
            begin, end = [float(await lanes.get_attribute(f"data-{edge}") or 0) for edge in ("begin", "end")]
            return begin < killed["begin_utc_s"] < end and end - begin < 70

        await until(zoomed, "the gap to be in sight")
        assert past.complaints == []


async def test_a_click_plays_the_right_second_and_goes_on_over_the_border_of_files(
    history: History, browser: Browser
) -> None:
    files = await history.border()
    numbers = await read_numbers(history, files)
    border = files[1]["start_utc_s"]
    async with opened(browser, history) as past:
        at = border - 3
        began_s = time.monotonic()
        await past.click("cam0", at)
        first = await past.shows()
        # It plays from there on, and how far it is when somebody looks, the machine decides.
        most = time.monotonic() - began_s + 2
        assert expected(files, numbers, at) - FPS // 2 <= first <= expected(files, numbers, at) + most * FPS

        before, _ = await past.playing_at()
        last_of_first_file = numbers[files[0]["path"]][-1].number

        async def beyond() -> bool:
            return await past.frame() > last_of_first_file + FPS

        await until(beyond, "frames of the second file")
        # There is no hole in what it plays from there to here.
        begin, _ = await past.page.evaluate(_HAS)
        assert begin <= before["time"]

        async def alike() -> bool:
            one, other = await past.playing_at()
            return bool(abs(one["time"] - other["time"]) < 0.2)

        await until(alike, "both at about the same moment")
        await past.page.get_by_role("button", name="Pause").click()

        async def together() -> bool:
            one, other = await past.playing_at()
            return one["paused"] and other["paused"] and abs(one["time"] - other["time"]) < 0.05

        await until(together, "both at the same moment")
        clock = await past.page.locator("#clock").text_content()
        shown = await past.still_frame()
        await past.page.keyboard.press(".")

        async def stepped(by: int) -> bool:
            return await past.frame() == shown + by

        await until(lambda: stepped(1), "the next frame")
        await past.page.keyboard.press(",")
        await until(lambda: stepped(0), "the frame before")
        await past.page.keyboard.press(",")
        await until(lambda: stepped(-1), "the one before that")
        assert clock
        assert past.complaints == []


async def test_it_jumps_over_gaps_and_plays_faster(history: History, browser: Browser) -> None:
    off = await history.gap("cam0", "switched_off")
    async with opened(browser, history, view="#cam0") as past:
        assert await past.page.locator("video").count() == 1
        await past.click("cam0", off["begin_utc_s"] - 2)
        await past.shows()
        await past.page.select_option("#speed", "2")
        (at,) = await past.playing_at()

        async def beyond() -> bool:
            (now,) = await past.playing_at()
            return bool(now["time"] - at["time"] > off["duration_s"] + 1)

        await until(beyond, "what was recorded after the gap")
        assert await past.page.evaluate("document.querySelector('video').playbackRate") == 2
        # A moment without footage says so, until it jumps on.
        await past.page.get_by_role("button", name="Pause").click()
        await past.page.locator("#lanes").focus()
        await past.click("cam0", off["begin_utc_s"] + 1)
        await until(beyond, "the next footage")
        assert past.complaints == []


async def test_hovering_shows_the_picture_of_that_moment(history: History, browser: Browser) -> None:
    begin = (await history.files("cam0"))[0]["start_utc_s"]
    async with opened(browser, history) as past:
        image = past.page.locator("#preview img")

        async def picture(time: float, not_this: str = "") -> str:
            async def there() -> str:
                await past.hover("cam0", time)
                source = await image.get_attribute("src") or ""
                wide = await image.evaluate("image => image.naturalWidth")
                return source if wide and source != not_this and await image.is_visible() else ""

            return str(await until(there, "a thumbnail"))

        first = await picture(begin + 2)
        assert first != await picture(begin + 8, first)
        asked: list[str] = []
        past.page.on("request", lambda request: asked.append(request.url) if "thumbnail" in request.url else None)
        left, x, y = (await past.box())["x"], await past.x(begin + 2), await past.y("cam0")
        began_s = time.monotonic()
        await past.page.mouse.move(left + x, y)
        await past.page.mouse.move(left + x + 200, y, steps=100)
        assert len(asked) <= (time.monotonic() - began_s) / MOST_OFTEN_S + 2
        await past.page.mouse.move(5, 5)
        await past.page.locator("#preview").wait_for(state="hidden")
        assert past.complaints == []


async def test_a_selected_range_is_kept_exported_and_downloaded(
    history: History, browser: Browser, tmp_path: Path
) -> None:
    begin = (await history.files("cam0"))[0]["start_utc_s"]
    async with opened(browser, history, view="#cam0") as past:
        await past.select(begin + 4, begin + 7)
        form = past.page.get_by_role("form", name="The selected time")
        await form.wait_for()
        await expect(form.locator(".length")).to_have_text(re.compile(r"^[234]\b"))
        await form.get_by_label("Title").fill("the parcel")
        await form.get_by_role("button", name="Keep").click()
        await past.page.get_by_text("Kept: it will not be deleted").wait_for()
        (clip,) = (await history.json("/api/clips?camera=cam0"))["clips"]
        assert clip["title"] == "the parcel"
        assert abs(clip["begin_utc_s"] - begin - 4) < 1
        assert abs(clip["end_utc_s"] - begin - 7) < 1
        await past.page.locator("#clips").get_by_text("the parcel").wait_for()

        await form.get_by_label("cut to the frame").check()
        await form.get_by_role("button", name="Export").click()
        link = past.page.locator("#exports a")
        await link.wait_for()
        async with past.page.expect_download() as exported:
            await link.click()
        numbers = await saved_numbers(await exported.value, tmp_path / "export.mp4")
        (job,) = (await history.json("/api/exports"))["exports"]
        assert abs(job["from_utc_s"] - clip["begin_utc_s"]) < 0.001
        assert abs(job["to_utc_s"] - clip["end_utc_s"]) < 0.001
        files = [f for f in await history.files("cam0") if f["start_utc_s"] < job["to_utc_s"]]
        made = await read_numbers(history, files)
        all_of_them = [shot.number for file in files for shot in made[file["path"]]]
        assert goes_through(numbers, all_of_them)
        assert abs(numbers[0] - expected(files, made, job["from_utc_s"])) <= 1
        assert abs(numbers[-1] - expected(files, made, job["to_utc_s"])) <= 1
        async with past.page.expect_download() as downloaded:
            await form.get_by_role("button", name="Download").click()
        numbers = await saved_numbers(await downloaded.value, tmp_path / "download.mp4")
        assert goes_through(numbers, all_of_them)
        assert numbers[-1] - numbers[0] >= 2 * FPS

        handle = past.page.get_by_role("slider", name="End of the selection")
        await handle.focus()
        before = float(await handle.get_attribute("aria-valuenow") or 0)
        await past.page.keyboard.press("ArrowRight")
        assert float(await handle.get_attribute("aria-valuenow") or 0) > before
        await past.page.locator("#clips").get_by_role("button", name="Let go").click()
        await past.page.locator("#clips").get_by_text("Nothing is kept").wait_for()
        assert (await history.json("/api/clips?camera=cam0"))["clips"] == []
        assert past.complaints == []


async def saved_numbers(download: Any, path: Path) -> list[int]:
    """The frame numbers in a downloaded file."""
    await download.save_as(path)
    return await asyncio.to_thread(clips.frame_numbers, path)


def goes_through(some: list[int], all_of_them: list[int]) -> bool:
    """Whether these are frames that follow each other in what was recorded, without one missing between."""
    begin = all_of_them.index(some[0])
    return some == all_of_them[begin : begin + len(some)]


async def test_keys_and_the_day_chooser(history: History, browser: Browser) -> None:
    async with opened(browser, history, width=360) as past:
        page = past.page
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.locator("#lanes").focus()
        spoken = page.locator("#spoken")
        await page.keyboard.press("ArrowRight")
        await expect(spoken).to_contain_text("Door")
        await page.keyboard.press("ArrowDown")
        await expect(spoken).to_contain_text("Garden")
        shown = "(({begin, end}) => end - begin)(document.getElementById('lanes').dataset)"

        async def wider() -> bool:
            return bool(await page.evaluate(shown) > span * 1.4)

        span = await page.evaluate(shown)
        await page.keyboard.press("-")
        await until(wider, "more time in sight")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Pause").wait_for()
        await past.shows()

        await page.locator("#day").click()
        dialog = page.get_by_role("dialog", name="Choose a day")
        await dialog.locator(".held").first.wait_for()
        await page.keyboard.press("ArrowLeft")
        chosen = await page.evaluate("document.activeElement.dataset.day")
        await page.keyboard.press("Enter")
        await dialog.wait_for(state="hidden")
        await until(lambda: page.evaluate(f"{shown} === 86400"), "a whole day in sight")
        await expect(page.locator("#day")).to_contain_text(str(int(chosen[8:])))
        assert past.complaints == []
        await page.context.set_offline(True)
        await page.locator("#notice").get_by_text("The service does not answer.").wait_for()


async def test_the_live_page_keeps_and_tells_the_mode(history: History, browser: Browser) -> None:
    service = history.service
    page = await browser.new_page()
    past = Past(page)
    await service.sign_in(page)
    await page.goto(service.url)
    tile = page.locator('.tile[data-camera="cam1"]')
    await tile.get_by_role("button", name="Keep that, Garden").click()
    await page.get_by_text("Kept: ").wait_for()
    assert len((await history.json("/api/clips?camera=cam1"))["clips"]) == 1
    await tile.locator(".details").click()
    await service.post("/api/cameras/cam1/mode", {"mode": "always"})
    await tile.get_by_text("always recorded").wait_for()
    await service.post("/api/cameras/cam1/mode", {"mode": "switched"})
    await tile.get_by_text("always recorded").wait_for(state="detached")
    await page.get_by_role("link", name="Recordings").click()
    await page.locator(".lane").first.wait_for()
    assert past.complaints == []
    await page.close()


async def test_the_live_page_tells_what_to_do_about_the_disk(tmp_path: Path, browser: Browser) -> None:
    async with running(tmp_path, ["cam0"]) as site:
        site.home.disk = replace(
            DiskStatus("/srv", 100, 1),
            level=DiskLevel.WARNING,
            trouble=DiskTrouble.SPACE,
            reason="1 B free",
            hint="delete something",
        )
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(site.url)
        await page.get_by_text("Recordings: 1 B free; delete something").wait_for()
        await expect(page.locator("#facts .bad").first).to_have_text("1 B free")
        await page.close()
