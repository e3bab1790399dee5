"""How soon the page shows something, how old that is, what viewers cost: the real service, the real Chromium.

(a) The live page of two cameras of 640x360 at 30 fps, opened with an empty cache: until the first picture, and
    what was transferred until then.
(b) From a picture's making to its pixels, over WebRTC (null where there is no MediaMTX) and over MSE: medians.
(c) From a click on a camera that was not to be seen for some seconds to its first new picture: median.
(d) Ten MSE viewers of one camera of 1280x720 at 30 fps: what the service itself takes more with them.

How old a picture is stands in the picture: the test camera draws a strip of squares with the frame's number, and
a stand-in for ffmpeg that this benchmark puts in front of the real one has it draw the wall clock's milliseconds
in their place, at the moment of drawing (ffmpeg's `time(0)`; in a Gray code, since each square is drawn a little
later than the one before). The browser reads them from the video's pixels whenever it presents a new one
(requestVideoFrameCallback), and compares them with the same machine's clock. So that is everything from drawing
over the encoder, the service, the network stack and the decoder to the page; what a screen adds is not in it.

Usage: python -m benchmarks.live [--json] [--quick]
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page

from benchmarks.measure import RunningService, cpu_s, say, service
from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role
from livecam_nvr.media.sources import BARCODE_BITS, BARCODE_CELL
from tests.support.browser import chromium

STAND_IN = Path(__file__).with_name("live_clock.py")
PAGE = Path(__file__).with_name("live_page.js")
_CAMERAS = [
    {"id": f"cam{at}", "kind": "test", "size": "640x360", "fps": 30, "bitrate_kbps": 1000} for at in (0, 1)
]
_LARGE = {"id": "cam0", "kind": "test", "size": "1280x720", "fps": 30, "bitrate_kbps": 2000}
_NAME, _PASSWORD = "benchmark", "seen by nobody else"
_VIEWERS = 10
_REST_S = 5.0
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, and for how long."""

    openings: int
    watched_s: float
    switches: int
    viewers_s: float


FULL = Plan(openings=7, watched_s=12, switches=8, viewers_s=15)
QUICK = Plan(openings=3, watched_s=5, switches=4, viewers_s=6)


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.add_argument("--quick", action="store_true", help="less of everything: a rough look")
    options = parser.parse_args()
    # Whoever ends us ends the children, too: all of them stand in `with` blocks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="livecam-live-") as name:
        result = run(Path(name), QUICK if options.quick else FULL)
    print(json.dumps(result) if options.json else "\n".join(f"{key:32}{value}" for key, value in result.items()))


def run(folder: Path, plan: Plan) -> dict[str, Any]:
    """All of it; the keys are those of `--json`."""
    webrtc = shutil.which("mediamtx") is not None
    server = {"kind": "mediamtx" if webrtc else "gstreamer", "download": False}
    put_in_front(folder / "bin")
    with service(folder / "pages", _CAMERAS, media_server=server) as running:
        result = asyncio.run(_pages(running, plan, webrtc=webrtc))
    with service(folder / "viewers", [_LARGE], media_server=server) as running:
        result["ten_mse_viewers_core_percent"] = _ten_viewers(running, plan.viewers_s)
    return result


def put_in_front(folder: Path) -> None:
    """From now on, what this process starts finds the stand-in first, and that the real ffmpeg."""
    real = shutil.which("ffmpeg")
    if real is None:
        raise SystemExit("there is no ffmpeg on PATH")
    folder.mkdir(parents=True)
    script = folder / "ffmpeg"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{STAND_IN}" "{real}" "$@"\n')
    script.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


async def _pages(running: RunningService, plan: Plan, *, webrtc: bool) -> dict[str, Any]:
    with AccessStore(running.folder / "data" / "access") as store:
        store.add_user(_NAME, _PASSWORD, Role.ADMIN, None)
    async with chromium() as browser:
        openings = [await _opening(browser, running) for _ in range(plan.openings)]
        first_ms = median(first for first, _ in openings)
        transfer_kb = max(size for _, size in openings) / 1000
        say(f"first picture after {first_ms:.0f} ms, {transfer_kb:.0f} kB until then")
        async with _opened(browser, running, "MSE", without_webrtc=True) as page:
            mse_ms = await _age(page, plan.watched_s)
            say(f"MSE: {mse_ms:.0f} ms old")
        webrtc_ms = None
        if webrtc:
            async with _opened(browser, running, "WebRTC") as page:
                webrtc_ms = await _age(page, plan.watched_s)
                say(f"WebRTC: {webrtc_ms:.0f} ms old")
        async with _opened(browser, running, "WebRTC" if webrtc else "MSE") as page:
            switch_ms = await _switches(page, plan.switches)
            say(f"switch: {switch_ms:.0f} ms")
    return {
        "first_picture_ms": round(first_ms),
        "transfer_kb": round(transfer_kb, 1),
        "webrtc_latency_ms": webrtc_ms and round(webrtc_ms),
        "mse_latency_ms": round(mse_ms),
        "switch_ms": round(switch_ms),
    }


@contextlib.asynccontextmanager
async def _opened(
    browser: Browser, running: RunningService, way: str, *, without_webrtc: bool = False
) -> AsyncIterator[Page]:
    """The page of somebody who is signed in, as soon as all cameras come this way."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = await context.new_page()
        await page.add_init_script(PAGE.read_text("utf-8").replace("BARCODE", f"{BARCODE_BITS}, {BARCODE_CELL}"))
        if without_webrtc:
            await page.add_init_script("delete window.RTCPeerConnection")
        url = f"http://127.0.0.1:{running.ports['http_port']}"
        said = {"name": _NAME, "password": _PASSWORD}
        for _ in range(50):  # the service has yet to notice its new user
            if (await page.request.post(f"{url}/api/session", data=said, headers={"Origin": url})).ok:
                break
            await asyncio.sleep(0.1)
        await page.goto(url, wait_until="commit")
        if way:
            await _until(page, "(way) => live.ways().every((one) => one === way)", way)
        yield page
    finally:
        await context.close()


async def _until(page: Page, question: str, argument: str) -> Any:
    """The first answer that is true. Playwright's own way needs `eval`, which the page forbids."""
    end_s = time.monotonic() + _PATIENCE_S
    while not (answer := await page.evaluate(question, argument)):
        if time.monotonic() > end_s:
            raise SystemExit(f"not within {_PATIENCE_S:g} s: {question} {argument}")
        await asyncio.sleep(0.1)
    return answer


async def _opening(browser: Browser, running: RunningService) -> tuple[float, float]:
    """Milliseconds from the begin of the navigation to the first picture, and bytes until then."""
    async with _opened(browser, running, "") as page:
        first = await _until(page, "() => live.first", "")
        return first["ms"], first["bytes"]


async def _age(page: Page, seconds: float) -> float:
    """The median age of the first camera's pictures, in milliseconds."""
    await asyncio.sleep(2)
    ages: list[float] = await page.evaluate("seconds => live.ages(seconds)", seconds)
    if len(ages) < seconds * 10:
        raise SystemExit(f"only {len(ages)} pictures within {seconds:g} s")
    return median(ages)


async def _switches(page: Page, count: int) -> float:
    """The median from a click to the first new picture of a camera that was hidden for some seconds."""
    found = []
    for at in range(count + 1):
        took = await page.evaluate("camera => live.switched(camera)", f"cam{at % 2}")
        if at:  # before the first, both are to be seen
            found.append(float(took))
        await asyncio.sleep(_REST_S)
    return median(found)


def _ten_viewers(running: RunningService, seconds: float) -> float:
    """What the service's own process takes more with ten viewers, in percent of a core."""
    pid = running.process.pid
    url = f"http://127.0.0.1:{running.ports['http_port']}/api/cameras/cam0/live.ws"
    time.sleep(5)
    before = _percent(pid, seconds)
    spawning = multiprocessing.get_context("spawn")
    seen, stop = spawning.Value("i", 0), spawning.Event()
    watching = spawning.Process(target=_watch, args=(url, running.token, seen, stop), daemon=True)
    watching.start()
    try:
        time.sleep(3)
        begun = seen.value
        during = _percent(pid, seconds)
        messages = (seen.value - begun) / seconds
    finally:
        stop.set()
        watching.join(10)
        watching.kill()
    if messages < _VIEWERS * 20:  # a machine that is busy with other things does not encode 30 a second
        raise SystemExit(f"the viewers got only {messages:.0f} messages a second")
    say(f"the service: {before:.2f} % of a core without viewers, {during:.2f} % with ten of them")
    return round(during - before, 2)


def _percent(pid: int, seconds: float) -> float:
    begin, began_s = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - begin) / (time.monotonic() - began_s) * 100


def _watch(url: str, token: str, seen: Any, stop: Event) -> None:
    """Ten viewers, in a process of their own."""

    async def one(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(url) as socket:
            async for _ in socket:
                seen.value += 1
                if stop.is_set():
                    return

    async def all_of_them() -> None:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            await asyncio.gather(*(one(session) for _ in range(_VIEWERS)))

    asyncio.run(all_of_them())


if __name__ == "__main__":
    main()
