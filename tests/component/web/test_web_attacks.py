"""What no honest client sends, byte for byte: it is refused in the right way, and the next request is answered."""

import asyncio
import gzip
import logging
import re
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fakes.web_service import Site, running
from support.waiting import PATIENCE_S, until

HOST = b"Host: localhost\r\n"
END = b"Connection: close\r\n\r\n"
SWITCH = b"POST /api/cameras/cam0/recording HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
ON = b'{"on": true}'
SECRET = b"nobody may read this"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Its archive has a recording, and links that lead out of it."""
    outside, archive = tmp_path / "outside", tmp_path / "archive"
    (outside / "cam0").mkdir(parents=True)
    (archive / "cam0").mkdir(parents=True)
    (archive / ".livecam-nvr").mkdir()
    (outside / "secret.mp4").write_bytes(SECRET)
    (outside / "cam0" / "secret.mp4").write_bytes(SECRET)
    (archive / ".livecam-nvr" / "secret.mp4").write_bytes(SECRET)
    (archive / "cam0" / "good.mp4").write_bytes(b"footage")
    (archive / "cam0" / "link.mp4").symlink_to(outside / "secret.mp4")
    (archive / "cam0" / "folder").symlink_to(outside / "cam0")
    (archive / "linked").symlink_to(outside / "cam0")
    async with running(archive) as site:
        yield site


async def raw(site: Site, request: bytes, *, then_eof: bool = False) -> bytes:
    """Sends bytes as they are; what comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    received = b""
    try:
        writer.write(request)
        if then_eof:
            writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            while chunk := await reader.read(1 << 16):
                received += chunk
    except ConnectionResetError:
        pass  # it was not even read to the end
    finally:
        writer.close()
    return received


def statuses(answers: bytes) -> list[int]:
    """Of all answers that came on one connection."""
    return [int(status) for status in re.findall(rb"HTTP/\d\.\d (\d{3}) ", answers)]


async def lives(site: Site) -> None:
    answer = await raw(site, b"GET /healthz HTTP/1.1\r\n" + HOST + END)
    assert statuses(answer) == [200]
    assert answer.endswith(b'{"ok": true}')


@pytest.fixture(autouse=True)
async def unharmed(site: Site, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """After every attack the service answers, has switched nothing, and had no failure of its own."""
    yield
    await lives(site)
    assert site.home.asked == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]


UP = [
    "..",
    "%2e%2e",
    "%2E.",
    "%252e%252e",
    "%25252e%25252e",
    "..%00",
    "..;",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%uff0e%uff0e",
    "....",
    ".",
    "",
]
SLASH = ["/", "%2f", "%5c", "\\", "%252f", "%c0%af", "//"]


@pytest.mark.parametrize("slash", SLASH)
@pytest.mark.parametrize("up", UP)
async def test_no_path_leads_out(site: Site, up: str, slash: str) -> None:
    step = up + slash
    for path in (
        f"/static/{step}pages.py",
        f"/static/{3 * step}etc/passwd",
        f"/static/js/{step}{step}pages.py",
        f"/recordings/{step}outside/secret.mp4",
        f"/recordings/cam0/{2 * step}outside/secret.mp4",
        f"/recordings/{step}.livecam-nvr/secret.mp4",
        f"/api/cameras/{step}cam0/snapshot.jpg",
        f"/api/exports/{step}secret/file",
    ):
        answer = await raw(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert statuses(answer) in ([400], [404]), path
        assert SECRET not in answer
        assert b"import" not in answer
        assert b"root:" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/recordings//etc/passwd",
        "/recordings/%2fetc%2fpasswd",
        "/recordings/cam0/link.mp4",
        "/recordings/cam0/folder/secret.mp4",
        "/recordings/linked/secret.mp4",
        "/recordings/.livecam-nvr/secret.mp4",
        "/recordings/cam0/good.mp4/",
        "/recordings/cam0/good.mp4%00",
        "/recordings/cam0/good.mp4%00.mp4",
        "/recordings/cam0/good.mp4%0a",
        "/recordings/cam0/" + 3000 * "a" + ".mp4",
        "/recordings/" + 1000 * "a/" + "x.mp4",
        "/recordings/",
        "/recordings",
        "/recordings/cam0",
        "/recordings/cam0/",
        "/static/" + 3000 * "a",
        "/static/" + 1000 * "a/",
        "/static/%00",
        "/static/app.css%00",
        "/static/app.css/x",
        "/static//etc/passwd",
    ],
)
async def test_nor_does_any_of_these(site: Site, path: str) -> None:
    answer = await raw(site, b"GET %b HTTP/1.1\r\n" % path.encode() + HOST + END)
    assert statuses(answer) in ([400], [404])
    assert SECRET not in answer


@pytest.mark.parametrize("path", ["/static", "/static/", "/static/js", "/static/js/", "/static/app.css/.."])
async def test_no_folder_is_listed(site: Site, path: str) -> None:
    answer = await raw(site, b"GET %b HTTP/1.1\r\n" % path.encode() + HOST + END)
    assert statuses(answer) in ([403], [404])
    assert b"app" not in answer.split(b"\r\n\r\n")[1]


async def test_the_good_one_can_be_had(site: Site) -> None:
    answer = await raw(site, b"GET /recordings/cam0/good.mp4 HTTP/1.1\r\n" + HOST + END)
    assert statuses(answer) == [200]
    assert answer.endswith(b"footage")


LENGTH = b"Content-Length: %d\r\n" % len(ON)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"POST /api/cameras/cam1/recording HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    "head",
    [
        LENGTH + CHUNKED,
        CHUNKED + LENGTH,
        CHUNKED + b"Content-Length: 0\r\n",
        LENGTH + b"Content-Length: 0\r\n",
        b"Content-Length: %d, 0\r\n" % len(ON),
        b"Content-Length: +%d\r\n" % len(ON),
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x0c\r\n",
        b"Content-Length: 1_2\r\n",
        b"Content-Length: %d \t x\r\n" % len(ON),
        b"Content-Length: 99999999999999999999999999\r\n",
        b"Content-Length: \xd9\xa1\r\n",
        b"Content-Length : 12\r\n",
        b"Content-Length\t: 12\r\n",
        b" Content-Length: 12\r\n",
        b"Content-Length\x00: 12\r\n",
        b"Content-\rLength: 12\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n" + LENGTH,
        b"Transfer-Encoding: chunked, identity\r\n" + LENGTH,
        b"Transfer-Encoding: identity, chunked\r\n" + LENGTH,
        b"Transfer-Encoding: \x0bchunked\r\n" + LENGTH,
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" + LENGTH,
        b"X: folded\r\n and on\r\n" + LENGTH + CHUNKED,
        b"X: a\x00b\r\n" + LENGTH,
        b"X: a\rb\r\n" + LENGTH,
        b"X(: a\r\n" + LENGTH,
        b": nameless\r\n" + LENGTH,
        b"no colon at all\r\n" + LENGTH,
        b"Host: evil.example\r\n" + LENGTH,
    ],
)
async def test_no_request_hides_in_another(site: Site, head: bytes) -> None:
    answer = await raw(site, SWITCH + head + b"\r\n" + ON + SMUGGLED + LENGTH + b"\r\n" + ON)
    assert statuses(answer) == [400]


async def test_bare_line_feeds(site: Site) -> None:
    # RFC 9112, section 2.2, lets a server take one for a line's end. Taken or not, it must not be half of each.
    answer = await raw(site, b"GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n", then_eof=True)
    assert statuses(answer) in ([], [200], [400])
    head = b"X: y\nTransfer-Encoding: chunked\r\n" + LENGTH + b"\r\n"
    assert statuses(await raw(site, SWITCH + head + ON)) == [400]


@pytest.mark.parametrize(
    "chunks",
    [
        b"fffffffffffffffff\r\nx",
        b"100000000000000000000000000\r\nx",
        b"-1\r\nx",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5 ;\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"5;" + 20_000 * b"e" + b"\r\nhello\r\n0\r\n\r\n",
        b"zz\r\n",
    ],
)
async def test_chunks_that_are_none(site: Site, chunks: bytes) -> None:
    assert statuses(await raw(site, SWITCH + CHUNKED + END + chunks)) in ([400], [413])


async def test_a_body_that_is_too_large_is_not_read(site: Site) -> None:
    for body in (
        b"Content-Length: 1000000000\r\n" + END + 10_000 * b" ",
        CHUNKED + END + 100 * (b"400\r\n" + 1024 * b" " + b"\r\n") + b"0\r\n\r\n",
    ):
        assert statuses(await raw(site, SWITCH + body)) == [413]


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip"])
async def test_a_bomb_is_not_unpacked(site: Site, encoding: bytes) -> None:
    bomb = gzip.compress(bytes(3_000_000))
    assert len(bomb) < 4096
    head = SWITCH + b"Content-Encoding: %b\r\nContent-Length: %d\r\n" % (encoding, len(bomb)) + END
    assert statuses(await raw(site, head + bomb)) == [400]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/api/status", 200),
        (b"http://localhost/api/status", 200),
        (b"http://evil.example/api/status", 200),
        (b"//evil.example/api/status", 404),
        (b"/api//status", 404),
        (b"/api/./status", 404),
        (b"/api/status/", 404),
        (b"/API/STATUS", 404),
        (b"/api/status%20", 404),
        (b"/api/status;x=1", 404),
        (b"*", 400),
        (b"api/status", 400),
        (b"", 400),
        (b"/" + 9000 * b"a", 400),
        (b"/?" + 9000 * b"a", 400),
        (b"/\xff\xfe", 400),
        (b"/a b", 400),
        (b"/a\x00b", 400),
        (b"/a\tb", 400),
        (b"http://[", 400),
        (b"http://localhost:99999/", 400),
    ],
)
async def test_targets(site: Site, target: bytes, status: int) -> None:
    answer = await raw(site, b"GET " + target + b" HTTP/1.1\r\n" + HOST + END)
    assert statuses(answer) == [status]


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (b"GET /healthz HTTP/0.9\r\n\r\n", {400}),
        (b"GET /healthz HTTP/1.0\r\n\r\n", {200}),
        (b"GET /healthz HTTP/2.0\r\n" + HOST + END, {400}),
        (b"GET /healthz HTTP/1.1\r\n" + END, {200, 400}),  # no Host
        (b"GET /healthz HTTP/1.1\r\nHost:\r\n" + END, {400}),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + END, {400}),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost, evil.example\r\n" + END, {400}),
        (b"GET /healthz HTTP/1.1\r\nHost: user@localhost\r\n" + END, {400}),
        (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n" + END, {403}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
        (b"TRACE /healthz HTTP/1.1\r\n" + HOST + END, {405}),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n" + END, {400, 403, 404, 405}),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + END, {400, 404, 405}),
        (b"PUT /healthz HTTP/1.1\r\n" + HOST + END, {405}),
        (b"get /healthz HTTP/1.1\r\n" + HOST + END, {400, 405}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + 32 * b"r", {400}),  # TLS
        (b"SSH-2.0-OpenSSH_9\r\n", {400}),
        (b"\x00" * 64, {400}),
        (b"\r\n\r\n\r\nGET /healthz HTTP/1.1\r\n" + HOST + END, {200, 400}),
        (b"GET /healthz HTTP/1.1\r\nX: " + 9000 * b"x" + b"\r\n" + HOST + END, {400}),
        (b"GET /healthz HTTP/1.1\r\n" + 9000 * b"x" + b": y\r\n" + HOST + END, {400}),
        (b"GET /healthz HTTP/1.1\r\n" + 5000 * b"X: y\r\n" + HOST + END, {400}),
        (b"GET /healthz HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n" + HOST + b"\r\n", {200, 400}),
        (b"GET /healthz HTTP/1.1\r\nExpect: 100-continue\r\n" + HOST + END, {200}),
        (b"GET /healthz HTTP/1.1\r\nExpect: the-unexpected\r\n" + HOST + END, {200, 417}),
    ],
)
async def test_requests_that_are_none(site: Site, request_: bytes, wanted: set[int]) -> None:
    answer = await raw(site, request_)
    assert set(statuses(answer)) - {100} <= wanted
    assert statuses(answer)
    assert b"Python" not in answer
    assert b"aiohttp" not in answer
    assert b"Traceback" not in answer


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=1;limit=2",
        "limit=1%00",
        "limit=1%0d%0aX: y",
        "limit=" + 5000 * "1",
        "limit=1e3",
        "limit=%F0%9F%98%80",
        "limit=%ff",
        "&".join(f"a{number}=1" for number in range(1000)),
    ],
)
async def test_queries(site: Site, query: str) -> None:
    path = f"/api/cameras/cam0/recordings?{query}".encode().replace(b" ", b"%20")
    answer = await raw(site, b"GET " + path + b" HTTP/1.1\r\n" + HOST + END)
    (status,) = statuses(answer)
    # Whichever of two is taken, it is one of them and the same for all: there is nobody before us who looks.
    assert status in (200, 400)
    assert b"\nX: y" not in answer


async def test_two_tickets_are_one_too_many(site: Site) -> None:
    for query in (b"ticket=a&ticket=b", b"ticket=a&%74icket=b"):
        answer = await raw(site, b"GET /api/status?" + query + b" HTTP/1.1\r\n" + HOST + END)
        assert statuses(answer) == [400]


@pytest.mark.parametrize(
    "begun", [b"GET /healthz\r\n", b"GET /healthz HTTP/1.1\n\n", SWITCH + CHUNKED + b"\r\nffffffffffffffff\r\nx"]
)
async def test_what_never_becomes_whole_has_no_answer(
    site: Site, begun: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert statuses(await raw(site, begun, then_eof=True)) in ([], [400])
    # It was over with the end of what came, and not when its time was up.
    assert "sent no whole request" not in caplog.text
    assert "did not send the body" not in caplog.text


UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (UPGRADE + KEY + VERSION, 101),
        (UPGRADE + KEY + VERSION + b"Origin: http://evil.example\r\n", 403),
        (UPGRADE + KEY + VERSION + b"Origin: null\r\n", 403),
        (UPGRADE + KEY + VERSION + b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n", 403),
        (UPGRADE + KEY + VERSION + b"Origin: https://localhost\r\n", 403),
        (UPGRADE + KEY + VERSION + b"Origin: http://localhost:1\r\n", 403),
        (UPGRADE + VERSION, 400),
        (UPGRADE + b"Sec-WebSocket-Key: short\r\n" + VERSION, 400),
        (UPGRADE + KEY, 400),
        (UPGRADE + KEY + b"Sec-WebSocket-Version: 14\r\n", 400),
        (b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + KEY + VERSION, 400),
        (KEY + VERSION, 400),
    ],
)
async def test_web_sockets(site: Site, head: bytes, status: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"GET /api/events HTTP/1.1\r\n" + HOST + head + b"\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readline()).split(b" ")[1] == b"%d" % status
    writer.close()


async def test_a_message_that_is_too_large_ends_its_web_socket(site: Site) -> None:
    async with aiohttp.ClientSession(site.url) as client, client.ws_connect("/api/events") as socket:
        await socket.send_bytes(bytes(100_000))
        async for _ in socket:
            pass
        assert socket.close_code == 1009


async def test_pipelining_gives_answers_in_order_and_no_more_memory_than_that(site: Site) -> None:
    one = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    other = b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /healthz HTTP/1.1\r\n" + HOST + END
    assert statuses(await raw(site, 100 * (one + other) + last)) == [*(100 * [200, 404]), 200]


async def test_a_thousand_idle_connections_from_everywhere(site: Site) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    writers = []
    try:
        for number in range(1000):
            local = (f"127.0.{1 + number // 90}.{1 + number % 90}", 0)
            writers.append((await asyncio.open_connection("127.0.0.1", site.port, local_addr=local))[1])
        assert len(site.server._entrance._crowd.guests) <= site.server._entrance._crowd.limits.most
    finally:
        for writer in writers:
            writer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await until(lambda: not site.server._entrance._crowd.guests, "all to be forgotten")
