"""What runs ends with what it was opened with; and there are only so many streams."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from fakes.web_service import Site, http, read_clip
from support.waiting import PATIENCE_S, until
from support.web_people import SESSION, signed_in, told

from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Role
from livecam_nvr.web.open_streams import OpenStreams
from livecam_nvr.web.sockets import SIGNED_OUT

LIVE = "/api/cameras/cam0/live.mp4"
SOCKETS = ("/api/events", "/api/cameras/cam0/live.ws")
FILE = "cam0/261121/cam0_20261121_093000.mp4"
FILE_BYTES = 50_000_000_000  # sparse


@pytest.fixture
async def watched(guarded: Site, fragmented_clip: Path) -> AsyncIterator[Site]:
    """A site whose cam0 sends for as long as a test lasts."""
    hub = guarded.hubs["cam0"]
    for fragment in read_clip(fragmented_clip, hub.numbers):
        hub.publish(fragment)

    async def send() -> None:
        while True:
            newest = hub.ring[-1]
            later = replace(newest.tracks[0], time=newest.tracks[0].time + newest.tracks[0].duration)
            hub.publish(newest._replace(number=next(hub.numbers), tracks=(later,)))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(send(), name="cam0 sends")
    yield guarded
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def read_on(response: aiohttp.ClientResponse) -> int:
    """How many bytes come until the answer ends; that it is broken off is one way to end."""
    size = 0
    try:
        while some := await response.content.readany():
            size += len(some)
    except aiohttp.ClientError:
        pass
    finally:
        response.close()
    return size


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async for _ in socket:
        pass
    return socket.close_code


async def test_a_removed_token_ends_all_that_runs_on_it(watched: Site, program: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {watched.gate.open_token('ha', Role.WATCHER)}"}
    other = {"Authorization": f"Bearer {watched.gate.open_token('other', Role.WATCHER)}"}
    (watched.folder / FILE).parent.mkdir(parents=True)
    with (watched.folder / FILE).open("wb") as file:
        file.truncate(FILE_BYTES)
    sockets = [await program.ws_connect(path, headers=headers) for path in SOCKETS]
    answers = [await program.get(path, headers=headers) for path in (LIVE, f"/recordings/{FILE}")]
    for answer in answers:
        assert await answer.content.readany()
    going_on = await program.get(LIVE, headers=other)
    ended = [asyncio.create_task(close_code(socket)) for socket in sockets]
    await watched.gate.remove_token("ha", by="", client=None)  # type: ignore[arg-type]
    assert await asyncio.gather(*ended) == [SIGNED_OUT, SIGNED_OUT]
    for answer in answers:
        assert await read_on(answer) < FILE_BYTES / 2
    assert not going_on.content.at_eof()
    assert len(await going_on.content.readexactly(5000)) == 5000
    going_on.close()
    await until(lambda: watched.hubs["cam0"].viewers == 0)
    assert (await told(program.get("/api/status", headers=headers)))[0] == 401


async def test_signing_out_ends_that_session_only(watched: Site, program: aiohttp.ClientSession) -> None:
    here, there = signed_in(watched, "anna"), signed_in(watched, "anna")
    first, second = [await program.ws_connect(SOCKETS[0], headers=headers) for headers in (here, there)]
    assert (await told(program.delete(SESSION, headers=here)))[0] == 200
    assert await close_code(first) == SIGNED_OUT
    watched.home.change("cam0", frames=77)
    while (await second.receive_json(timeout=PATIENCE_S))["cameras"][0]["frames"] != 77:
        pass
    await second.close()


async def test_a_new_password_keeps_the_session_in_which_it_was_set(
    watched: Site, program: aiohttp.ClientSession
) -> None:
    here, there = signed_in(watched, "anna"), signed_in(watched, "anna")
    first, second = [await program.ws_connect(SOCKETS[0], headers=headers) for headers in (here, there)]
    old = watched.gate.people["anna"].password
    body = {"old": old, "new": "another one"}
    assert (await told(program.post(f"{SESSION}/password", json=body, headers=here)))[0] == 200
    assert await close_code(second) == SIGNED_OUT
    watched.home.change("cam0", frames=77)
    while (await first.receive_json(timeout=PATIENCE_S))["cameras"][0]["frames"] != 77:
        pass
    await first.close()


async def test_what_waits_for_a_camera_ends_too(guarded: Site, program: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {guarded.gate.open_token('ha', Role.WATCHER)}"}
    paths = ("live.mp4", "hls/index.m3u8", "stream.mjpeg")
    waiting = [
        asyncio.create_task(told(program.get(f"/api/cameras/cam0/{path}", headers=headers))) for path in paths
    ]
    streams = guarded.server._open
    await until(lambda: len(streams._streams) == len(paths))
    await guarded.gate.remove_token("ha", by="", client=None)  # type: ignore[arg-type]
    assert [status for status, _ in await asyncio.gather(*waiting)] == [401, 401, 401]
    assert not streams._viewers


async def test_there_are_only_so_many_streams(watched: Site) -> None:
    await watched.server.stop()
    watched.server = watched.server_of()
    watched.server._open = OpenStreams(most=5, most_each=3)
    await watched.server.start()
    anna, ben, vera = (signed_in(watched, name) for name in ("anna", "anna", "olga"))
    async with http(watched) as client:
        open_ones = [await client.ws_connect(SOCKETS[0], headers=headers) for headers in (anna, ben, anna)]
        status, error = await told(client.get(LIVE, headers=anna))
        assert (status, error["error"]["kind"]) == (429, "throttled")
        assert "3 streams open from here" in error["error"]["message"]
        assert (await told(client.get("/api/status", headers=anna)))[0] == 200
        open_ones += [await client.ws_connect(SOCKETS[0], headers=vera) for _ in range(2)]
        status, error = await told(client.get("/api/cameras/cam1/live.mp4", headers=vera))
        assert (status, "5 streams run already" in error["error"]["message"]) == (429, True)
        await open_ones.pop().close()
        await until(lambda: len(watched.server._open._streams) == 4)
        open_ones.append(await client.ws_connect(SOCKETS[0], headers=vera))
        for socket in open_ones:
            await socket.close()


async def test_nothing_begins_on_what_has_ended_meanwhile(watched: Site, program: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {watched.gate.open_token('ha', Role.WATCHER)}"}
    opened = watched.server._open
    held = opened.held

    def too_late(caller):  # type: ignore[no-untyped-def]
        # Between the look at the token and the begin of the stream.
        watched.bus.publish(AccessEnded(frozenset({caller.principal.credential})))
        return held(caller)

    opened.held = too_late  # type: ignore[method-assign]
    assert (await told(program.get(LIVE, headers=headers)))[0] == 401
    opened.held = held  # type: ignore[method-assign]
    # The name of a credential may come back later: what is asked for then is not concerned.
    answer = await program.get(LIVE, headers=headers)
    assert answer.status == 200
    answer.close()
