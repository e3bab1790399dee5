"""The server itself: errors, who may ask, headers, switching, start and stop."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from fakes.web_service import Site, http, read_clip, running
from support.own_time import within_own_time
from support.waiting import PATIENCE_S, until
from yarl import URL

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import CameraState, Fault

JSON = {"Content-Type": "application/json"}
SWITCH = "/api/cameras/cam0/recording"


async def raw(site: Site, request: bytes) -> bytes:
    """Sends bytes as they are; what comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/api/cameras/nobody/snapshot.jpg", (404, "not_found")),
        ("GET", "/api/cameras/nobody/stream.mjpeg", (404, "not_found")),
        ("GET", "/api/cameras/nobody/live.mp4", (404, "not_found")),
        ("GET", "/api/cameras/nobody/live.ws", (404, "not_found")),
        ("GET", "/api/cameras/nobody/hls/index.m3u8", (404, "not_found")),
        ("GET", "/api/cameras/nobody/hls/live.m3u8", (404, "not_found")),
        ("GET", "/api/cameras/nobody/hls/init-1.mp4", (404, "not_found")),
        ("GET", "/api/cameras/nobody/hls/1.m4s", (404, "not_found")),
        ("GET", "/api/cameras/nobody/recordings", (404, "not_found")),
        ("POST", "/api/cameras/nobody/recording", (404, "not_found")),
        ("GET", "/api/cameras/cam0/hls/1.m4s", (404, "not_found")),
        ("GET", "/api/cameras/cam0/hls/init-1.mp4", (404, "not_found")),
        ("GET", "/api/cameras/cam0/hls/x.m4s", (404, "not_found")),
        ("GET", "/api/cameras/..%2F..%2Fetc/snapshot.jpg", (404, "not_found")),
        ("GET", "/static/../server.py", (404, "not_found")),
        ("GET", "/static/..%2fserver.py", (404, "not_found")),
        ("GET", "/static/" + 300 * "a", (404, "not_found")),
        ("GET", "/api/cameras/cam0/live.ws", (400, "invalid")),
        ("GET", "/api/events", (400, "invalid")),
        ("GET", "/api/cameras/cam0/snapshot.jpg", (503, "unavailable")),
        ("GET", "/api/cameras/cam0/snapshot.jpg?height=0", (400, "invalid")),
        ("GET", "/api/cameras/cam0/snapshot.jpg?height=-5", (400, "invalid")),
        ("GET", "/api/cameras/cam0/snapshot.jpg?height=tall", (400, "invalid")),
        ("GET", "/api/cameras/cam0/snapshot.jpg?height=99999999999999999999", (400, "invalid")),
        ("GET", "/api/cameras/cam0/recordings?limit=0", (400, "invalid")),
        ("GET", "/api/cameras/cam0/recordings?limit=1001", (400, "invalid")),
        ("DELETE", "/api/status", (405, "method_not_allowed")),
        ("POST", "/", (405, "method_not_allowed")),
        ("PROPFIND", "/api/status", (405, "method_not_allowed")),
        ("BREW", "/api/status", (400, "invalid")),
        ("GET", SWITCH, (405, "method_not_allowed")),
        ("OPTIONS", SWITCH, (405, "method_not_allowed")),
        ("HEAD", "/api/cameras/cam0/live.mp4", (405, "")),
    ],
)
async def test_what_is_wrong_is_said(
    site: Site, client: aiohttp.ClientSession, method: str, path: str, wanted: tuple[int, str]
) -> None:
    status, kind = wanted
    async with client.request(method, URL(site.url + path, encoded=True)) as response:
        assert response.status == status
        assert response.content_type == "application/json"
        if status == 405:
            assert response.headers["Allow"]
        if kind:
            error = (await response.json())["error"]
            assert error["kind"] == kind
            assert error["message"]


async def test_security_headers_are_on_everything(site: Site, client: aiohttp.ClientSession) -> None:
    for path in ("/", "/static/app.css", "/api/status", "/healthz", "/nothing", SWITCH):
        async with client.get(path) as response:
            headers = response.headers
            assert headers["Server"] == "livecam-nvr"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"]
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert not any("aiohttp" in value or "Python" in value for value in headers.values())
    answer = await raw(site, b"GET\x00 / HTTP/1.1\r\n\r\n")
    assert answer.split(b" ")[1] == b"400"
    assert b"Server: livecam-nvr" in answer
    assert b"aiohttp" not in answer
    assert json.loads(answer.split(b"\r\n\r\n")[1])["error"]["kind"] == "invalid"


async def test_what_is_not_http_is_logged_once_in_one_line(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        await raw(site, b"\x16\x03\x01\x02\x00\x01\x00")
    (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert "malformed" in record.getMessage()
    assert record.exc_info is None


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_body_is_refused_without_unpacking_it(
    site: Site, client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    headers = {**JSON, "Content-Encoding": encoding}
    async with client.post(SWITCH, headers=headers, data=b"not packed at all") as response:
        assert response.status == 400
        assert (await response.json())["error"]["kind"] == "invalid"
    assert not [record for record in caplog.records if record.exc_info]


async def test_an_unforeseen_failure_tells_nothing_of_the_inside(
    site: Site, client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(camera_id: str, limit: int = 1) -> list[object]:
        raise RuntimeError("secret place")

    site.index.latest = broken  # type: ignore[assignment,method-assign]
    async with client.get("/api/cameras/cam0/recordings") as response:
        assert response.status == 500
        assert "secret" not in await response.text()
    assert "secret place" in caplog.text


async def test_a_refusal_is_logged_once_a_minute(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        async with client.get("/api/cameras/nobody/snapshot.jpg"):
            pass
    assert caplog.text.count("there is no camera 'nobody'") == 1


async def test_status(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.get("/api/status", headers={"Host": f"nvr.local:{site.port}"}) as response:
        status = await response.json()
    assert [camera["id"] for camera in status["cameras"]] == ["cam0", "cam1"]
    assert status["cameras"][0]["addresses"]["rtsp"] == "rtsp://nvr.local:8554/cam0"
    async with client.get("/healthz") as response:
        assert response.status == 200


async def test_switching(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.post(SWITCH, json={"on": True}) as response:
        assert response.status == 200
        assert (await response.json())["active"] is True
    async with client.post(SWITCH, json={"on": False}, headers={"Origin": site.url}) as response:
        assert (await response.json())["active"] is False
    assert [(camera, on) for camera, on, _ in site.home.asked] == [("cam0", True), ("cam0", False)]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"on": 1}', JSON, 400),
        (b'{"on": "true"}', JSON, 400),
        (b'{"on": true, "off": 1}', JSON, 400),
        (b"[true]", JSON, 400),
        (b"true", JSON, 400),
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b"[" * 4000, JSON, 400),
        (b'{"on": true}' + b" " * 5000, JSON, 413),
        (b'{"on": true}', {"Content-Type": "text/plain"}, 415),
        (b'{"on": true}', {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"on": true}', {**JSON, "Origin": "http://evil.example"}, 403),
        (b'{"on": true}', {**JSON, "Origin": "null"}, 403),
        (b'{"on": true}', {**JSON, "Origin": "http://127.0.0.1:1"}, 403),
        (b'{"on": true}', {**JSON, "Host": "evil.example"}, 403),
        (b'{"on": true}', {**JSON, "Host": "evil.example", "Origin": "http://evil.example"}, 403),
    ],
)
async def test_a_switch_that_is_not_one_changes_nothing(
    site: Site, client: aiohttp.ClientSession, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with client.post(SWITCH, data=body, headers=headers) as response:
        assert response.status == status
        assert (await response.json())["error"]["message"]
    assert site.home.asked == []


async def test_names_of_the_internet_are_refused_on_loopback(client: aiohttp.ClientSession) -> None:
    for host, status in (("evil.example", 403), ("localhost", 200), ("[::1]:80", 200), ("a b", 400)):
        async with client.get("/api/status", headers={"Host": host}) as response:
            assert response.status == status


async def test_on_the_network_any_name_may_watch_but_not_switch(tmp_path: Path) -> None:
    async with running(tmp_path, address="0.0.0.0") as site, http(site) as client:
        headers = {"Host": "cameras.example"}
        async with client.get("/api/status", headers=headers) as response:
            assert response.status == 200
        async with client.post(SWITCH, json={"on": True}, headers=headers) as response:
            assert response.status == 403


async def test_web_sockets_of_other_pages_are_refused(site: Site, client: aiohttp.ClientSession) -> None:
    for path in ("/api/events", "/api/cameras/cam0/live.ws"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect(path, headers={"Origin": "http://evil.example"})
        assert caught.value.status == 403
        async with client.ws_connect(path, headers={"Origin": site.url}) as socket:
            assert (await socket.receive(PATIENCE_S)).type is WSMsgType.TEXT


async def test_events_come_when_something_changed(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/api/events") as socket:
        assert (await socket.receive_json(timeout=PATIENCE_S))["cameras"][0]["state"] == "LIVE"

        async def told(what: str, value: object) -> Any:
            # Without news, the same is said again now and then.
            while True:
                camera = (await socket.receive_json(timeout=PATIENCE_S))["cameras"][0]
                if camera[what] == value:
                    return camera

        site.home.state("cam0", CameraState.OFFLINE, Fault("unplugged"))
        began = time.monotonic()
        assert (await told("state", "OFFLINE"))["fault"]["message"] == "unplugged"
        for frames in (1, 2):
            site.home.change("cam0", frames=frames)
            await told("frames", frames)
        assert time.monotonic() - began > 1.0

        # Silence is told from a dead connection, but seldom. What comes late may seem to come often.
        async def seldom() -> bool:
            began = time.monotonic()
            await socket.receive_json(timeout=PATIENCE_S)
            return time.monotonic() - began > 1.5

        await until(seldom, "a pause while nothing happens")


async def test_a_taken_port_is_named(site: Site) -> None:
    second = site.server_of()
    with pytest.raises(LivecamError) as caught:
        await second.start()
    assert caught.value.kind is ErrorKind.CONFLICT
    assert str(site.port) in caught.value.message
    assert "http_port" in caught.value.hint
    await second.stop()


async def test_it_starts_again_on_the_same_port(site: Site, client: aiohttp.ClientSession) -> None:
    async with client.get("/healthz") as response:
        assert response.status == 200
    await site.server.stop()
    await site.server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("/healthz")
    site.server = site.server_of()
    await site.server.start()
    async with client.get("/healthz") as response:
        assert response.status == 200


async def test_it_stops_at_once_although_everybody_watches(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path
) -> None:
    hub = site.hubs["cam0"]
    for fragment in read_clip(fragmented_clip, hub.numbers):
        hub.publish(fragment)
    mp4 = await client.get("/api/cameras/cam0/live.mp4")
    await mp4.content.readexactly(1000)
    mjpeg = await client.get("/api/cameras/cam0/stream.mjpeg")
    assert (await mjpeg.content.readexactly(16)).startswith(b"--")
    waiting = asyncio.create_task(client.get("/api/cameras/cam1/hls/index.m3u8"))
    sockets = [await client.ws_connect(path) for path in ("/api/events", "/api/cameras/cam0/live.ws")]
    # One that never reads, and that has far more waiting for it than the system's buffers take.
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
    writer.write(b"GET /api/cameras/cam0/live.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readexactly(100)
    template = hub.ring[-1]
    for _ in range(20):
        hub.publish(template._replace(number=next(hub.numbers), data=template.data + bytes(1_000_000), tracks=()))

    async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
        async for _ in socket:
            pass
        return socket.close_code

    codes = [asyncio.create_task(close_code(socket)) for socket in sockets]

    async with within_own_time(1, "the end of all"):
        await site.server.stop()
    assert not site.server._entrance._crowd.guests
    assert hub.viewers == 0
    assert await asyncio.gather(*codes) == [1001, 1001]
    with pytest.raises(aiohttp.ClientError):
        async with await waiting as answer:
            answer.raise_for_status()
    mp4.close()
    mjpeg.close()
    writer.close()
