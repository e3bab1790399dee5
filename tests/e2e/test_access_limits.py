"""What somebody sees who may see one camera only, and what guessing passwords comes to."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from playwright.async_api import expect
from support.browser import chromium, shown_frame
from support.household import sign_in, visitor
from support.mqtt import listen
from support.reverse_proxy import reverse_proxy
from support.rtsp_talk import RtspTalk, basic
from support.service import Service
from support.viewers import audit, over_http, over_rtsp, plays, probed
from support.waiting import PATIENCE_S, until

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role

if TYPE_CHECKING:
    from support.broker import Broker

pytestmark = pytest.mark.browser

PASSWORD = "wide blue rooftop"
HERE = "127.0.0.1"
OF_CAM1 = (
    "snapshot.jpg",
    "live.mp4",
    "live.ws",
    "stream.mjpeg",
    "hls/index.m3u8",
    "quality",
    "ptz",
)
RECORDED = ("recordings", "segments", "coverage", "playback.mp4", "events", "thumbnail.jpg")


async def test_a_viewer_of_one_camera_finds_no_other_anywhere(
    make_service: Callable[..., Service], server: str
) -> None:
    service = make_service(server)
    with AccessStore(service.access) as store:
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
        store.add_user("ben", PASSWORD, Role.VIEWER, ["cam0"])
        token = store.add_token("door", Role.VIEWER, ["cam0"]).secret
        watcher = store.add_token("archive", Role.WATCHER, ["cam0"]).secret
    await service.start()
    await until(lambda: service.segments("cam0") and service.segments("cam1"))

    at = f"127.0.0.1:{service.ports['rtsp_port']}"
    ways = ("ben:wide%20blue%20rooftop", f"door:{token}", f"{token}:", f"x:{watcher}")
    await asyncio.gather(*(plays(f"rtsp://{way}@{at}/cam0") for way in ways))
    hidden = await asyncio.gather(*(probed(f"rtsp://{way}@{at}/cam1") for way in ways))
    nowhere = await asyncio.gather(*(probed(f"rtsp://{way}@{at}/cam9") for way in ways))
    in_words = re.compile(r" @ 0x\w+")
    assert [in_words.sub("", text).replace("cam1", "cam9") for text in hidden] == [
        in_words.sub("", text) for text in nowhere
    ]
    assert "h264" not in hidden

    for bearer, past in ((token, 403), (watcher, 404)):
        headers = {"Authorization": f"Bearer {bearer}"}
        async with aiohttp.ClientSession(service.url, headers=headers) as session:
            async with session.get("/api/status") as answer:
                text = await answer.text()
            assert [camera["id"] for camera in json.loads(text)["cameras"]] == ["cam0"]
            assert "cam1" not in text
            for camera, expected in (("cam1", 404), ("cam9", 404)):
                for path in OF_CAM1:
                    async with session.get(f"/api/cameras/{camera}/{path}") as answer:
                        assert answer.status == expected, path
                for path in RECORDED:
                    async with session.get(f"/api/cameras/{camera}/{path}") as answer:
                        assert answer.status == past, path
            for camera in ("cam0", "cam1"):
                (file, *_) = service.segments(camera)
                path = f"/recordings/{file.relative_to(service.recordings)}"
                async with session.get(path) as answer:
                    assert answer.status == (200 if (past, camera) == (404, "cam0") else past), path
            async with session.ws_connect("/api/events") as socket:
                assert "cam1" not in str((await socket.receive(PATIENCE_S)).data)

    if server == "mediamtx":
        return  # the page is the same
    async with chromium() as browser, visitor(browser) as page:
        await page.goto(service.url)
        await sign_in(page, "ben", PASSWORD)
        await expect(page).to_have_url(f"{service.url}/")

        async def shows() -> bool:
            return await shown_frame(page, 0) > 0

        await until(shows, "a picture of cam0")
        assert await page.locator("video").count() == 1
        assert "cam1" not in await page.content()
        await page.goto(f"{service.url}/past")
        assert "cam1" not in await page.content()


GUESSES = 60


async def guess_at_the_page(url: str, address: str, count: int) -> set[int]:
    """Wrong passwords from one address, many at once; the statuses that came back."""
    found: set[int] = set()
    headers = {"X-Forwarded-For": address}

    async def some(session: aiohttp.ClientSession, first: int) -> None:
        for number in range(first, count, 10):
            told = {"name": "anna", "password": f"guess number {number}"}
            async with session.post("/api/session", json=told, headers=headers) as answer:
                found.add(answer.status)

    async with aiohttp.ClientSession(url) as session:
        await asyncio.gather(*(some(session, first) for first in range(10)))
    return found


async def guess_over_rtsp(port: int, count: int) -> set[int]:
    """The same over RTSP, from this machine."""
    few = asyncio.Semaphore(50)

    async def one(number: int) -> int:
        async with few, RtspTalk(port) as talk:
            sent = basic("anna", f"guess number {number}")
            return (await talk.ask("DESCRIBE", "/cam0", Accept="application/sdp", Authorization=sent)).status

    return set(await asyncio.gather(*(one(number) for number in range(count))))


def memory_kb(service: Service) -> int:
    """What the service's own process has in memory."""
    assert service.process is not None
    told = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(next(line for line in told.splitlines() if line.startswith("VmRSS")).split()[1])


async def test_guessing_is_slow_and_told_and_keeps_nobody_else_out(
    make_service: Callable[..., Service], server: str, broker: "Broker", tmp_path: Path
) -> None:
    service = make_service(server, mqtt={"host": "127.0.0.1", "port": broker.port})
    service.config["listen"]["trusted_proxies"] = ["127.0.0.1"]
    with AccessStore(service.access) as store:
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
    await service.start()
    home, told = {"X-Forwarded-For": "192.168.1.7"}, {"name": "anna", "password": PASSWORD}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{service.url}/api/session", json=told, headers=home)
        async with answer:
            cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    answered = 0

    async def watch() -> None:
        nonlocal answered
        async with aiohttp.ClientSession(service.url, headers={**home, **cookie}) as session:
            while True:
                async with session.get("/api/status") as answer:
                    assert answer.status == 200
                answered += 1
                await asyncio.sleep(0.05)  # the client's own rhythm

    live = over_http(service, "/api/cameras/cam0/live.mp4", cookie)
    playing = over_rtsp(service.rtsp("cam0"), "tcp", tmp_path / "meanwhile.ts")
    async with listen(broker.port) as heard, live as viewer, playing as player:
        await viewer.until_watching()
        await player.until_watching()
        before_kb = memory_kb(service)
        watching = asyncio.create_task(watch())
        await until(lambda: answered, "the first answer")
        answered = 0
        page, rtsp = await asyncio.gather(
            guess_at_the_page(service.url, "203.0.113.5", GUESSES),
            guess_over_rtsp(service.ports["rtsp_port"], GUESSES // 3),
        )
        assert answered >= 3, "the service answers meanwhile"
        assert page == {401, 429}
        assert 200 not in rtsp
        # The person: known at home, a stranger on the way, and behind a proxy of their own.
        async with reverse_proxy(service.url) as proxy, aiohttp.ClientSession() as session:
            for address in ("192.168.1.7", "198.51.100.20"):
                headers = {"X-Forwarded-For": address, "Origin": proxy.origin}
                async with session.post(f"{proxy.url}/api/session", json=told, headers=headers) as answer:
                    signed_in = answer.status, address
                    if address == "192.168.1.7":
                        assert signed_in == (200, address)
                    else:
                        assert answer.status in (200, 429)
                        assert int(answer.headers.get("Retry-After", 0)) <= 10
        assert not watching.done(), watching.exception()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        print(f"{answered} answers, {memory_kb(service) - before_kb} kB more")
        assert memory_kb(service) - before_kb < 60_000
        assert (viewer.ended_s, player.ended_s) == (None, None)
        await until(lambda: [p for _, p in heard.seen if b"break_in" in p and b"203.0.113.5" in p], "the event")
    numbers = player.frames()
    assert numbers == sorted(set(numbers))
    if not service.was_late("cam0"):
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    entries = await audit(service)
    refused = [entry for entry in entries if entry["deed"] == "refused"]
    assert {entry["who"] for entry in refused} == {"anna"}
    sources = {(entry["address"], entry["door"]) for entry in refused}
    # The stranger may have been told to wait, as they can be anybody.
    assert sources - {("198.51.100.20", "page")} == {("203.0.113.5", "page"), (HERE, "rtsp")}
    assert len(refused) <= 9, "the same again counts up the line that is there"
    assert sum(entry["times"] for entry in refused) > GUESSES / 2
    assert "guess number" not in json.dumps(entries) + service.read_log()
