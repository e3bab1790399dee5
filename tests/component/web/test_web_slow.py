"""Clients that are slow, greedy, or asleep: what they hold is given back, and others do not notice."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fakes.web_edge import Edge, edge
from support.waiting import PATIENCE_S, until

from livecam_nvr.web.limits import Limits

QUICK = Limits(head_s=0.8, body_s=0.8, taking_s=2.0, idle_s=2.0, most=60, most_each=40, look_every_s=0.2)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Edge]:
    """A server whose limits are short."""
    file = tmp_path / "long.mp4"
    with file.open("wb") as long:
        long.truncate(300_000_000)
    async with edge(limits=QUICK, file=file) as place:
        yield place


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def lives(place: Edge) -> None:
    async def answers() -> bool:
        # On a busy machine even the limits of this test may be too short for an honest client, once.
        try:
            async with aiohttp.ClientSession() as client, client.get(f"{place.url}/seen") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    await until(answers, "an answer to an honest client")


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Sends byte by byte, until the other end has had enough."""
    try:
        for at in range(len(data)):
            writer.write(data[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0.1)
    except ConnectionError:
        pass


async def test_a_connection_that_never_speaks_is_closed_without_a_word(place: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    assert await ended(reader) == b""
    writer.close()
    await lives(place)


@pytest.mark.parametrize("first", [b"", b"GET /seen HTTP/1.1\r\nHost: localhost\r\n\r\n"])
async def test_a_head_that_drips_is_cut_off(place: Edge, first: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    if first:
        writer.write(first)
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
    dripping = asyncio.create_task(drip(writer, b"GET /seen HTTP/1.1\r\nX-Long: " + 100 * b"x"))
    await ended(reader)
    await dripping
    writer.close()
    assert "sent no whole request" in caplog.text
    await lives(place)


async def test_half_a_head_is_told_that_it_took_too_long(place: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(b"GET /seen HTTP/1.1\r\nX-Long:")
    answer = await ended(reader)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"Connection: close\r\n" in answer
    writer.close()


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
        b"GET /quiet HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
    ],
)
async def test_a_body_that_drips_is_cut_off(
    place: Edge, request_head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(request_head)
    dripping = asyncio.create_task(drip(writer, 100 * b"x"))
    await ended(reader)
    await dripping
    writer.close()
    assert "did not send the body" in caplog.text
    assert not [record for record in caplog.records if record.exc_info]
    await lives(place)


@pytest.mark.parametrize("path", ["flood", "file"])
async def test_a_viewer_that_takes_nothing_is_ended(
    place: Edge, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
    writer.write(b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
    await reader.readexactly(100)
    await until(lambda: "took nothing" in caplog.text, "the end of it")
    writer.close()
    assert not [record for record in caplog.records if record.exc_info]
    await lives(place)


async def test_a_viewer_that_is_slow_but_takes_something_may_stay(place: Edge) -> None:
    loop = asyncio.get_running_loop()

    async def stayed() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
        writer.write(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
        began_s = taken_s = loop.time()
        try:
            while loop.time() < began_s + 2 * QUICK.taking_s:
                # Seldom, and more than the windows of TCP hold, so that the other end sees it.
                await reader.readexactly(3_000_000)
                taken_s = loop.time()
                await asyncio.sleep(0.5)
        except (asyncio.IncompleteReadError, ConnectionError):
            # On a busy machine, something may not have been taken for so long after all.
            assert loop.time() - taken_s > QUICK.taking_s / 2
            return False
        finally:
            writer.close()
        return True

    await until(stayed, "a while in which something was always taken in time")


async def test_streams_and_web_sockets_without_news_stay(place: Edge) -> None:
    async with aiohttp.ClientSession(place.url) as client, client.ws_connect("/socket") as socket:
        quiet = await client.get("/quiet")
        assert await quiet.content.read(1) == b"x"
        for _ in range(4):
            await asyncio.sleep(1)
            assert not quiet.content.at_eof()
        await socket.send_str("still here")
        assert (await socket.receive(PATIENCE_S)).data == "still here"
        quiet.close()


async def test_an_idle_connection_is_closed_after_a_while(place: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(b"GET /seen HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await ended(reader)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_so_many_connections_and_no_more(place: Edge, caplog: pytest.LogCaptureFixture) -> None:
    idle = []
    for _ in range(QUICK.most_each):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"GET /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        idle.append((reader, writer))
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        assert (await ended(reader)).startswith(b"HTTP/1.1 503 ")
        writer.close()
    assert caplog.text.count("too many connections") == 1
    # Another address is another client.
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, local_addr=("127.0.0.2", 0))
    writer.write(b"GET /seen HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await ended(reader)).startswith(b"HTTP/1.1 200")
    for _, one in (*idle, (reader, writer)):
        one.close()
    await lives(place)


async def test_a_trusted_proxy_speaks_for_many() -> None:
    limits = Limits(most=20, most_each=3)
    async with edge(limits=limits, trusted=("127.0.0.1",)) as place:
        held = []
        for _ in range(limits.most):
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            held.append(writer)
            writer.write(b"GET /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        assert (await ended(reader)).startswith(b"HTTP/1.1 503 ")
        for one in (*held, writer):
            one.close()
