"""What strangers are told, and how much they can have written down."""

import asyncio
import json
import logging

import aiohttp
import pytest
from fakes.web_service import Site
from support.waiting import PATIENCE_S

from livecam_nvr.domain.access import Role


async def hint_for(site: Site, request: bytes) -> str:
    """What the answer to bytes that are no request says of them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    assert head.split()[1] == b"400"
    return str(json.loads(body)["error"]["hint"])


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    ],
    ids=["address", "header"],
)
async def test_what_is_too_long_is_called_so_and_not_repeated(site: Site, request_: bytes) -> None:
    assert await hint_for(site, request_) == "a line of it is longer than 8190 bytes"


async def test_who_asks_for_a_thousand_paths_does_not_fill_the_log(
    program: aiohttp.ClientSession, guarded: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        for path in (f"/wp-{number}.php", f"/recordings/{number}.mp4"):
            async with program.get(path) as response:
                assert response.status in {401, 404}
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line.partition(" from ")[0] for line in told] == ["GET /wp-0.php", "GET /recordings/0.mp4"]


async def test_who_is_let_in_sees_in_the_log_what_goes_wrong(
    program: aiohttp.ClientSession, guarded: Site, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Authorization": f"Bearer {guarded.gate.open_token('machine', Role.WATCHER)}"}
    paths = [f"/recordings/cam0/{number}.mp4" for number in range(5)]
    for path in paths:
        async with program.get(path, headers=headers) as response:
            assert response.status == 404
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line.split()[1] for line in told] == paths
