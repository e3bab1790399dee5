"""What exports and merged archives are in a browser: they play to their end, and can be sought in."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fakes.export_footage import BEGAN, ClipFootage
from fakes.export_recordings import record
from fakes.storage_fragments import from_keyframe, make_clip, read_clip
from support import clips
from support.browser import chromium
from support.ports import free_port

from livecam_nvr.domain.coverage import Span
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.join import Joiner
from livecam_nvr.storage.merging.merge_file import merge, source

pytestmark = pytest.mark.browser

_LOOK = """
async (address) => {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const happens = (what) => new Promise((done, fail) => {
    video["on" + what] = done;
    video.onerror = () => fail(new Error(video.error.message));
    setTimeout(() => fail(new Error("no " + what + " at " + video.currentTime)), 10000);
  });
  let waiting = happens("loadeddata");
  video.src = address;
  await waiting;
  const widths = [];
  for (const share of [0.9, 0.1, 0.6, 0.3]) {
    waiting = happens("seeked");
    video.currentTime = share * video.duration;
    await waiting;
    widths.push(video.videoWidth);
  }
  waiting = happens("ended");
  video.playbackRate = 8;
  video.currentTime = 0;
  await video.play();
  await waiting;
  return {duration: video.duration, widths};
}
"""


async def looked_at(folder: Path, names: list[str]) -> list[dict[str, Any]]:
    app = web.Application()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><body>", content_type="text/html")

    app.router.add_get("/", page)
    app.router.add_static("/files", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with chromium() as browser:
            tab = await browser.new_page()
            await tab.goto(f"http://127.0.0.1:{port}/")
            return [await tab.evaluate(_LOOK, f"/files/{name}") for name in names]
    finally:
        await runner.cleanup()


async def test_plays_and_seeks(tmp_path: Path, fragmented_clip: Path) -> None:
    large = clips.make(tmp_path / "large.mp4", seconds=4, size="640x360", extra=tuple(clips.FRAGMENTED))
    reordered = make_clip(tmp_path / "bframes.mp4", "bframes", 4)
    orders = {
        "exact.mp4": ([fragmented_clip], Span(BEGAN + round(0.4 * NS), BEGAN + round(3.7 * NS))),
        "reordered.mp4": ([reordered], Span(BEGAN + round(0.4 * NS), BEGAN + round(3.4 * NS))),
        "sizes.mp4": ([fragmented_clip, large], None),
    }
    for name, (parts, within) in orders.items():
        footage = ClipFootage()
        for number, path in enumerate(parts):
            footage.add("cam0", path, BEGAN + 4 * number * NS)
        pieces = await footage.pieces("cam0", BEGAN, BEGAN + 100 * NS)
        await Joiner(footage, pieces, tmp_path / name, within=within).run()

    def archive() -> str:
        fragments = from_keyframe(read_clip(fragmented_clip), 1)
        keys = [at for at, fragment in enumerate(fragments) if fragment.keyframe]
        segments = record(tmp_path, fragments[: keys[1]], BEGAN, [3, 3])
        return merge(tmp_path, [source(tmp_path, one) for one in segments], 10, lambda _bytes: None).path

    merged = await asyncio.to_thread(archive)
    exact, backwards, sizes, whole = await looked_at(tmp_path, [*orders, merged])
    assert exact["duration"] == pytest.approx(3.3, abs=0.07)
    assert backwards["duration"] == pytest.approx(3.0, abs=0.2)
    assert sizes["duration"] == pytest.approx(8.0, abs=0.07)
    assert sizes["widths"] == [640, 320, 640, 320]
    assert whole["duration"] == pytest.approx(6.0, abs=0.01)
