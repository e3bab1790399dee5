"""Debian's own Chromium, driven by Playwright, and the frame number read from what it shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright, expect
from support.waiting import PATIENCE_S

from livecam_nvr.media.sources import BARCODE_BITS, BARCODE_CELL

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = PATIENCE_S * 1000
_QUIET = ["background-networking", "component-update", "sync", "gpu", "quic"]

expect.set_options(timeout=PATIENCE_MS)  # its own 5 s say more about the machine than about a page

# Reads the squares at the bottom of the picture (media/sources.py), whatever size the video has.
_READ = """
([index, bits, cell]) => {
  const video = document.querySelectorAll("video")[index];
  if (!video || video.readyState < 2 || !video.videoWidth) return -1;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < bits; bit++) {
    const pixel = context.getImageData((bit + 0.5) * cell, video.videoHeight - cell / 2, 1, 1).data;
    if (pixel[1] > 127) number += 2 ** bit;
  }
  return number;
}
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium that talks to nobody but us."""
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in _QUIET)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


def frame_shown_by(index: int) -> str:
    """JavaScript for the number of the frame that a page's video number `index` shows; -1 if it shows none."""
    return f"({_READ.strip()})([{index}, {BARCODE_BITS}, {BARCODE_CELL}])"


async def shown_frame(page: Page, index: int) -> int:
    """The number of the frame that the page's video number `index` shows; -1 if it shows none."""
    return int(await page.evaluate(frame_shown_by(index)))
