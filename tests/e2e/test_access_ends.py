"""Whoever's access ends is sent away within seconds, at every door, and nobody else notices."""

import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import expect
from support import clips
from support.browser import chromium, shown_frame
from support.household import sign_in, visitor
from support.rtsp_talk import basic
from support.service import Service
from support.viewers import Player, Viewer, audit, command, over_http, over_rtsp, over_web_socket, probed
from support.waiting import until

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role

pytestmark = pytest.mark.browser

SOON_S = 5.0
LIVE, SOCKET, STATUS = "/api/cameras/cam0/live.mp4", "/api/cameras/cam0/live.ws", "/api/events"
PASSWORDS = {"anna": "wide blue rooftop", "ben": "four cold rivers", "carl": "no more lemons"}


class House:
    """A service with users and tokens, and who watches it."""

    def __init__(self, service: Service, folder: Path, stack: AsyncExitStack) -> None:
        self.service = service
        self.tokens: dict[str, str] = {}
        self._folder = folder
        self._stack = stack

    async def plays(self, who: str, transport: str = "tcp") -> Player:
        """A player over RTSP, by a user's password or a token."""
        port, secret = self.service.ports["rtsp_port"], self.tokens.get(who) or PASSWORDS[who]
        file = self._folder / f"{who}-{transport}.ts"
        url = f"rtsp://{who}:{secret.replace(' ', '%20')}@127.0.0.1:{port}/cam0"
        return await self._stack.enter_async_context(over_rtsp(url, transport, file))

    async def reads(self, who: str, path: str) -> Viewer:
        """Somebody over HTTP or WebSocket, by password, token or session."""
        headers = self.headers(who)
        how = over_http if path == LIVE else over_web_socket
        return await self._stack.enter_async_context(how(self.service, path, headers))

    def headers(self, who: str) -> dict[str, str]:
        """What they come with."""
        if who in self.tokens:
            return {"Authorization": f"Bearer {self.tokens[who]}"}
        if who in PASSWORDS:
            return {"Authorization": basic(who, PASSWORDS[who])}
        return {"Cookie": who}

    async def knows(self, who: str) -> bool:
        """Whether they are let in."""
        async with aiohttp.ClientSession(self.service.url, headers=self.headers(who)) as client:
            async with client.get("/api/status") as answer:
                return answer.status == 200

    async def session(self, who: str) -> str:
        """A new session's cookie."""
        told = {"name": who, "password": PASSWORDS[who]}
        async with aiohttp.ClientSession() as client:
            async with client.post(f"{self.service.url}/api/session", json=told) as answer:
                assert answer.status == 200
                return answer.headers["Set-Cookie"].partition(";")[0]


async def gone(viewers: list[Viewer], began_s: float) -> float:
    """How long it took until the last of them was over."""
    await until(lambda: all(one.ended_s for one in viewers), SOON_S + 5, "the end")
    took_s = max(one.ended_s or 0 for one in viewers) - began_s
    print(f"{took_s:.2f} s: {[one.name for one in viewers]}")
    return took_s


async def test_what_runs_on_an_access_ends_with_it_and_nothing_else_does(
    make_service: Callable[..., Service], server: str, tmp_path: Path
) -> None:
    service = make_service(server)
    await service.start()
    first = f"rtsp://anna:wide%20blue%20rooftop@127.0.0.1:{service.ports['rtsp_port']}/cam0"
    assert "401 Unauthorized" in await probed(first), "there is no user yet"
    async with AsyncExitStack() as stack, chromium() as browser, visitor(browser) as page:
        house = House(service, tmp_path, stack)
        with AccessStore(service.access) as store:
            for name, password in PASSWORDS.items():
                store.add_user(name, password, Role.ADMIN if name == "anna" else Role.VIEWER, None)
            for name in ("keeper", "frigate"):
                house.tokens[name] = store.add_token(name, Role.VIEWER, None).secret
        await until(lambda: house.knows("frigate"), 10, "the service has seen all that")
        stay: list[Viewer] = [await house.plays("keeper"), await house.plays("keeper", "udp")]
        stay += [await house.reads("keeper", LIVE), await house.reads("keeper", SOCKET)]
        annas: list[Viewer] = [await house.plays("anna"), await house.plays("anna", "udp")]
        annas += [await house.reads("anna", LIVE), await house.reads("anna", SOCKET)]
        frigates: list[Viewer] = [await house.plays("frigate"), await house.reads("frigate", LIVE)]
        bens: list[Viewer] = [await house.plays("ben", "udp"), await house.reads("ben", SOCKET)]
        here, there = await house.session("carl"), await house.session("carl")
        signed_out, stays = await house.reads(here, LIVE), await house.reads(there, LIVE)
        carls = await house.plays("carl")
        stay += [stays, carls]
        await page.goto(service.url)
        await sign_in(page, "anna", PASSWORDS["anna"])
        await expect(page).to_have_url(f"{service.url}/")

        async def shows() -> bool:
            return await shown_frame(page, 0) > 0

        await until(shows, 20, "a picture")
        for viewer in (*stay, *annas, *frigates, *bens, signed_out):
            await viewer.until_watching()

        # A new password, by another process.
        await command(service, "user", "passwd", "anna", "--password-file", "-", said="another wide rooftop")
        began_s = time.monotonic()
        await expect(page).to_have_url(f"{service.url}/signin", timeout=SOON_S * 1000)
        assert await gone(annas, began_s) < SOON_S
        assert "4401" in [viewer.how for viewer in annas]
        assert "401 Unauthorized" in await probed(first)
        # A token and a user are removed, a session ends, and a token's time.
        assert not [viewer for viewer in (*frigates, *bens, *stay, signed_out) if viewer.ended_s]
        await command(service, "token", "remove", "frigate")
        began_s = time.monotonic()
        assert await gone(frigates, began_s) < SOON_S
        await command(service, "user", "remove", "ben")
        began_s = time.monotonic()
        assert await gone(bens, began_s) < SOON_S
        async with aiohttp.ClientSession() as client:
            async with client.delete(f"{service.url}/api/session", headers={"Cookie": here}) as answer:
                assert answer.status == 200
        assert await gone([signed_out], time.monotonic()) < SOON_S
        with AccessStore(service.access) as store:
            expires_ns = time.time_ns() + 6_000_000_000
            house.tokens["guest"] = store.add_token("guest", Role.VIEWER, None, expires_ns).secret
        await until(lambda: house.knows("guest"), 5, "the service has seen the guest")
        guests: list[Viewer] = [await house.plays("guest"), await house.reads("guest", STATUS)]
        await guests[0].until_watching()
        await gone(guests, time.monotonic())
        over_s = max(one.ended_s or 0 for one in guests) - time.monotonic() + time.time() - expires_ns / 1e9
        assert 0 <= over_s < SOON_S

        assert not [(viewer.name, viewer.how) for viewer in stay if viewer.ended_s]
        assert [who for who in ("keeper", "frigate", "guest", "anna") if await house.knows(who)] == ["keeper"]
    for player in stay:
        if isinstance(player, Player):
            numbers = player.frames()
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), player.name
            assert len(numbers) > 100
    assert (await service.camera("cam0"))["restarts"] == 0
    assert await service.stop() == 0
    numbers = [number for path in service.segments("cam0") for number in clips.frame_numbers(path)]
    assert numbers == list(range(len(numbers)))
    told = [(entry["deed"], entry["target"]) for entry in await audit(service, "--limit", "500")]
    for deed in (("password", "anna"), ("token", "frigate"), ("user", "ben")):
        assert deed in told
    assert ("sign_out", "") in told
    assert json.dumps(told).count("lnv_") == 0
