"""Every page of the running service in a real Chromium: for everybody, on a phone, in Korean, and as an app."""

import json
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from support.browser import CHROMIUM, PATIENCE_MS, chromium
from support.household import household
from support.page_sources import STATIC
from support.page_tour import FRESH, INSIDE, OUTSIDE, Stop, served, visit
from support.service import ROOT, Service
from support.waiting import until

AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]

_JUDGE = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}
"""
# What is wider than the screen, and may not be scrolled by itself.
_TOO_WIDE = """
async () => {
  // What draws itself anew does so after a frame or two.
  const late = performance.now() + 20_000;
  while (document.documentElement.scrollWidth > innerWidth && performance.now() < late) {
    await new Promise(requestAnimationFrame);
  }
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => `${one.tagName}.${one.className}#${one.id}`).slice(0, 8);
}
"""
# Words that somebody sees or hears: texts, names, titles.
_WORDS = """
() => {
  const found = [];
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  const silent = "script, style, template, noscript, code, [translate=no], [lang]:not(html)";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element.closest(silent) || !(element.checkVisibility() || element.closest("title"))) continue;
    found.push(node.data.trim());
  }
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
    if (one.closest(silent)) continue;
    found.push(...["aria-label", "title", "placeholder"].map((name) => one.getAttribute(name)));
  }
  return found.filter(Boolean);
}
"""
# A moment as a field for date and time has it.
_FIELD = "s => new Date((s - new Date().getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19)"
# Notes how fast each camera goes at most.
_WATCH = """
() => document.querySelectorAll("video").forEach((video) => {
  video.addEventListener("ratechange", () => {
    video.dataset.fastest = Math.max(video.playbackRate, Number(video.dataset.fastest ?? 0));
  });
})
"""
# Where both cameras are, in seconds, and how fast they were at most.
_PLAYED = """[...document.querySelectorAll('video')].map(
  ({ currentTime, dataset }) => [currentTime, Number(dataset.fastest ?? 0)])"""
# Singular and plural, figures; what the service says itself; what was forgotten.
_TEXTS = """
async () => {
  const { t, told } = await import("./static/js/texts.js");
  const days = [1, 1200].map((count) => t("unit.days", { count }));
  return [...days, told("cause.camera", "it says"), t("no.such_text")];
}
"""
# The same in all languages: names, and what things are called by those who made them.
_NAMES = re.compile(
    r"(?<![A-Za-z])(?:livecam-nvr|Home Assistant|tester|tests|admin|Front door|Garden|cam\d|Shift|Enter|Tab|Space"
    r"|Esc|MQTT|RTSPS?"
    r"|WebRTC|HTTP|LL-HLS|HLS|MJPEG|MP4|MSE|fps|[kM]bit/s|[KMGT]i?B|ms|H\.26[45]|avc1\S*|libx264|[Gg][Ss]treamer|CPU|URL|IP"
    r"|config\.yaml|Python|ffmpeg|SQLite|Debian\b.*|[\d.]+\S*deb\S+|[\w.]+-\w+|\S*/\S*)(?![A-Za-z])"
)
# What the service has written down once, in its own words.
_WRITTEN = {"system-log", "system-audit"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async for service in served(tmp_path_factory.mktemp("pages")):
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


PHONE = {"width": 360, "height": 740}
# Each way of looking at the pages: both schemes, both languages.
WAYS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "reduced_motion": "reduce"},
    "dark": {"color_scheme": "dark", "locale": "ko-KR", "timezone_id": "Asia/Seoul"},
}


@dataclass(frozen=True)
class Found:
    """What was found on one page."""

    serious: list[str]
    too_wide: list[str]
    words: list[str]

    @property
    def english(self) -> list[str]:
        return [text for text in self.words if re.search("[A-Za-z]{2,}", _NAMES.sub("", text))]


async def looked_at(page: Page, url: str, stop: Stop) -> Found:
    await page.set_viewport_size({"width": 1280, "height": 800})
    await visit(page, url, stop)
    if AXE.exists():
        await page.evaluate(AXE.read_text())
    serious = list(await page.evaluate(_JUDGE)) if AXE.exists() else []
    words = list(await page.evaluate(_WORDS))
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    return Found(serious, list(await page.evaluate(_TOO_WIDE)), words)


def judge(found: dict[str, Found], way: str) -> None:
    """Fails for what is wrong with a page; skipped at the very end if nobody could judge all of it."""
    assert {name: one.too_wide for name, one in found.items() if one.too_wide} == {}
    if WAYS[way].get("locale") == "ko-KR":
        assert [name for name, one in found.items() if not re.search("[\uac00-\ud7a3]", "".join(one.words))] == []
        assert {name: one.english for name, one in found.items() if one.english and name not in _WRITTEN} == {}
    assert {name: one.serious for name, one in found.items() if one.serious} == {}
    if not AXE.exists():
        pytest.skip("all is well but for what axe-core would find: `npm ci --prefix tests/browser` installs it")


@pytest.mark.parametrize("way", WAYS)
async def test_pages_are_for_everybody(service: Service, browser: Browser, way: str) -> None:
    context = await browser.new_context(**WAYS[way])
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    found = {stop.name: await looked_at(page, service.url, stop) for stop in OUTSIDE}
    await service.sign_in(page)
    for stop in INSIDE:
        found[stop.name] = await looked_at(page, service.url, stop)
    await context.close()
    judge(found, way)


@pytest.mark.parametrize("way", WAYS)
async def test_the_first_password_can_be_set_by_everybody(tmp_path: Path, browser: Browser, way: str) -> None:
    async with household(tmp_path) as home:
        context = await browser.new_context(**WAYS[way])
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        found = {stop.name: await looked_at(page, home.site.url, stop) for stop in FRESH}
        await context.close()
    judge(found, way)


class Opened:
    """A window of somebody who is signed in."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def view(self) -> float:
        """How many seconds the timeline shows."""
        shown = "(({begin, end}) => end - begin)(document.getElementById('lanes').dataset)"
        return float(await self.page.evaluate(shown))


@asynccontextmanager
async def opened(service: Service, browser: Browser, stop: Stop, **how: Any) -> AsyncIterator[Opened]:
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **how})
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = await context.new_page()
        await service.sign_in(page)
        await visit(page, service.url, stop)
        yield Opened(page)
    finally:
        await context.close()


LIVE = next(stop for stop in INSIDE if stop.name == "live")
PAST = next(stop for stop in INSIDE if stop.name == "past")


async def test_somebody_chooses_a_language_and_it_stays(service: Service, browser: Browser) -> None:
    async with opened(service, browser, LIVE) as window:
        page = window.page
        assert await page.evaluate("document.documentElement.lang") == "en"
        assert await page.evaluate(_TEXTS) == ["1 day", "1,200 days", "it says", "no.such_text"]
        await page.locator(".account .who").click()
        await page.get_by_label("Language").select_option("ko")
        await page.get_by_role("link", name="지난 영상").click()
        await page.get_by_role("button", name="구간 선택").wait_for()
        assert await page.evaluate("document.documentElement.lang") == "ko"
        assert await page.evaluate(_TEXTS) == ["1일", "1,200일", "카메라 연결 끊김", "no.such_text"]
        await page.goto(f"{service.url}/signin")
        await page.goto(service.url)
        await page.get_by_role("link", name="실시간").wait_for()


async def test_two_fingers_zoom_the_timeline(service: Service, browser: Browser) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    async with opened(service, browser, PAST, **phone) as window:
        page, before = window.page, await window.view()
        await page.locator("#lanes").scroll_into_view_if_needed()
        box = await page.locator('.lane[data-camera="cam1"] canvas').bounding_box()
        assert box is not None
        touch = await page.context.new_cdp_session(page)
        middle, y = box["x"] + box["width"] / 2, box["y"] + 20

        async def fingers(kind: str, apart: float) -> None:
            points = (
                []
                if kind == "touchEnd"
                else [{"x": middle - apart, "y": y, "id": 0}, {"x": middle + apart, "y": y, "id": 1}]
            )
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        await fingers("touchStart", 30)
        for apart in range(40, 121, 10):
            await fingers("touchMove", apart)
        await fingers("touchEnd", 0)

        async def nearer() -> bool:
            return await window.view() < before / 2.5

        await until(nearer, "less time in sight")
        assert await page.evaluate("visualViewport.scale") == 1


async def test_it_plays_sixteen_times_as_fast(service: Service, browser: Browser) -> None:
    async def long_enough() -> float:
        spans = (await timeline(service))["spans"]
        return next((float(span["begin_utc_s"]) for span in spans if span["duration_s"] > 14), 0)

    begin = float(str(await until(long_enough, "some footage")))
    async with opened(service, browser, PAST) as window:
        page = window.page
        await page.locator("#day").click()
        await page.locator("#moment").fill(await page.evaluate(_FIELD, begin + 1))
        await page.get_by_role("button", name="Go", exact=True).click()
        await page.evaluate(_WATCH)
        await page.select_option("#speed", "16")
        first = 0.0

        async def played() -> bool:
            nonlocal first
            (one, one_rate), (other, other_rate) = await page.evaluate(_PLAYED)
            first = first or one
            # Where the machine is busy they wait for footage now and then, and for each other; but they can.
            return min(one_rate, other_rate) > 12 and first > 0 and min(one, other) > first + 8

        await until(played, "8 s more at sixteen times the speed")
        await page.get_by_role("button", name="Pause").click()

        async def together() -> bool:
            (one, _), (other, _) = await page.evaluate(_PLAYED)
            return bool(abs(one - other) < 0.5)

        await until(together, "both at the same moment")


async def timeline(service: Service) -> dict[str, Any]:
    return dict(json.loads(await service.get("/api/cameras/cam0/timeline")))


async def test_a_browser_offers_to_install_it(service: Service, browser: Browser) -> None:
    async with opened(service, browser, LIVE) as window:
        devtools = await window.page.context.new_cdp_session(window.page)
        manifest = await devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert manifest["url"] == f"{service.url}/manifest.webmanifest"
        problems: list[str] = []

        async def none() -> bool:
            found = (await devtools.send("Page.getInstallabilityErrors"))["installabilityErrors"]
            # What a window without a profile on disk cannot do anyway.
            problems[:] = [error["errorId"] for error in found if error["errorId"] != "in-incognito"]
            return not problems

        await until(none, f"no reason against it: {problems}")
    found = json.loads(manifest["data"])
    # Below a prefix of a reverse proxy, too.
    addresses = [found["start_url"], found["scope"], *(icon["src"] for icon in found["icons"])]
    assert [address for address in addresses if address.startswith("/") or ":" in address] == []
    for icon in found["icons"]:
        data = (STATIC / icon["src"].removeprefix("static/")).read_bytes()
        if icon["sizes"] != "any":
            assert "x".join(map(str, struct.unpack(">II", data[16:24]))) == icon["sizes"]
