"""All is encrypted, with the certificate that `livecam-nvr tls init` makes; and all works behind an ingress."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Frame, Page, expect
from support.browser import chromium, shown_frame
from support.household import sign_in, visitor
from support.ports import free_port
from support.reverse_proxy import reverse_proxy
from support.service import Service
from support.viewers import command, plays, probed
from support.waiting import until
from support.web_certificate import make_certificate

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role

pytestmark = pytest.mark.browser

PASSWORD = "wide blue rooftop"
# An address of this machine that is not the one where it serves itself.
NETWORK = "127.0.0.2"
FILES = {"certificate": "certificate.pem", "private_key": "private-key.pem"}


async def accepts(address: str, port: int) -> bool:
    """Whether anybody listens there."""
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(address, port)
        writer.close()
        return True
    return False


async def sees(show: Callable[[], object], what: str) -> None:
    """Waits for a picture."""

    async def seen() -> bool:
        return bool(await show() > 0)  # type: ignore[misc, operator]

    await until(seen, what)


async def test_nothing_crosses_the_network_unencrypted(
    make_service: Callable[..., Service], server: str, tmp_path: Path
) -> None:
    service = make_service(server)
    config = service.folder / "config.yaml"
    listen = service.config["listen"]
    listen |= {"address": "0.0.0.0", "rtsps_port": free_port()}
    config.write_text(json.dumps(service.config))
    told = await command(service, "tls", "init", "--name", NETWORK)
    assert "certificate:" in told
    made = {key: str(service.folder / "data" / "tls" / name) for key, name in FILES.items()}
    assert all(path in told for path in made.values())
    service.config["tls"] = {**made, "only": True}
    with AccessStore(service.access) as store:
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
    await service.start(wait=False)
    await until(lambda: "listening" in service.read_log())
    page_url = f"https://{NETWORK}:{listen['http_port']}"
    trusted = ssl.create_default_context(cafile=made["certificate"])

    async def all_live() -> bool:
        url = f"{page_url}/api/status"
        async with (
            aiohttp.ClientSession(headers=service.bearer) as session,
            session.get(url, ssl=trusted) as answer,
        ):
            return all(camera["state"] == "LIVE" for camera in (await answer.json())["cameras"])

    await until(all_live)
    async with aiohttp.ClientSession() as session:
        url = f"http://{NETWORK}:{listen['http_port']}/past?x=1"
        async with session.get(url, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (308, f"{page_url}/past?x=1")
        async with session.post(f"http://{NETWORK}:{listen['http_port']}/api/session", json={}) as answer:
            assert answer.status == 400

    anna = "anna:wide%20blue%20rooftop"
    secure = f"rtsps://{anna}@{NETWORK}:{listen['rtsps_port']}/cam0"
    verified = ("-tls_verify", "1", "-ca_file", made["certificate"], "-rtsp_transport", "tcp")
    await plays(secure, *verified)
    assert "401" in await probed(secure.replace("wide", "narrow"), "-rtsp_transport", "tcp")
    assert not await accepts(NETWORK, listen["rtsp_port"])
    await plays(f"rtsp://{anna}@127.0.0.1:{listen['rtsp_port']}/cam0")
    if server == "mediamtx":
        await webrtc_and_hls(f"https://{NETWORK}", listen, trusted, service)
        return  # the page is the same
    async with chromium() as browser, visitor(browser, ignore_https_errors=True) as page:
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        await page.goto(f"{page_url}/")
        await sign_in(page, "anna", PASSWORD)
        await expect(page).to_have_url(f"{page_url}/")
        await sees(lambda: shown_frame(page, 1), "a picture over wss")
        assert sockets
        assert all(url.startswith("wss://") for url in sockets)
        (cookie,) = await page.context.cookies()
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")


async def webrtc_and_hls(host: str, listen: dict[str, int], trusted: ssl.SSLContext, service: Service) -> None:
    """MediaMTX's own doors: encrypted, and closed to strangers."""
    for port, path in (("hls_port", "/cam0/index.m3u8"), ("webrtc_port", "/cam0/whep")):
        url = f"{host}:{listen[port]}{path}"
        expected = {"hls_port": (401, 200), "webrtc_port": (401, 204)}[port]
        method = "GET" if port == "hls_port" else "OPTIONS"
        found = []
        async with aiohttp.ClientSession() as session:
            for headers in ({}, service.bearer):
                async with session.request(method, url, headers=headers, ssl=trusted) as answer:
                    found.append(answer.status)
        assert (port, *found) == (port, *expected)


async def test_within_home_assistant_everything_works_in_its_frame(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    service = make_service()
    service.config["listen"]["trusted_proxies"] = ["127.0.0.1"]
    with AccessStore(service.access) as store:
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
    await service.start()
    tls = make_certificate(tmp_path)
    assert tls.certificate is not None
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.load_cert_chain(tls.certificate, tls.private_key)
    async with (
        reverse_proxy(service.url, certificate=certificate) as proxy,
        chromium() as browser,
        visitor(browser, ignore_https_errors=True) as page,
    ):
        await page.goto(f"{proxy.origin}/")
        frame = await framed(page, proxy.url)
        await frame.wait_for_url(f"{proxy.url}/signin")
        inside = page.frame_locator("iframe")
        await inside.get_by_label("Name").fill("anna")
        await inside.get_by_label("Password", exact=True).fill(PASSWORD)
        await inside.get_by_role("button", name="Sign in").click()
        await frame.wait_for_url(f"{proxy.url}/")
        plays = (
            "[...document.querySelectorAll('video')].filter(v => v.readyState >= 3 && v.currentTime > 0).length"
        )

        async def playing(count: int) -> bool:
            return int(await frame.evaluate(plays)) >= count

        await until(lambda: playing(2), "both cameras live in the frame")
        (cookie,) = await page.context.cookies()
        assert (cookie["path"].rstrip("/"), cookie["secure"]) == (proxy.base, True)

        async def recorded() -> list[dict[str, float]]:
            found = json.loads(await service.get("/api/cameras/cam0/segments"))["segments"]
            return [file for file in found if file["duration_s"] > 2]

        (first, *_) = await until(recorded, "a finished recording")  # type: ignore[misc]
        await inside.get_by_role("link", name="Recordings").click()
        await frame.wait_for_url(f"{proxy.url}/past**")
        await inside.get_by_role("button", name="10 min").click()
        await inside.get_by_role("button", name="Now").click()
        lanes, lane = inside.locator("#lanes"), inside.locator('.lane[data-camera="cam0"] canvas')
        begin, end = [float(await lanes.get_attribute(f"data-{edge}") or 0) for edge in ("begin", "end")]
        box = await lane.bounding_box()
        assert box is not None
        place = (first["start_utc_s"] + 1 - begin) / (end - begin) * box["width"]
        await lane.click(position={"x": place, "y": box["height"] / 2})
        await until(lambda: playing(1), "a recording plays in the frame")
        # A stranger's site cannot show it in a frame, and nobody is signed in there who came another way.
        async with aiohttp.ClientSession() as session, session.get(service.url) as answer:
            assert answer.headers["X-Frame-Options"] == "DENY"


async def framed(page: Page, url: str) -> Frame:
    """The frame in which the service is shown."""

    def found() -> Frame | None:
        return next((frame for frame in page.frames if frame.url.startswith(url)), None)

    await until(found, "the frame")
    frame = found()
    assert frame is not None
    return frame
