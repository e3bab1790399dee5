"""What was recorded, played by a real browser across the borders of files."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.footage_files import WITH_SOUND, write_run
from fakes.playback_site import PlaybackSite, playback_site
from fakes.storage_fragments import AUDIO, BEGAN_UTC_NS, read_clip, taken_at
from playwright.async_api import Page
from support.browser import CHROMIUM, PATIENCE_MS, chromium, shown_frame
from support.waiting import until

from livecam_nvr.domain.media import Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.sources import BARCODE_BITS, BARCODE_CELL

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
]

BEGAN = BEGAN_UTC_NS // NS
FPS = 15
ALL = f"from={BEGAN}&to={BEGAN + 60}"

# Feeds a playlist's media segments to Media Source Extensions, one after the other, as players do.
_FEED = """
async (url) => {
  const lines = (await (await fetch(url)).text()).split("\\n");
  const bytes = async (path) => (await fetch(new URL(path, new URL(url, location.href)))).arrayBuffer();
  const init = lines.find((line) => line.startsWith("#EXT-X-MAP")).match(/"(.+)"/)[1];
  const mime = (await fetch(new URL(init, new URL(url, location.href)))).headers.get("Content-Type");
  const source = new MediaSource();
  const video = document.querySelector("video");
  video.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
  const buffer = source.addSourceBuffer(mime);
  for (const path of [init, ...lines.filter((line) => line.endsWith(".m4s"))]) {
    const data = await bytes(path);
    const appended = new Promise((done, failed) => {
      buffer.addEventListener("updateend", done, { once: true });
      buffer.addEventListener("error", () => failed(new Error(path)), { once: true });
    });
    buffer.appendBuffer(data);
    await appended;
  }
  source.endOfStream();
  const ranges = [];
  for (let n = 0; n < buffer.buffered.length; n++) ranges.push([buffer.buffered.start(n), buffer.buffered.end(n)]);
  return ranges;
}
"""
# Notes each frame that is shown, and each jump.
_WATCH = """
() => {
  const video = document.querySelector("video");
  window.seen = []; window.jumps = 0;
  const note = (_, frame) => { seen.push(frame.mediaTime); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
  video.addEventListener("seeking", () => { jumps += 1; });
}
"""
_SEEK = """
(time) => new Promise((done) => {
  const video = document.querySelector("video");
  video.addEventListener("seeked", () => done(video.currentTime), { once: true });
  video.currentTime = time;
})
"""


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    """9 s of numbered frames, and sound."""
    path = tmp_path_factory.mktemp("clips") / "numbered.mp4"
    cell = BARCODE_CELL
    strip = f"drawbox=x=0:y=ih-{cell}:w={cell * BARCODE_BITS}:h={cell}:color=black:t=fill"
    bits = ",".join(
        f"drawbox=x={bit * cell}:y=ih-{cell}:w={cell}:h={cell}:color=white:t=fill:enable='bitand(n\\,{1 << bit})'"
        for bit in range(BARCODE_BITS)
    )
    source = [
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=size=640x360:rate={FPS}",
        *AUDIO,
        "-t",
        "9",
        "-vf",
        f"{strip},{bits}",
    ]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "15"]
    sound = ["-c:a", "aac", "-b:a", "64k", "-output_ts_offset", "1", "-avoid_negative_ts", "disabled"]
    form = ["-f", "mp4", "-movflags", WITH_SOUND, "-frag_duration", "1", "-use_editlist", "0"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *codec, *sound, *form, str(path)], check=True)
    found = read_clip(path)
    return [taken_at(fragment, fragment.utc_ns + BEGAN_UTC_NS - found[0].utc_ns) for fragment in found]


@pytest.fixture
async def site(tmp_path: Path, fragments: list[Fragment]) -> AsyncIterator[PlaybackSite]:
    """Three files of 3 s each."""
    async with playback_site(tmp_path, BEGAN_UTC_NS + 3600 * NS) as site:
        site.add(write_run(site.root, fragments, 3))
        yield site


@pytest.fixture
async def page(site: PlaybackSite) -> AsyncIterator[Page]:
    async with chromium() as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(site.url)
        yield page


async def ask(page: Page, expression: str) -> Any:
    return await page.evaluate(
        f"(() => {{ const video = document.querySelector('video'); return {expression}; }})()"
    )


async def play_to_the_end(page: Page) -> None:
    """All of it without a jump. How many frames it shows on the way, and when it waits, the machine decides."""
    await page.evaluate(_WATCH)
    await page.evaluate("document.querySelector('video').play()")
    await until(lambda: ask(page, "video.ended"), "the end")
    assert await page.evaluate("window.jumps") == 0
    seen: list[float] = await page.evaluate("window.seen")
    assert seen == sorted(seen)
    assert abs(seen[-1] - 9) < 0.5
    assert await ask(page, "video.getVideoPlaybackQuality().corruptedVideoFrames") == 0


async def seek(page: Page, frame: int) -> None:
    """Goes to the middle of a frame, which is then shown."""
    await page.evaluate(_SEEK, (frame + 0.5) / FPS)

    async def shows() -> bool:
        return await shown_frame(page, 0) == frame

    await until(shows, f"frame {frame} to be shown")


async def seek_everywhere(page: Page) -> None:
    """Each second, those at the borders of files among them, shows the frame that belongs there."""
    for second in (8, 0, 3, 5, 6, 1, 2, 7, 4):
        await seek(page, second * FPS)
    for border in (6, 3):
        for frame in (-2, -1, 0, 1):
            await seek(page, border * FPS + frame)
    await seek(page, 0)


async def test_one_file_in_a_video_element(site: PlaybackSite, page: Page) -> None:
    url = f"/api/cameras/cam0/playback.mp4?{ALL}"
    await page.evaluate("(url) => { document.querySelector('video').src = url; }", url)
    await until(lambda: ask(page, "video.readyState >= 3"), "the first picture")
    assert abs(await ask(page, "video.duration") - 9) < 0.05
    await seek_everywhere(page)
    await play_to_the_end(page)


async def test_hls_in_media_source_extensions(site: PlaybackSite, page: Page) -> None:
    ((begin, end),) = await page.evaluate(_FEED, f"/api/cameras/cam0/playback.m3u8?{ALL}")
    assert begin < 0.05
    assert abs(end - 9) < 0.05
    await seek_everywhere(page)
    await play_to_the_end(page)
