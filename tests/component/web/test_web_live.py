"""Live video in every form, from a real encoder to a real decoder."""

import asyncio
import json
import subprocess
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType
from fakes.web_service import Site, read_clip
from support import clips
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.status import CameraState, Fault
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.web.connection import Connection

WS = "/api/cameras/cam0/live.ws"


def publish(hub: MemoryHub, clip: Path, count: int | None = None) -> list[Fragment]:
    """A whole run (or its beginning), of which the hub then knows all."""
    fragments = read_clip(clip, hub.numbers)[:count]
    for fragment in fragments:
        hub.publish(fragment)
    return fragments


async def decode(url: str, frames: int = 20, *options: str) -> list[str]:
    """The time stamps of the first frames that a real player decodes."""
    argv = ["-v", "error", *options, "-i", url, "-frames:v", str(frames), "-f", "framemd5", "-"]
    player = await asyncio.create_subprocess_exec(
        "ffmpeg", *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, said = await player.communicate()
    finally:
        if player.returncode is None:
            player.kill()
            await player.wait()
    assert player.returncode == 0, said.decode()
    lines = [line.split(",") for line in out.decode().splitlines() if not line.startswith("#")]
    assert len(lines) == frames, said.decode()
    return [line[2].strip() for line in lines]


async def news(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
    """The next message but for those that come as time goes by."""
    while True:
        message = await socket.receive(PATIENCE_S)
        if message.type is not WSMsgType.TEXT or message.json()["type"] not in ("alive", "clock", "late"):
            return message


async def test_live_mp4_is_playable_and_begins_at_zero(site: Site, client: aiohttp.ClientSession) -> None:
    await site.live()
    hub = site.hubs["cam0"]
    await until(lambda: hub.ring and hub.ring[-1].time_s > 1.5, "frames")
    times = await decode(site.camera_url("live.mp4"), 40, "-copyts")
    assert int(times[0]) == 0
    assert all(int(later) > int(earlier) for earlier, later in pairwise(times))
    async with client.get("/api/cameras/cam0/live.mp4") as response:
        assert response.headers["Content-Type"].startswith('video/mp4; codecs="avc1.')
        assert response.headers["Cache-Control"] == "no-store"
    await until(lambda: hub.viewers == 0, "the viewers to be forgotten")


async def test_live_mp4_waits_for_the_first_frame(site: Site) -> None:
    player = asyncio.create_task(decode(site.camera_url("live.mp4"), 5))
    await until(lambda: site.hubs["cam0"].viewers == 1)
    await site.live()
    assert await player


async def test_live_mp4_ends_when_the_camera_starts_anew(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path, tmp_path: Path
) -> None:
    hub = site.hubs["cam0"]
    publish(hub, fragmented_clip)
    async with client.get("/api/cameras/cam0/live.mp4") as response:
        await response.content.readexactly(500)
        hub.end_run(EndCause.CAMERA)
        publish(hub, fragmented_clip)
        await response.content.read()
        assert response.content.at_eof()


async def test_a_viewer_who_leaves_is_forgotten_though_the_camera_is_silent(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path
) -> None:
    hub = site.hubs["cam0"]
    publish(hub, fragmented_clip)
    response = await client.get("/api/cameras/cam0/live.mp4")
    socket = await client.ws_connect(WS)
    await until(lambda: hub.viewers == 2)
    response.close()
    await socket.close()
    await until(lambda: hub.viewers == 0, "both forgotten")


async def test_web_socket_brings_state_init_and_each_fragment_as_it_is(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path
) -> None:
    hub = site.hubs["cam0"]
    fragments = publish(hub, fragmented_clip)
    async with client.ws_connect(WS) as socket:
        messages = [await news(socket) for _ in range(3)]
        texts = {m["type"]: m for m in (json.loads(m.data) for m in messages if m.type is WSMsgType.TEXT)}
        assert texts["state"] == {"type": "state", "state": "LIVE", "fault": None}
        assert texts["init"]["mime"] == fragments[0].init.mime
        assert (texts["init"]["width"], texts["init"]["height"]) == (320, 180)
        assert messages[-1].data == fragments[0].init.data
        newest_gop = list(hub.newest_gop())
        assert newest_gop[0].keyframe
        for fragment in newest_gop:
            assert (await news(socket)).data == fragment.data

        site.home.state("cam1", CameraState.OFFLINE)
        site.home.state("cam0", CameraState.ERROR, Fault("it broke", "wait"))
        assert (await news(socket)).json() == {
            "type": "state",
            "state": "ERROR",
            "fault": {"message": "it broke", "hint": "wait"},
        }
        hub.end_run(EndCause.CAMERA)
        again = publish(hub, fragmented_clip)
        assert (await news(socket)).json()["type"] == "init"
        for data in (again[0].init.data, *(fragment.data for fragment in again)):
            assert (await news(socket)).data == data


async def test_what_a_web_socket_brings_can_be_decoded(
    site: Site, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await site.live()
    path = tmp_path / "ws.mp4"
    async with client.ws_connect(WS) as socket:
        data = b""
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                data += message.data
            if data.count(b"moof") >= 30:
                break
    path.write_bytes(data)
    assert clips.probe(path)["packets"] == 30


async def test_a_web_socket_compresses_nothing_and_takes_no_large_messages(
    site: Site, client: aiohttp.ClientSession
) -> None:
    async with client.ws_connect(WS, compress=15) as socket:
        assert socket.compress == 0
        await socket.send_bytes(bytes(10_000))
        while not socket.closed:
            await socket.receive(PATIENCE_S)
        assert socket.close_code == 1009


async def test_a_slow_viewer_is_bounded_and_goes_on_with_a_keyframe(site: Site, fragmented_clip: Path) -> None:
    hub = site.hubs["cam0"]
    fragments = publish(hub, fragmented_clip)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
    handshake = (
        f"GET {WS} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    writer.write(handshake.encode())
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    await until(lambda: hub.viewers == 1)
    (subscription,) = hub._subscriptions
    for at in range(300):
        fragment = fragments[at % len(fragments)]
        data = b"%06d" % at + bytes(200_000)
        hub.publish(fragment._replace(number=next(hub.numbers), data=data))
        await asyncio.sleep(0)
    assert subscription.dropped > 100
    assert subscription._bytes <= 8_000_000
    (connection,) = site.server._entrance._crowd.guests
    assert isinstance(connection, Connection)
    assert connection.transport is not None
    assert connection.transport.get_write_buffer_size() < 1_000_000

    async def message() -> bytes:
        head = await reader.readexactly(2)
        size = head[1]
        if size == 126:
            size = int.from_bytes(await reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await reader.readexactly(8), "big")
        return await reader.readexactly(size)

    async def skip_to(number: int) -> list[int]:
        seen: list[int] = []
        while not seen or seen[-1] < number:
            data = await message()
            if len(data) == 200_006:
                seen.append(int(data[:6]))
        return seen

    feeding = asyncio.create_task(skip_to(300 + 30))
    at = 300
    async with asyncio.timeout(PATIENCE_S):
        while not feeding.done():
            fragment = fragments[at % len(fragments)]
            hub.publish(fragment._replace(number=next(hub.numbers), data=b"%06d" % at + bytes(200_000)))
            at += 1
            await asyncio.sleep(0.01)
    seen = await feeding
    gaps = [later for earlier, later in pairwise(seen) if later != earlier + 1]
    assert gaps
    assert all(fragments[at % len(fragments)].keyframe for at in gaps)
    writer.close()


async def test_snapshot(site: Site, client: aiohttp.ClientSession, fragmented_clip: Path, tmp_path: Path) -> None:
    publish(site.hubs["cam0"], fragmented_clip)
    for query, size in (("", (320, 180)), ("?height=90", (160, 90)), ("?height=1080", (320, 180))):
        async with client.get(f"/api/cameras/cam0/snapshot.jpg{query}") as response:
            assert response.status == 200
            assert response.content_type == "image/jpeg"
            assert response.headers["Cache-Control"] == "no-store"
            path = tmp_path / "picture.jpg"
            path.write_bytes(await response.read())
            look = ("-v", "error", "-show_entries", "stream=width,height", "-of", "json")
            found = json.loads(await asyncio.to_thread(clips.run, "ffprobe", *look, str(path)))["streams"][0]
            assert (found["width"], found["height"]) == size


async def test_mjpeg(site: Site, client: aiohttp.ClientSession) -> None:
    await site.live()
    assert len(await decode(site.camera_url("stream.mjpeg"), 5)) == 5
    async with client.get("/api/cameras/cam0/stream.mjpeg") as response:
        assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=livecam-frame"
        assert await response.content.readline() == b"--livecam-frame\r\n"
        for _ in range(3):
            assert await response.content.readline() == b"Content-Type: image/jpeg\r\n"
            length = int((await response.content.readline()).split(b":")[1])
            assert await response.content.readline() == b"\r\n"
            assert (await response.content.readexactly(length))[:3] == b"\xff\xd8\xff"
            assert await response.content.readexactly(2) == b"\r\n"
            assert await response.content.readline() == b"--livecam-frame\r\n"
    shared = site.pictures._mjpeg["cam0"]
    await until(lambda: shared._viewers == 0 and shared._task is None, "the decoder to stop")


async def test_hls_waits_for_a_camera_that_has_just_started_and_is_playable(site: Site) -> None:
    player = asyncio.create_task(decode(site.camera_url("hls/index.m3u8"), 60))
    await site.live()
    times = await player
    assert all(int(later) > int(earlier) for earlier, later in pairwise(times))


async def playlist(client: aiohttp.ClientSession) -> list[str]:
    async with client.get("/api/cameras/cam0/hls/live.m3u8") as response:
        assert response.status == 200
        assert response.content_type == "application/vnd.apple.mpegurl"
        return (await response.text()).splitlines()


async def test_hls_over_a_restart_of_the_camera(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path, tmp_path: Path
) -> None:
    hub = site.hubs["cam0"]
    publish(hub, fragmented_clip)
    first = await playlist(client)
    assert [line for line in first if line.endswith(".m4s")]
    hub.end_run(EndCause.CAMERA)
    smaller = await asyncio.to_thread(
        lambda: clips.make(tmp_path / "b.mp4", size="160x90", extra=tuple(clips.FRAGMENTED))
    )
    publish(hub, smaller, 40)
    lines = await playlist(client)
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    inits = [line.split('"')[1] for line in lines if line.startswith("#EXT-X-MAP")]
    before, after = [line for line in first if line.endswith(".m4s")], [x for x in lines if x.endswith(".m4s")]
    assert set(before) & set(after)
    at = lines.index("#EXT-X-DISCONTINUITY")
    for init, part, width in ((inits[0], lines[:at], 320), (inits[1], lines[at:], 160)):
        data = b""
        for name in (init, *(line for line in part if line.endswith(".m4s"))):
            async with client.get(f"/api/cameras/cam0/hls/{name}") as response:
                assert response.status == 200
                assert response.content_type == "video/mp4"
                data += await response.read()
        path = tmp_path / f"{width}.mp4"
        path.write_bytes(data)
        found = await asyncio.to_thread(clips.probe, path)
        assert found["width"] == width
        assert found["packets"] == 15 * sum(line.endswith(".m4s") for line in part)

    # The master playlist tells of the newest run.
    async with client.get("/api/cameras/cam0/hls/index.m3u8") as response:
        assert "RESOLUTION=160x90" in await response.text()


async def test_a_segment_that_left_the_memory_is_a_clean_404(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path
) -> None:
    hub = site.hubs["cam0"]
    publish(hub, fragmented_clip)
    oldest = next(line for line in await playlist(client) if line.endswith(".m4s"))
    for _ in range(3):
        hub.end_run(EndCause.CAMERA)
        for fragment in publish(hub, fragmented_clip):
            hub.publish(fragment._replace(number=next(hub.numbers), arrived_s=fragment.arrived_s + 60))
    async with client.get(f"/api/cameras/cam0/hls/{oldest}") as response:
        assert response.status == 404
        assert (await response.json())["error"]["kind"] == "not_found"


async def test_old_pictures_of_a_camera_that_is_gone_are_not_live(
    site: Site, client: aiohttp.ClientSession, fragmented_clip: Path
) -> None:
    hub = site.hubs["cam0"]
    for fragment in read_clip(fragmented_clip, hub.numbers):
        hub.publish(fragment._replace(arrived_s=fragment.arrived_s - 60))
    hub.end_run(EndCause.CAMERA)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.get("/api/cameras/cam0/hls/live.m3u8")
    publish(hub, fragmented_clip)
    lines = await playlist(client)
    assert sum(line.endswith(".m4s") for line in lines) == 3
    assert "#EXT-X-DISCONTINUITY" not in lines
