"""The live page in a real browser, as Home Assistant shows it: in a frame, in a folder, by https."""

import ssl
from pathlib import Path

import pytest
from fakes.web_service import Site
from playwright.async_api import Frame, async_playwright
from support.browser import CHROMIUM, PATIENCE_MS
from support.reverse_proxy import reverse_proxy
from support.waiting import until
from support.web_certificate import make_certificate

from livecam_nvr.config.models import ListenConfig
from livecam_nvr.web.server import WebServer

pytestmark = pytest.mark.browser

PLAYING = (
    "[...document.querySelectorAll('.tile video')].filter(v => v.readyState >= 3 && v.currentTime > 0).length"
)
WAYS = "[...document.querySelectorAll('.tile .way')].map(s => s.hidden ? '' : s.textContent)"


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium")
async def test_both_cameras_play_in_a_frame_of_home_assistant(tmp_path: Path) -> None:
    tls = make_certificate(tmp_path)
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    assert tls.certificate is not None
    certificate.load_cert_chain(tls.certificate, tls.private_key)
    site = Site(tmp_path, ["cam0", "cam1"])
    listen = ListenConfig(http_port=site.port, trusted_proxies=("127.0.0.1",))
    site.server = WebServer(listen, site.ports, access=site.access)
    await site.server.start()
    complaints: list[str] = []
    try:
        for camera_id in ("cam0", "cam1"):
            await site.live(camera_id)
        async with reverse_proxy(site.url, certificate=certificate) as proxy, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
            )
            context = await browser.new_context(ignore_https_errors=True)
            context.set_default_timeout(PATIENCE_MS)
            page = await context.new_page()
            page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(f"{proxy.origin}/")

            def ours() -> Frame | None:
                return next((frame for frame in page.frames if frame.url.startswith(proxy.url)), None)

            await until(ours, "the frame")
            frame = ours()
            assert frame is not None

            async def plays() -> bool:
                return bool(await frame.evaluate(PLAYING) == 2)

            try:
                await until(plays, "two videos")
            except AssertionError:
                raise AssertionError(complaints) from None

            async def told() -> bool:
                return bool(await frame.evaluate(WAYS) == ["MSE", "MSE"])

            await until(told, "both by MSE")
            await browser.close()
    finally:
        await site.close()
    assert complaints == []
